// A message in a list, and how a list of messages is walked with the keyboard.

import { anchored, h, icon } from "./dom.js";
import { toClock, toWhole } from "./times.js";

/**
 * One message. `tools` are [{name, label, icon, key, run}]; `note` stands before the
 * name's line, `body` holds elements, `foot` what follows them; `kinds` are for looks.
 */
export function article({
  face,
  name,
  at,
  mark,
  edited,
  note,
  body,
  tools = [],
  foot = [],
  kinds = [],
  label,
}) {
  const when = h(
    "time",
    { datetime: new Date(at).toISOString(), title: toWhole(at) },
    toClock(at),
  );
  return h(
    "article",
    {
      class: ["message", ...kinds.filter(Boolean).map((kind) => `message-${kind}`)].join(
        " ",
      ),
      tabindex: "-1",
      "aria-label": label ?? `${name}, ${toClock(at)}`,
    },
    h("div", { class: "face" }, face),
    h(
      "div",
      { class: "said" },
      note && h("p", { class: "note" }, ...note),
      h("p", { class: "by" }, h("span", { class: "name" }, name), mark, when),
      h(
        "div",
        { class: "words" },
        ...body,
        edited &&
          h("span", { class: "edited", title: "This message was edited" }, " (edited)"),
      ),
      ...foot,
    ),
    tools.length > 0 && h("div", { class: "tools" }, ...tools.map(tool)),
  );
}

function tool({ name, label, icon: picture, key, run }) {
  return h(
    "button",
    {
      type: "button",
      class: "icon-button",
      "aria-label": label,
      "aria-keyshortcuts": key.toUpperCase(),
      title: `${label} (${key})`,
      data: { tool: name, key },
      on: { click: run },
    },
    icon(picture),
  );
}

const OFFERS = [
  { name: "record", icon: "record", key: "c" },
  { name: "people", icon: "people", key: "w" },
];

/** The tool for what an app offers on a message: its first has another look than the next. */
export const offered = (label, place, run) => ({
  ...(OFFERS[place] ?? { name: `offer-${place}`, icon: "bolt", key: `${place + 1}` }),
  label,
  run,
});

/** The mark of a copy: whoever wrote it did so on the other side. */
export function viaMark(from) {
  return h("span", { class: "via", title: `Copied from ${from} by ATOM` }, "via ATOM");
}

export const appMark = () => h("span", { class: "via via-app" }, "app");

export function tombstone(at) {
  return h(
    "article",
    { class: "message message-gone", tabindex: "-1", "aria-label": "Deleted message" },
    h("div", { class: "face" }, h("span", { class: "gone" }, icon("bin"))),
    h(
      "div",
      { class: "said" },
      h(
        "p",
        { class: "note" },
        "This message was deleted.",
        " ",
        h("time", {}, toClock(at)),
      ),
    ),
  );
}

/** Arrows walk from message to message; a letter presses the button that shows it. */
export function walkable(list) {
  anchored(list);
  list.addEventListener("keydown", (event) => {
    const here = event.target.closest?.("article");
    if (!here || event.target !== here || event.ctrlKey || event.metaKey || event.altKey)
      return;
    const all = [...list.querySelectorAll("article")];
    const at = all.indexOf(here);
    const next = {
      ArrowUp: all[at - 1],
      ArrowDown: all[at + 1],
      Home: all[0],
      End: all.at(-1),
    }[event.key];
    if (next) next.focus();
    else {
      const button = here.querySelector(`.tools [data-key="${CSS.escape(event.key)}"]`);
      if (!button) return;
      button.click();
    }
    event.preventDefault();
  });
  list.addEventListener("focusin", (event) => {
    const here = event.target.closest?.("article");
    if (here) onlyStop(list, here);
  });
}

/** After a change: exactly one message is where Tab stops, the newest at first. */
export function settle(list) {
  const all = [...list.querySelectorAll("article")];
  const stops = all.filter((one) => one.tabIndex === 0);
  const held = all.find((one) => one.contains(document.activeElement));
  if (all.length && (stops.length !== 1 || !held)) onlyStop(list, held ?? all.at(-1));
}

function onlyStop(list, here) {
  for (const one of list.querySelectorAll("article")) one.tabIndex = one === here ? 0 : -1;
}

/** Ask before a message goes. */
export function askToDelete(quote) {
  const dialog = document.getElementById("ask");
  document.getElementById("ask-quote").textContent = quote;
  dialog.returnValue = "no";
  dialog.showModal();
  dialog.querySelector('[value="yes"]').focus();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), {
      once: true,
    });
  });
}
