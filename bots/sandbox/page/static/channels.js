// The list of channels on one side.

import { h, icon } from "./dom.js";

const SHOWN = "#";

/** Fill the list: `channels` are [{id, name, locked, fresh, linked}]. */
export function fillChannels(place, channels, chosen, choose, sign = SHOWN) {
  const before = place.dataset.sign;
  const now = JSON.stringify([channels, chosen]);
  if (before === now) return;
  const held = place.contains(document.activeElement)
    ? document.activeElement.dataset.id
    : "";
  place.dataset.sign = now;
  place.replaceChildren(
    ...channels.map((channel) =>
      h(
        "li",
        {},
        h(
          "button",
          {
            type: "button",
            class: channel.fresh ? "channel channel-fresh" : "channel",
            "aria-current": channel.id === chosen ? "true" : null,
            data: { id: channel.id },
            on: { click: () => choose(channel.id) },
          },
          h("span", { class: "channel-sign" }, channel.locked ? icon("lock") : sign),
          h("span", { class: "channel-name" }, channel.name),
          channel.fresh && h("span", { class: "unseen" }, " (new messages)"),
          channel.linked &&
            h(
              "span",
              { class: "channel-linked", title: `Linked with ${channel.linked}` },
              icon("bridge"),
            ),
        ),
      ),
    ),
  );
  if (held) place.querySelector(`[data-id="${CSS.escape(held)}"]`)?.focus();
}

/** Say beside a channel's name with what it is linked. Null: nobody knows yet. */
export function fillLinked(place, linked) {
  place.hidden = linked == null;
  place.dataset.linked = linked ? "yes" : "no";
  place.replaceChildren(...(linked ? [icon("bridge"), h("span", {}, linked)] : ["Not linked"]));
  place.title = linked
    ? `Everything said here is said in ${linked} too`
    : "What is said here stays here";
}

/** Remembers up to where each channel was read. */
export function readMarks() {
  const seen = new Map();
  return {
    fresh: (id, newest, open) => {
      if (open || !seen.has(id)) seen.set(id, newest);
      return newest > seen.get(id);
    },
  };
}
