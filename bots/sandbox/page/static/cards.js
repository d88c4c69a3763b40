// Adaptive Cards as page elements: the parts that ATOM's answers are made of.

import { INPUTS, entered } from "./card_inputs.js";
import { h } from "./dom.js";
import { anchor } from "./mrkdwn.js";

const ADAPTIVE = "application/vnd.microsoft.card.adaptive";

export const isCard = (attachment) => attachment.contentType === ADAPTIVE;

/** One card. `invoke` is called with a clicked button's action and what was entered. */
export function card(body, invoke) {
  const actions = body.actions?.length
    ? [{ type: "ActionSet", actions: body.actions }]
    : [];
  return h("div", { class: "card" }, ...parts([...(body.body ?? []), ...actions], invoke));
}

function parts(items, invoke) {
  return (items ?? [])
    .filter((item) => item.isVisible !== false)
    .map((item) => (PARTS[item.type] ?? unknown)(item, invoke));
}

const unknown = (item) =>
  h("p", { class: "ac-subtle" }, item.fallback?.text ?? `[${item.type}]`);

const PARTS = {
  ...INPUTS,
  TextBlock: (item) =>
    h(
      "p",
      {
        class: look(item),
        role: item.style === "heading" ? "heading" : null,
        "aria-level": item.style === "heading" ? "4" : null,
      },
      ...words(item.text ?? ""),
    ),
  RichTextBlock: (item) =>
    h(
      "p",
      {},
      ...(item.inlines ?? []).map((run) =>
        typeof run === "string" ? run : h("span", { class: look(run) }, run.text),
      ),
    ),
  FactSet: (item) =>
    h(
      "dl",
      { class: "ac-facts" },
      ...item.facts.flatMap((fact) => [
        h("dt", {}, ...words(fact.title)),
        h("dd", {}, ...words(fact.value)),
      ]),
    ),
  ColumnSet: (item, invoke) =>
    h("div", { class: "ac-columns" }, ...item.columns.map((one) => column(one, invoke))),
  Container: (item, invoke) =>
    h(
      "div",
      { class: `ac-container ac-is-${item.style ?? "default"}` },
      ...parts(item.items, invoke),
    ),
  Image: (item) => h("span", { class: "ac-subtle" }, item.altText ?? ""),
  ActionSet: (item, invoke) =>
    h(
      "div",
      { class: "ac-actions" },
      ...item.actions.map((action) => button(action, invoke)),
    ),
};

function column(item, invoke) {
  const made = h(
    "div",
    { class: item.width === "auto" ? "ac-auto" : "ac-stretch" },
    ...parts(item.items, invoke),
  );
  if (Number(item.width) > 0) made.style.flexGrow = item.width;
  return made;
}

function button(action, invoke) {
  if (action.type === "Action.OpenUrl") return anchor(action.url, action.title);
  if (action.type === "Action.ShowCard") return unfolding(action, invoke);
  const tone = TONES[action.style] ?? "";
  return h(
    "button",
    {
      type: "button",
      class: `button${tone}`,
      disabled: !invoke,
      on: { click: (event) => press(event.currentTarget, action, invoke) },
    },
    action.title,
  );
}

function press(pressed, action, invoke) {
  const whole = pressed.closest(".card");
  const said = action.associatedInputs === "none" ? {} : entered(whole);
  if (said) invoke?.(action, said);
}

/** A button that shows more of the card below it. */
function unfolding(action, invoke) {
  const inner = h(
    "div",
    { class: "ac-unfolded", hidden: true },
    ...parts(
      [...(action.card.body ?? []), { type: "ActionSet", actions: action.card.actions ?? [] }],
      invoke,
    ),
  );
  const toggle = (event) => {
    inner.hidden = !inner.hidden;
    event.currentTarget.setAttribute("aria-expanded", String(!inner.hidden));
    if (!inner.hidden) inner.querySelector("button")?.focus();
  };
  return [
    h(
      "button",
      {
        type: "button",
        class: `button${TONES[action.style] ?? ""}`,
        disabled: !invoke,
        "aria-expanded": "false",
        on: { click: toggle },
      },
      action.title,
    ),
    inner,
  ];
}

const TONES = { destructive: " button-bad", positive: " button-good" };

function look(item) {
  const size = item.size && item.size !== "Default" ? ` ac-${item.size.toLowerCase()}` : "";
  const bold = /bolder/i.test(item.weight ?? "") ? " ac-bold" : "";
  const subtle = item.isSubtle ? " ac-subtle" : "";
  const colour =
    item.color && !/default/i.test(item.color) ? ` ac-${item.color.toLowerCase()}` : "";
  const mono = /monospace/i.test(item.fontType ?? "") ? " ac-mono" : "";
  return `ac-text${size}${bold}${subtle}${colour}${mono}`;
}

const MARKED =
  /\*\*([^*\n]+)\*\*|`([^`\n]+)`|\[([^\]\n]*)\]\(([^()\s]*(?:\([^()\s]*\))?[^()\s]*)\)|(?<!\w)_([^_\n]+)_(?!\w)|\\([\\`*_{}[\]()#+\-.!~|<>])|(\n)/u;

/** The little markdown that cards know. */
function words(text) {
  const out = [];
  let rest = String(text);
  for (let match = MARKED.exec(rest); match; match = MARKED.exec(rest)) {
    const [all, bold, code, label, url, italic, escaped, newline] = match;
    out.push(rest.slice(0, match.index));
    if (bold != null) out.push(h("strong", {}, ...words(bold)));
    else if (code != null) out.push(h("code", {}, code));
    else if (url != null) out.push(anchor(url, label));
    else if (italic != null) out.push(h("em", {}, ...words(italic)));
    else if (escaped != null) out.push(escaped);
    else if (newline) out.push(h("br"));
    rest = rest.slice(match.index + all.length);
  }
  return [...out, rest];
}
