// Reactions below a message, and the few emoji that are offered for one.

import { h } from "./dom.js";

const OFFERED = [
  { picture: "👍", name: "Thumbs up", slack: "+1", teams: "like" },
  { picture: "❤️", name: "Heart", slack: "heart", teams: "heart" },
  { picture: "😆", name: "Laughing", slack: "laughing", teams: "laugh" },
  { picture: "😮", name: "Surprised", slack: "open_mouth", teams: "surprised" },
  { picture: "🎉", name: "Party popper", slack: "tada", teams: "1f389_partypopper" },
  { picture: "👀", name: "Eyes", slack: "eyes", teams: "1f440_eyes" },
  {
    picture: "✅",
    name: "Check mark",
    slack: "white_check_mark",
    teams: "2705_whiteheavycheckmark",
  },
  { picture: "🚀", name: "Rocket", slack: "rocket", teams: "launch" },
];

/** What people chose: a press adds one's own choice, another takes it back. */
export function reactions(all, { picture, kind, me, set }) {
  if (!all?.length) return null;
  const pill = (one) => {
    const mine = one.users.includes(me);
    return h(
      "button",
      {
        type: "button",
        class: "reaction",
        "aria-pressed": String(mine),
        title: mine ? "Take your reaction back" : "React with this too",
        on: { click: () => set(kind(one), !mine) },
      },
      picture(one),
      " ",
      h("span", { class: "count" }, String(one.count)),
    );
  };
  return h(
    "ul",
    { class: "reactions", "aria-label": "Reactions" },
    ...all.map((one) => h("li", {}, pill(one))),
  );
}

/** The tool of a message that opens the emoji to choose from. */
export function reactTool(platform, set) {
  return {
    name: "react",
    label: "React",
    icon: "smile",
    key: "+",
    run: (event) => {
      const message = event.currentTarget.closest("article");
      if (!closed(message)) open(message, platform, set);
    },
  };
}

function open(message, platform, set) {
  const choose = (one) => {
    closed(message);
    message.focus({ preventScroll: true });
    set(one[platform], true);
  };
  const picker = h(
    "div",
    { class: "emoji-picker", role: "group", "aria-label": "Choose a reaction" },
    ...OFFERED.map((one) =>
      h(
        "button",
        {
          type: "button",
          "aria-label": one.name,
          title: one.name,
          on: { click: () => choose(one) },
        },
        one.picture,
      ),
    ),
  );
  picker.addEventListener("keydown", (event) => walk(event, picker, message));
  message.querySelector(".said").append(picker);
  picker.firstElementChild.focus();
}

function closed(message) {
  const picker = message.querySelector(".emoji-picker");
  picker?.remove();
  return Boolean(picker);
}

function walk(event, picker, message) {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  const all = [...picker.children];
  if (step) all.at((all.indexOf(document.activeElement) + step) % all.length).focus();
  else if (event.key === "Escape") {
    closed(message);
    message.focus();
  } else return;
  event.preventDefault();
  event.stopPropagation();
}
