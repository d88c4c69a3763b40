// A dialog over one of the columns, as its client shows modals; the others stay in use.

import { h, icon } from "./dom.js";

let number = 0;

export class Sheet {
  frame = null;
  from = null;

  /** `place` is the column's body; `close` is called when the visitor wants out. */
  constructor(place, close) {
    this.place = place;
    this.close = close;
  }

  get open() {
    return Boolean(this.frame);
  }

  /** Show a title, elements and buttons; `submit` makes a form of it. */
  show({ title, body, buttons = [], submit, wide = false }) {
    const held = this.frame?.contains(document.activeElement);
    const opened = !this.frame;
    if (opened) this.from = document.activeElement;
    number += 1;
    const id = `sheet-${number}`;
    const form = h(
      "form",
      {
        class: `sheet-box${wide ? " sheet-wide" : ""}`,
        on: {
          submit: (event) => {
            event.preventDefault();
            submit?.();
          },
        },
      },
      h(
        "header",
        { class: "sheet-head" },
        h("h4", { id }, title),
        h(
          "button",
          {
            type: "button",
            class: "icon-button",
            "aria-label": "Close",
            title: "Close (Esc)",
            on: { click: this.close },
          },
          icon("close"),
        ),
      ),
      h("div", { class: "sheet-body" }, ...body),
      buttons.length > 0 && h("footer", { class: "sheet-foot" }, ...buttons),
    );
    const fresh = h(
      "div",
      {
        class: "sheet",
        role: "dialog",
        "aria-modal": "true",
        "aria-labelledby": id,
        on: { keydown: this.keys },
      },
      form,
    );
    if (opened) this.place.append(fresh);
    else this.frame.replaceWith(fresh);
    this.frame = fresh;
    this.behind(true);
    if (opened || held) this.focus();
  }

  hide() {
    if (!this.frame) return;
    const held = this.frame.contains(document.activeElement);
    this.frame.remove();
    this.frame = null;
    this.behind(false);
    if (held && this.from?.isConnected) this.from.focus();
  }

  /** Say that something is on its way. */
  wait(title) {
    this.show({ title, body: [h("p", { class: "sheet-wait", role: "status" }, "Loading…")] });
  }

  focus() {
    const first =
      this.frame.querySelector(".sheet-body :is(input, select, textarea, button)") ??
      this.frame.querySelector(".sheet-foot button, .icon-button");
    first?.focus();
  }

  behind(inert) {
    for (const one of this.place.children) if (one !== this.frame) one.inert = inert;
  }

  keys = (event) => {
    if (event.key === "Escape") {
      event.stopPropagation();
      this.close();
    }
  };
}

/** Ask before something is done that a button says has to be confirmed. */
export function askTo({ title, text, yes, no, bad = false }) {
  number += 1;
  const id = `sheet-${number}`;
  const dialog = h(
    "dialog",
    { class: "ask", "aria-labelledby": id },
    h(
      "form",
      { method: "dialog" },
      h("h2", { id }, title),
      h("p", { class: "ask-quote" }, text),
      h(
        "div",
        { class: "ask-buttons" },
        h("button", { value: "no", class: "button" }, no),
        h("button", { value: "yes", class: `button ${bad ? "button-bad" : "button-good"}` }, yes),
      ),
    ),
  );
  document.body.append(dialog);
  dialog.returnValue = "no";
  dialog.showModal();
  dialog.querySelector('[value="yes"]').focus();
  return new Promise((resolve) => {
    dialog.addEventListener(
      "close",
      () => {
        dialog.remove();
        resolve(dialog.returnValue === "yes");
      },
      { once: true },
    );
  });
}
