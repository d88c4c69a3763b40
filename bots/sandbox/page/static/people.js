// Faces without pictures: initials on a colour that follows from the name.

import { h, svg } from "./dom.js";

// Each is dark enough for white letters (4.5:1 and more).
const COLOURS = [
  "#9c2a6b",
  "#3c6e2f",
  "#b3401d",
  "#1f6f8b",
  "#6a4fb3",
  "#8a5a00",
  "#0b7265",
  "#a62c3f",
  "#3558b0",
  "#77508c",
  "#4d6a12",
  "#9a3c86",
];

export function initials(name) {
  const words = name
    .replace(/\(.*?\)/g, "")
    .trim()
    .split(/\s+/)
    .filter(Boolean);
  const letters = [words[0], words.length > 1 ? words.at(-1) : ""];
  return (
    letters
      .map((word) => [...(word ?? "")][0] ?? "")
      .join("")
      .toUpperCase() || "?"
  );
}

function colour(name) {
  let sum = 46; // with it, no two people of the demo look alike
  for (const letter of name) sum = (sum * 31 + letter.codePointAt(0)) >>> 0;
  return COLOURS[sum % COLOURS.length];
}

/** A person's avatar. `via` adds ATOM's mark: this is a copy from the other side. */
export function avatar(name, { size = 32, round = false, via = false } = {}) {
  const bare = name.replace(/ \((Slack|Teams)\)$/, "");
  const radius = round ? 20 : 9;
  const face = svg(
    "svg",
    { viewBox: "0 0 40 40", width: size, height: size, "aria-hidden": "true" },
    svg("rect", { width: 40, height: 40, rx: radius, fill: colour(bare) }),
    svg(
      "text",
      {
        x: 20,
        y: 20.5,
        fill: "#fff",
        "font-size": 15.5,
        "font-weight": 650,
        "text-anchor": "middle",
        "dominant-baseline": "central",
      },
      initials(bare),
    ),
  );
  return h("span", { class: via ? "avatar avatar-via" : "avatar" }, face);
}

/** ATOM's own face. */
export function atomAvatar(size = 32, round = false) {
  const orbit = (turn) =>
    svg("ellipse", {
      cx: 20,
      cy: 20,
      rx: 14,
      ry: 5.6,
      transform: `rotate(${turn} 20 20)`,
      fill: "none",
      stroke: "#fff",
      "stroke-width": 2,
    });
  const face = svg(
    "svg",
    { viewBox: "0 0 40 40", width: size, height: size, "aria-hidden": "true" },
    svg("rect", { width: 40, height: 40, rx: round ? 20 : 9, fill: "#0b7a5e" }),
    orbit(45),
    orbit(-45),
    svg("circle", { cx: 20, cy: 20, r: 3.4, fill: "#fff" }),
  );
  return h("span", { class: "avatar" }, face);
}

/** Fill a picker with people; `choose` is called with the id that was picked. */
export function fillPicker(place, side, people, chosen, choose) {
  const sign = JSON.stringify([people, chosen]);
  if (place.dataset.sign === sign) return;
  place.dataset.sign = sign;
  const legend = place.querySelector("legend");
  const picks = people.map((person) =>
    h(
      "label",
      { class: "pick", title: person.name },
      h("input", {
        type: "radio",
        name: `${side}-person`,
        value: person.id,
        checked: person.id === chosen,
        "aria-label": person.name,
        on: { change: () => choose(person.id) },
      }),
      avatar(person.name, { size: 26, round: side === "teams" }),
    ),
  );
  const name = people.find((person) => person.id === chosen)?.name ?? "";
  place.replaceChildren(
    legend,
    h("span", { class: "me", "aria-hidden": "true" }, name),
    ...picks,
  );
}
