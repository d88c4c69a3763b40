// The panel with which a visitor moves people between groups, as a directory's admin.

import { change, read } from "./api.js";
import { byId, h, reconcile, toast } from "./dom.js";

export class CompanyPanel {
  told = { groups: [], people: [] };

  constructor() {
    this.button = byId("company-open");
    this.panel = byId("company");
    this.list = byId("company-list");
    this.button.addEventListener("click", () => this.open(this.panel.hidden));
    byId("company-close").addEventListener("click", () => this.open(false));
    document.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !this.panel.contains(document.activeElement)) return;
      this.open(false);
    });
  }

  open = (wanted) => {
    this.panel.hidden = !wanted;
    this.button.setAttribute("aria-expanded", String(wanted));
    if (wanted) this.panel.querySelector("button").focus();
    else this.button.focus();
  };

  /** Who is where, by the sandbox's own word: another tab may have moved somebody. */
  refresh = async () => {
    const told = await read("/sandbox/company").catch(() => null);
    if (!told) return; // a sandbox without a company has no panel
    this.told = told;
    this.button.hidden = false;
    this.draw();
  };

  draw = () =>
    reconcile(
      this.list,
      this.told.people.map((one) => ({
        key: one.id,
        sign: JSON.stringify(one),
        build: () => this.row(one),
      })),
    );

  row = (one) =>
    h(
      "li",
      { class: "company-person", data: { person: one.id, away: one.disabled ? "yes" : "no" } },
      h(
        "p",
        { class: "company-name" },
        h("strong", {}, one.name),
        h("small", {}, one.disabled ? "disabled" : one.guest ? "guest" : one.department),
      ),
      h(
        "div",
        { class: "company-groups", role: "group", "aria-label": `Groups of ${one.name}` },
        this.told.groups.map((group) => this.chip(one, group)),
        this.away(one),
      ),
    );

  chip = (one, group) => {
    const inside = one.groups.includes(group.id);
    return h(
      "button",
      {
        type: "button",
        class: "company-chip",
        "aria-pressed": String(inside),
        title: inside ? `Take ${one.name} out of ${group.name}` : `Put ${one.name} into ${group.name}`,
        data: { group: group.id },
        on: { click: () => this.send({ person: one.id, group: group.id, in: !inside }) },
      },
      group.name,
    );
  };

  away = (one) =>
    h(
      "button",
      {
        type: "button",
        class: "company-chip company-away",
        title: one.disabled ? `Let ${one.name} back in` : `Disable ${one.name}'s account`,
        data: { group: "disabled" },
        on: { click: () => this.send({ person: one.id, disabled: !one.disabled }) },
      },
      one.disabled ? "let back in" : "disable",
    );

  send = async (wanted) => {
    const { person, group = "disabled" } = wanted;
    try {
      await change("POST", "/sandbox/company", wanted);
    } catch (error) {
      toast(`The sandbox says: ${error.message}`);
    }
    await this.refresh();
    // The row was built anew: whoever uses the keyboard stays where they were.
    this.list.querySelector(`[data-person="${person}"] [data-group="${group}"]`)?.focus();
  };
}
