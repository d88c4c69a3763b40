// The modal that an app has opened for the chosen person, with its inputs.

import { content } from "./blocks.js";
import { byId, h, toast } from "./dom.js";
import { Sheet } from "./sheet.js";

/** Draws the topmost of a person's views; `side` is the Slack window. */
export class SlackModal {
  drawn = "";
  entering = Promise.resolve(); // what is entered reaches the sandbox in order

  constructor(side) {
    this.side = side;
    this.sheet = new Sheet(byId("slack").querySelector(".client-body"), this.close);
  }

  /** The view on top: the one that none was pushed upon. */
  view() {
    const mine = (this.side.workspace.views ?? []).filter(
      (one) => one.type === "modal" && one.user === this.side.view.me,
    );
    const below = new Set(mine.map((one) => one.previous_view_id));
    return mine.findLast((one) => !below.has(one.id));
  }

  draw() {
    const view = this.view();
    const sign = view ? JSON.stringify([view.id, view.hash, view.errors]) : "";
    if (sign === this.drawn) return;
    this.drawn = sign;
    if (!view) {
      this.sheet.hide();
      return;
    }
    this.sheet.show({
      title: view.title.text,
      body: view.blocks.flatMap((block) => this.block(view, block)),
      buttons: [
        h(
          "button",
          { type: "button", class: "button", on: { click: this.close } },
          view.close?.text ?? "Close",
        ),
        view.submit &&
          h("button", { type: "submit", class: "button button-good" }, view.submit.text),
      ].filter(Boolean),
      submit: view.submit ? () => this.submit(view) : null,
    });
  }

  block(view, block) {
    if (block.type !== "input")
      return content({ blocks: [block] }, this.side.names(), (button) =>
        this.press(view, button),
      );
    const { element } = block;
    const id = `${view.id}-${block.block_id}`;
    const standing = view.state.values[block.block_id]?.[element.action_id] ?? {};
    const error = view.errors?.[block.block_id];
    const control = (CONTROLS[element.type] ?? line)(element, standing, (entered) =>
      this.enter(view, block, entered),
    );
    const labelled = control.matches("input, select, textarea");
    if (labelled) control.id = id;
    const target = labelled ? control : null;
    if (target && !block.optional) target.required = true;
    if (error) control.setAttribute("aria-invalid", "true");
    if (error || block.hint) control.setAttribute("aria-describedby", `${id}-said`);
    return [
      h(
        labelled ? "div" : "fieldset",
        { class: "field", data: { block: block.block_id } },
        h(
          labelled ? "label" : "legend",
          { for: labelled ? id : null },
          block.label.text,
          block.optional && h("small", {}, " (optional)"),
        ),
        control,
        (error || block.hint) &&
          h(
            "p",
            { id: `${id}-said`, class: error ? "field-wrong" : "field-hint" },
            error || block.hint.text,
          ),
      ),
    ];
  }

  enter(view, block, entered) {
    this.entering = this.entering
      .then(() =>
        this.side.perform({
          action: "enter",
          view: view.id,
          block_id: block.block_id,
          action_id: block.element.action_id,
          entered,
        }),
      )
      .catch((error) => toast(`Slack says: ${error.message}`));
  }

  press = (view, button) =>
    this.side
      .perform({
        action: "press",
        view: view.id,
        block_id: button.block_id,
        action_id: button.action_id,
        value: button.value,
      })
      .then(this.side.answered)
      .catch((error) => toast(`Slack says: ${error.message}`));

  submit = async (view) => {
    await this.entering;
    await this.side
      .perform({ action: "submit", view: view.id })
      .then(this.side.answered)
      .catch((error) =>
        toast(
          error.message === "please_complete"
            ? "Fill in what is needed first."
            : `Slack says: ${error.message}`,
        ),
      );
  };

  close = () => {
    const view = this.view();
    if (view) this.side.attempt({ action: "close_view", view: view.id });
  };
}

function line(element, standing, entered) {
  const value = standing.value ?? "";
  const listen = { change: (event) => entered({ value: event.target.value }) };
  if (element.multiline)
    return h(
      "textarea",
      { rows: 4, maxlength: element.max_length, on: listen },
      value,
    );
  const made = h("input", { type: "text", maxlength: element.max_length, on: listen });
  made.value = value;
  return made;
}

function number(element, standing, entered) {
  const made = line(element, standing, entered);
  Object.assign(made, { type: "number", step: element.is_decimal_allowed ? "any" : "1" });
  made.value = standing.value ?? "";
  return made;
}

function day(_element, standing, entered) {
  const made = h("input", {
    type: "date",
    on: { change: (event) => entered({ selected_date: event.target.value }) },
  });
  made.value = standing.selected_date ?? "";
  return made;
}

const optionsOf = (element) =>
  element.options ?? (element.option_groups ?? []).flatMap((group) => group.options);

function select(element, standing, entered) {
  const chosen = standing.selected_option?.value;
  const item = (option) =>
    h("option", { value: option.value, selected: option.value === chosen }, option.text.text);
  const listed = element.options
    ? element.options.map(item)
    : (element.option_groups ?? []).map((group) =>
        h("optgroup", { label: group.label.text }, ...group.options.map(item)),
      );
  return h(
    "select",
    {
      on: {
        change: (event) =>
          entered({
            selected_option:
              optionsOf(element).find((one) => one.value === event.target.value) ?? null,
          }),
      },
    },
    h("option", { value: "" }, element.placeholder?.text ?? "Choose…"),
    ...listed,
  );
}

/** Boxes, or buttons of which one is chosen. */
function boxes(element, standing, entered) {
  const one = element.type === "radio_buttons";
  const chosen = new Set(
    [standing.selected_option, ...(standing.selected_options ?? [])]
      .filter(Boolean)
      .map((option) => option.value),
  );
  const frame = h("div", { class: "field-boxes" });
  const tell = () => {
    const on = [...frame.querySelectorAll("input:checked")].map((box) => box.value);
    const options = optionsOf(element).filter((option) => on.includes(option.value));
    entered(one ? { selected_option: options[0] ?? null } : { selected_options: options });
  };
  const name = `boxes-${Math.random().toString(36).slice(2)}`;
  frame.append(
    ...optionsOf(element).map((option) =>
      h(
        "label",
        {},
        h("input", {
          type: one ? "radio" : "checkbox",
          name,
          value: option.value,
          checked: chosen.has(option.value),
          on: { change: tell },
        }),
        option.text.text,
      ),
    ),
  );
  return frame;
}

const CONTROLS = {
  plain_text_input: line,
  number_input: number,
  datepicker: day,
  static_select: select,
  multi_static_select: boxes,
  checkboxes: boxes,
  radio_buttons: boxes,
};
