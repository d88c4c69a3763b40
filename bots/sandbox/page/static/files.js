// Files below a message: pictures are shown, the rest can be fetched.

import { h, icon } from "./dom.js";

const PICTURES = new Set(["image/png", "image/jpeg", "image/gif", "image/webp"]);
const UNITS = ["bytes", "kB", "MB", "GB"];

/** A size as people say it. */
export function sized(bytes) {
  let number = bytes;
  let unit = 0;
  while (number >= 1000 && unit < UNITS.length - 1) {
    number /= 1000;
    unit += 1;
  }
  return `${unit && number < 10 ? number.toFixed(1) : Math.round(number)} ${UNITS[unit]}`;
}

/** What kind of file a name speaks of, where nobody says. */
export function kindOf(name) {
  const ending = /\.(png|jpe?g|gif|webp)$/iu.exec(name)?.[1].toLowerCase();
  return ending ? `image/${ending.replace("jpg", "jpeg")}` : "";
}

/** `all` are [{side, id, name, size, kind}]. */
export function fileList(all) {
  if (!all.length) return null;
  return h("ul", { class: "files" }, ...all.map((file) => h("li", {}, shown(file))));
}

function shown({ side, id, name, size, kind }) {
  const address = id && `/sandbox/file/${side}/${encodeURIComponent(id)}`;
  if (address && PICTURES.has(kind)) return picture(address, name);
  return h(
    address ? "a" : "span",
    { class: "file", href: address || null, download: address ? name : null },
    icon("clip"),
    h("span", { class: "file-name" }, name),
    size ? h("small", {}, sized(size)) : null,
  );
}

/** A picture that lies in the sandbox; its name if it does not come. */
export function picture(address, name) {
  const image = h("img", { class: "picture", src: address, alt: name, loading: "lazy" });
  image.addEventListener("error", () => image.replaceWith(name));
  return h("a", { href: address, target: "_blank", rel: "noopener" }, image);
}
