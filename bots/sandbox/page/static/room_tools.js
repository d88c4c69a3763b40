// Buttons at the head of a room, for what an app offers there.

import { h, icon } from "./dom.js";

/** One of them, as `reconcile` takes it. */
export const roomTool = (name, picture, run) => ({
  key: name,
  sign: name,
  build: () =>
    h(
      "button",
      { type: "button", class: "button", title: name, on: { click: run } },
      icon(picture),
      h("span", {}, name),
    ),
});
