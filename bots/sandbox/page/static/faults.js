// The panel with which a visitor breaks things, to watch ATOM recover.

import { change, read } from "./api.js";
import { byId, h, toast } from "./dom.js";

const FOREVER = 1e9;
const PAUSE = 3; // seconds that a throttled caller is told to wait
const SWITCHES = [
  {
    name: "teams-429",
    label: "Teams answers 429",
    hint: "Too many requests: copies into Teams wait, and keep their order.",
    rules: ["post", "reply", "update", "delete"].map((call) => ({
      on: `teams.${call}`,
      fault: "429",
      retry_after: PAUSE,
    })),
  },
  {
    name: "slack-429",
    label: "Slack answers 429",
    hint: "The same the other way round.",
    rules: [{ on: "slack.chat.*", fault: "429", retry_after: PAUSE }],
  },
  {
    name: "teams-lost",
    label: "Teams’ answers get lost",
    hint: "The message stands there, but ATOM is not told. It looks it up and never posts twice.",
    rules: ["post", "reply"].map((call) => ({
      on: `teams.${call}`,
      fault: "reset_after",
    })),
  },
  {
    name: "slack-lost",
    label: "Slack’s answers get lost",
    hint: "The same in Slack, where ATOM’s mark on the message is found.",
    rules: [{ on: "slack.chat.postMessage", fault: "reset_after" }],
  },
  {
    name: "twice",
    label: "Events arrive twice",
    hint: "Both platforms deliver everything twice. One copy appears.",
    rules: ["slack.deliver", "teams.deliver"].map((on) => ({ on, fault: "duplicate" })),
  },
  {
    name: "slow",
    label: "The network is slow",
    hint: "Every call takes two seconds longer.",
    rules: ["slack.chat.*", "teams.post", "teams.reply"].map((on) => ({
      on,
      fault: "delay",
      seconds: 2,
    })),
  },
];
const WATCH = 700; // milliseconds between two looks at what waits

/** A rule of ours is known by what it says: any tab may have set it. */
const said = (rule) => [rule.on, rule.fault, rule.retry_after ?? 1, rule.seconds ?? 1].join();

export class FaultPanel {
  standing = []; // the rules in force
  waiting = 0;
  health = "wait";

  constructor() {
    this.button = byId("faults-open");
    this.panel = byId("faults");
    this.killer = byId("faults-kill");
    byId("faults-list").append(...SWITCHES.map(this.row));
    this.button.addEventListener("click", () => this.open(this.panel.hidden));
    byId("faults-close").addEventListener("click", () => this.open(false));
    byId("faults-clear").addEventListener("click", this.clear);
    this.killer.addEventListener("click", this.kill);
    document.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !this.panel.contains(document.activeElement)) return;
      this.open(false);
    });
    this.watch();
  }

  row = ({ name, label, hint }) =>
    h(
      "li",
      {},
      h(
        "button",
        {
          type: "button",
          role: "switch",
          class: "switch",
          "aria-checked": "false",
          "aria-describedby": `hint-${name}`,
          data: { fault: name },
          on: { click: () => this.toggle(name) },
        },
        h("span", { class: "switch-knob", "aria-hidden": "true" }),
        label,
      ),
      h("p", { class: "switch-hint", id: `hint-${name}` }, hint),
    );

  open = (wanted) => {
    this.panel.hidden = !wanted;
    this.button.setAttribute("aria-expanded", String(wanted));
    if (wanted) this.panel.querySelector("[role=switch]").focus();
    else this.button.focus();
    if (wanted) this.look();
  };

  /** What stands, by the sandbox's own word: another tab may have changed it. */
  refresh = async () => {
    try {
      this.standing = await read("/sandbox/faults");
    } catch {
      return; // the page says elsewhere that the sandbox is gone
    }
    this.draw();
  };

  isOn = ({ rules }) =>
    rules.every((rule) => this.standing.some((one) => said(one) === said(rule)));

  toggle = async (name) => {
    const wanted = SWITCHES.find((one) => one.name === name);
    try {
      if (this.isOn(wanted)) {
        const meant = new Set(wanted.rules.map(said));
        const ours = this.standing.filter((one) => meant.has(said(one)));
        for (const { id } of ours) await change("DELETE", `/sandbox/faults/${id}`);
      } else
        for (const rule of wanted.rules)
          await change("POST", "/sandbox/faults", { ...rule, times: FOREVER });
    } catch (error) {
      toast(`The sandbox says: ${error.message}`);
    }
    await this.refresh();
  };

  clear = async () => {
    await change("DELETE", "/sandbox/faults").catch((error) => toast(error.message));
    await this.refresh();
  };

  kill = async () => {
    try {
      await change("POST", "/sandbox/atom/kill");
      this.killer.dataset.killed = "yes";
      setTimeout(() => delete this.killer.dataset.killed, 1500);
    } catch (error) {
      toast(error.message);
    }
  };

  /** The header says whether ATOM runs; while it does not, it cannot be killed. */
  atomIs = (state) => {
    this.health = state;
    this.killer.disabled = state !== "live";
  };

  watch = async () => {
    const on = SWITCHES.some(this.isOn);
    if (!document.hidden && (on || !this.panel.hidden || this.waiting > 0))
      await this.look();
    setTimeout(this.watch, WATCH);
  };

  look = async () => {
    try {
      const { waiting, can_kill: can } = await read("/sandbox/atom");
      this.killer.hidden = !can;
      this.waiting = waiting ?? 0;
      this.draw(waiting === null);
    } catch {
      this.draw(true);
    }
  };

  draw = (away = false) => {
    const on = SWITCHES.filter(this.isOn);
    for (const one of SWITCHES)
      this.panel
        .querySelector(`[data-fault="${one.name}"]`)
        .setAttribute("aria-checked", String(on.includes(one)));
    this.button.dataset.on = on.length ? "yes" : "no";
    byId("faults-count").textContent = on.length ? String(on.length) : "";
    byId("faults-clear").hidden = !on.length;
    const words = away
      ? "ATOM does not answer now; what is said meanwhile is caught up"
      : `${this.waiting || "Nothing"} ${this.waiting === 1 ? "copy waits" : this.waiting ? "copies wait" : "waits"}`;
    if (byId("faults-waiting").textContent !== words)
      byId("faults-waiting").textContent = words;
  };
}
