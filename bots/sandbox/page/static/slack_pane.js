// The pane at the side of Slack that shows the chosen person a Work Object.

import { byId, h } from "./dom.js";

const TONES = { danger: " button-bad", primary: " button-good" };

/** Every object that stands with a message, under its links included. */
export function objectsOf(message) {
  const under = (message.attachments ?? []).map((one) => one.entity);
  return [...(message.metadata?.entities ?? []), ...under].filter(Boolean);
}

/** Draws the chosen person's pane; `side` is the Slack window. */
export class SlackPane {
  constructor(side) {
    this.side = side;
    this.from = null;
    byId("slack-pane-close").addEventListener("click", this.close);
    byId("slack-pane-refresh").addEventListener("click", () =>
      this.side.attempt({ action: "refresh_entity" }),
    );
    byId("slack-pane").addEventListener(
      "keydown",
      (event) => event.key === "Escape" && this.close(),
    );
  }

  /** The line by which an object of a message is opened. */
  opener = (message, entity) => {
    const { attributes } = entity.entity_payload;
    const kind = [attributes.product_name, attributes.display_type].filter(Boolean);
    return h(
      "div",
      { class: "object" },
      h(
        "button",
        {
          type: "button",
          class: "object-title",
          title: "Open at the side",
          on: { click: (event) => this.open(message, entity, event.currentTarget) },
        },
        attributes.title.text,
      ),
      h("small", {}, kind.join(" · ")),
    );
  };

  open(message, entity, from) {
    this.from = from;
    this.side.attempt({
      action: "open_entity",
      channel: this.side.view.channel,
      ts: message.ts,
      entity: entity.external_ref.id,
    });
  }

  close = () => {
    this.side.attempt({ action: "close_entity" });
    if (this.from?.isConnected) this.from.focus();
  };

  pane() {
    return (this.side.workspace.flexpanes ?? []).find(
      (one) => one.user === this.side.view.me && one.channel === this.side.view.channel,
    );
  }

  draw() {
    const place = byId("slack-pane");
    const pane = this.pane();
    const sign = pane ? JSON.stringify(pane) : "";
    if (place.dataset.sign === sign) return;
    const opened = place.hidden && pane;
    place.dataset.sign = sign;
    place.hidden = !pane;
    if (!pane) return;
    const shown = pane.shown ?? pane.entity;
    const { attributes } = shown.entity_payload;
    byId("slack-pane-title").textContent = attributes.title.text;
    byId("slack-pane-body").replaceChildren(...this.body(pane));
    if (opened) byId("slack-pane-close").focus();
  }

  body(pane) {
    if (pane.status === "asked") return [h("p", { class: "pane-said" }, "Loading…")];
    if (pane.status === "auth")
      return [
        h("p", { class: "pane-said" }, "Connect your account to see the details."),
        h(
          "a",
          { class: "button", href: pane.auth_url, target: "_blank", rel: "noreferrer" },
          "Connect",
        ),
      ];
    if (pane.status === "error")
      return [
        h("p", { class: "bk-header" }, pane.error.custom_title ?? pane.error.status),
        h("p", { class: "pane-said" }, pane.error.custom_message ?? ""),
      ];
    return this.details(pane.shown);
  }

  details(entity) {
    const { attributes, custom_fields: fields, actions } = entity.entity_payload;
    const kind = [attributes.product_name, attributes.display_type, attributes.display_id];
    const buttons = [
      ...(actions?.primary_actions ?? []),
      ...(actions?.overflow_actions ?? []),
    ];
    return [
      h("p", { class: "bk-context" }, kind.filter(Boolean).join(" · ")),
      h(
        "dl",
        { class: "pane-fields" },
        ...(fields ?? []).map((one) =>
          h("div", {}, h("dt", {}, one.label), h("dd", {}, one.value)),
        ),
      ),
      h("div", { class: "bk-actions" }, ...buttons.map((one) => this.button(one))),
    ];
  }

  button(action) {
    return h(
      "button",
      {
        type: "button",
        class: `button${TONES[action.style] ?? ""}`,
        on: { click: () => this.press(action) },
      },
      action.text,
    );
  }

  press(action) {
    this.side.use({ action: "click_entity", value: action.value ?? action.action_id });
  }
}
