// The inputs of Adaptive Cards: how they look, and what was entered in them.

import { h } from "./dom.js";

let number = 0;

export const INPUTS = {
  "Input.Text": (item) =>
    field(item, item.isMultiline ? area(item) : text(item, { pattern: item.regex })),
  "Input.Number": (item) =>
    field(item, text(item, { type: "number", step: "any", min: item.min, max: item.max })),
  "Input.Date": (item) => field(item, text(item, { type: "date" })),
  "Input.Toggle": (item) =>
    field(
      item,
      boxes(item, [{ title: item.title, value: item.valueOn ?? "true" }], "checkbox"),
    ),
  "Input.ChoiceSet": (item) => field(item, choices(item)),
};

/** What is entered in a card, by input id; null if something needed is missing. */
export function entered(card) {
  const said = {};
  for (const control of card.querySelectorAll(":scope .field :is(input, select, textarea)"))
    if (!control.reportValidity()) return null;
  for (const frame of card.querySelectorAll("[data-input]")) {
    const { input, off } = frame.dataset;
    const boxes = [...frame.querySelectorAll(":is([type=checkbox], [type=radio])")];
    const on = boxes.filter((box) => box.checked).map((box) => box.value);
    if (!boxes.length) said[input] = frame.querySelector("input, select, textarea").value;
    else said[input] = on.length ? on.join(",") : (off ?? "");
  }
  return said;
}

function field(item, control) {
  number += 1;
  const id = `input-${number}`;
  const single = control.matches("input, select, textarea");
  if (single) {
    control.id = id;
    control.required = Boolean(item.isRequired);
    if (item.errorMessage) control.title = item.errorMessage;
  }
  const off = item.type === "Input.Toggle" ? (item.valueOff ?? "false") : "";
  return h(
    single ? "div" : "fieldset",
    { class: "field", data: { input: item.id, ...(off ? { off } : {}) } },
    item.label &&
      h(
        single ? "label" : "legend",
        { for: single ? id : null },
        item.label,
        item.isRequired && h("span", { class: "field-needed" }, " *"),
      ),
    control,
  );
}

function text(item, { type = "text", ...more } = {}) {
  const made = h("input", {
    type,
    maxlength: item.maxLength,
    placeholder: item.placeholder,
    ...more,
  });
  made.value = item.value ?? "";
  return made;
}

const area = (item) =>
  h("textarea", { rows: 4, maxlength: item.maxLength }, item.value ?? "");

function choices(item) {
  if (item.isMultiSelect) return boxes(item, item.choices, "checkbox");
  if (item.style === "expanded") return boxes(item, item.choices, "radio");
  return h(
    "select",
    {},
    h("option", { value: "" }, item.placeholder ?? "Choose…"),
    ...item.choices.map((one) =>
      h("option", { value: one.value, selected: one.value === item.value }, one.title),
    ),
  );
}

function boxes(item, listed, type) {
  const on = new Set(String(item.value ?? "").split(","));
  number += 1;
  const name = `boxes-${number}`;
  return h(
    "div",
    { class: "field-boxes" },
    ...listed.map((one) =>
      h(
        "label",
        {},
        h("input", { type, name, value: one.value, checked: on.has(one.value) }),
        one.title,
      ),
    ),
  );
}
