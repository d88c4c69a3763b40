// Files that go with a message: chosen, pasted or dropped, and shown before they go.

import { h, icon, toast } from "./dom.js";
import { sized } from "./files.js";

const LARGEST = 20e6; // bytes: the sandbox keeps them in memory

/** `changed` is called when files come or go. */
export function attaching(changed) {
  const chosen = [];
  const place = h("ul", { class: "attached", "aria-label": "Attached files", hidden: true });
  const input = h("input", {
    type: "file",
    multiple: true,
    class: "unseen",
    tabindex: "-1",
    "aria-hidden": "true",
  });
  const button = h(
    "button",
    {
      type: "button",
      class: "tool",
      "aria-label": "Attach files",
      title: "Attach files",
      tabindex: "-1",
      data: { tool: "attach" },
      on: { click: () => input.click() },
    },
    icon("clip"),
  );

  const draw = () => {
    place.hidden = !chosen.length;
    place.replaceChildren(...chosen.map(chip));
    changed();
  };
  const chip = (one) =>
    h(
      "li",
      {},
      icon("clip"),
      h("span", { class: "attached-name" }, one.name),
      h("small", {}, sized(one.size)),
      h(
        "button",
        {
          type: "button",
          class: "icon-button",
          "aria-label": `Remove ${one.name}`,
          on: {
            click: () => {
              chosen.splice(chosen.indexOf(one), 1);
              draw();
            },
          },
        },
        icon("close"),
      ),
    );
  const add = async (list, pasted = false) => {
    for (const file of list) {
      if (file.size > LARGEST) toast(`${file.name} is larger than ${sized(LARGEST)}`);
      else if (!file.size) toast(`${file.name} is empty`);
      else chosen.push(await taken(file, pasted));
    }
    draw();
  };
  input.addEventListener("change", async () => {
    await add([...input.files]);
    input.value = "";
  });

  return {
    chosen,
    place,
    input,
    button,
    add,
    clear: () => {
      chosen.length = 0;
      draw();
    },
    takeFrom: (frame) => {
      frame.addEventListener("dragover", (event) => {
        event.preventDefault();
        frame.dataset.over = "yes";
      });
      frame.addEventListener("dragleave", () => delete frame.dataset.over);
      frame.addEventListener("drop", (event) => {
        event.preventDefault();
        delete frame.dataset.over;
        add(event.dataTransfer.files);
      });
    },
  };
}

async function taken(file, pasted) {
  return {
    name: file.name,
    size: file.size,
    media_type: file.type || "application/octet-stream",
    content_base64: base64(new Uint8Array(await file.arrayBuffer())),
    pasted: pasted && file.type.startsWith("image/"),
  };
}

function base64(bytes) {
  const step = 0x8000; // what String.fromCharCode takes at once
  let text = "";
  for (let at = 0; at < bytes.length; at += step)
    text += String.fromCharCode(...bytes.subarray(at, at + step));
  return btoa(text);
}
