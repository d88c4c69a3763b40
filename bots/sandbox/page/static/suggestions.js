// The list of people that opens on "@" while somebody writes.

import { h } from "./dom.js";
import { avatar, atomAvatar } from "./people.js";

const ASKED = /(?:^|\s)@([\p{L}\p{N}'’]*)$/u;

/** `people()` returns [{id, name}] to choose from. */
export function suggestions(editor, people, id) {
  let found = [];
  let chosen = 0;
  const place = h("ul", {
    class: "suggestions",
    role: "listbox",
    id,
    "aria-label": "People",
    hidden: true,
  });
  editor.setAttribute("aria-controls", id);

  const close = () => {
    place.hidden = true;
    found = [];
    editor.removeAttribute("aria-activedescendant");
  };
  const show = () => {
    place.replaceChildren(
      ...found.map((person, number) =>
        h(
          "li",
          {
            role: "option",
            id: `${id}-${number}`,
            "aria-selected": String(number === chosen),
            on: {
              mousedown: (event) => {
                event.preventDefault();
                chosen = number;
                take();
              },
            },
          },
          person.app ? atomAvatar(20) : avatar(person.name, { size: 20 }),
          person.name,
        ),
      ),
    );
    place.hidden = found.length === 0;
    if (found.length) editor.setAttribute("aria-activedescendant", `${id}-${chosen}`);
    else editor.removeAttribute("aria-activedescendant");
  };
  const take = () => {
    insert(found[chosen]);
    close();
    editor.dispatchEvent(new Event("input"));
  };
  const look = () => {
    const asked = ASKED.exec(before(editor));
    if (!asked) return close();
    const start = asked[1].toLowerCase();
    found = people().filter((person) =>
      person.name
        .toLowerCase()
        .split(/\s/u)
        .some((word) => word.startsWith(start)),
    );
    chosen = 0;
    return show();
  };
  const takes = (event) => {
    if (place.hidden) return false;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      chosen = (chosen + step + found.length) % found.length;
      show();
    } else if (event.key === "Enter" || event.key === "Tab") take();
    else if (event.key === "Escape") close();
    else return false;
    event.preventDefault();
    event.stopPropagation();
    return true;
  };
  editor.addEventListener("blur", close);
  return { place, look, takes };
}

function before(editor) {
  const selection = getSelection();
  const node = selection?.anchorNode;
  if (!node || node.nodeType !== Node.TEXT_NODE || !editor.contains(node)) return "";
  return node.data.slice(0, selection.anchorOffset);
}

function insert(person) {
  const selection = getSelection();
  const node = selection.anchorNode;
  const end = selection.anchorOffset;
  const start = node.data.lastIndexOf("@", end - 1);
  const chip = h(
    "span",
    {
      class: "mention",
      contenteditable: "false",
      data: { id: person.id, name: person.name },
    },
    `@${person.name}`,
  );
  const rest = node.splitText(start);
  rest.data = `\u00a0${rest.data.slice(end - start)}`;
  rest.before(chip);
  selection.collapse(rest, 1);
}
