// The log side: what ATOM captured, what it decided, what it sent, as it happens.

import { follow, read } from "./api.js";
import { anchored, byId, h, icon, reconcile, stayingAtEnd, toast } from "./dom.js";
import { toExact, toWhole } from "./times.js";

const SHOWN_AT_MOST = 300;
const PAGE = 200;
const AWAY =
  "ATOM is restarting. Nothing is lost: what you write is kept and goes across when it is back.";
const NONE = "No ATOM is connected to this sandbox. Chat works; nothing crosses.";

// What the proxy to ATOM answers when it has no answer.
const DOWN = { 502: "away", 503: "none" };

const VERBS = {
  "message.create": "wrote",
  "message.edit": "edited",
  "message.delete": "deleted",
  "message.restore": "restored",
  "reaction.add": "reacted",
  "reaction.remove": "took a reaction back",
  "pin.add": "pinned a message",
  "pin.remove": "took a pin out",
  "member.join": "joined",
  "member.leave": "left",
  "account.link": "linked an account",
  "account.doubt": "doubted an account",
  "account.refused": "did not take an account for somebody's",
  "directory.change": "changed the directory",
  "directory.frozen": "held changes of the directory back",
  "directory.decide": "decided on changes of the directory",
  "directory.incomplete": "could not read the directory to its end",
  "directory.grace": "lets a mover keep for some days what they left, or no longer",
  "admin.command": "ran a command",
  "app.install": "installed ATOM",
  "app.uninstall": "removed ATOM",
  "conflict": "said something else under the same id",
  "conv.archive": "archived a channel",
  "conv.change": "changed a channel",
  "conv.delete": "deleted a channel",
  "conv.rename": "renamed a channel",
  "conv.restore": "brought a channel back",
  "conv.unarchive": "opened a channel again",
  "conv.visibility": "let others read a channel",
  "admin.dead_letter": "decided on dead letters",
  "card.action": "pressed a button",
  other: "did something else",
  "bridge.delivered": "copy delivered",
  "bridge.edit_applied": "copy edited",
  "bridge.delete_applied": "copy removed",
  "bridge.reactions_applied": "reactions shown",
  "bridge.file_copied": "file delivered",
  "bridge.file_removed": "file removed",
  "bridge.dropped": "not sent",
  "bridge.failed": "given up",
  "bridge.parked": "parked for a person",
  "bridge.link": "changed a link",
  "bridge.notice": "told its author",
  "bridge.file_shown": "said what became of a file",
  "bridge.file_linked": "file stays where it is",
  "bridge.file_blocked": "file not allowed here",
  "bridge.file_refused": "file refused",
  "bridge.file_failed": "file could not be copied",
  "bridge.file_ignored": "file left alone",
  "bridge.late_root": "brings a root along",
  "bridge.file_applied": "file dealt with",
  "history.post": "brought across what was said before",
  "user.profile": "changed their profile",
  "user.deactivate": "closed an account",
  "conv.create": "made a channel",
  "file.share": "file on record",
  "file.update": "file changed",
  "file.delete": "file gone",
  "policy.decision": "decided",
  "dlp.finding": "found something to protect",
  "dlp.action": "protected something",
  "record.view": "looked at a business record",
  "record.show": "showed a business record",
  "record.intent": "is about to change a business record",
  "record.update": "changed a business record",
  "record.create": "made a business record",
  "record.approve": "approved or rejected",
  "record.failed": "could not change a business record",
  "record.denied": "was refused a business record",
  "record.find": "searched business systems",
  "record.follow": "follows business records",
  "record.unfollow": "stopped following business records",
  "record.told": "was told of changes",
  "record.unretracted": "could not take back",
  "record.notice": "told why nothing is shown",
  "record.left": "told of an act that was cut short",
  "record.orphan": "found an approval of somebody who left",
  "record.reroute": "told of an approval of somebody who left",
  "record.remark": "showed what was said on a record",
  "record.heard": "heard from a business system",
  "record.connect": "connected an account",
  "record.disconnect": "disconnected an account",
  "admin.config": "changed a setting or a right",
  "admin.housekeeping": "tidied up",
  "admin.intent": "is about to change a workspace",
  "admin.outcome": "changed a workspace",
  "member.report": "found people against the policy",
  "run.plan": "worked out what becomes of somebody",
  "run.agree": "let a run about somebody be done",
  "run.refuse": "refused a run about somebody",
  "run.step": "did a step of a run",
  "run.revert": "had a run taken back",
  "run.end": "ended a run",
  "access.refused": "was refused the record",
  "approval.ask": "asked for a second person",
  "approval.agree": "agreed as the second person",
  "approval.refuse": "refused as the second person",
  "approval.spend": "used an approval up",
  "search.run": "searched the record",
  "item.view": "looked at the record",
  "export.create": "exported from the record",
  "export.download": "took an export",
  "export.custody": "handed an export over",
  "hold.create": "began a legal hold",
  "hold.scope": "widened a legal hold",
  "hold.release": "released a legal hold",
  "retention.apply": "changed how long is kept",
  "retention.dispose": "let go of what was due",
  "erasure.request": "asked for an erasure",
  "erasure.defer": "erasure waits",
  "erasure.late": "came late of an erasure",
  "erasure.shred": "destroyed keys",
  "import.run": "took an export in",
  "subject.request": "asked for what is theirs",
  "subject.extend": "gave a request more time",
  "subject.access": "gave somebody what is kept about them",
  "subject.portability": "gave somebody their data",
  "subject.restrict": "restricted what is kept",
  "subject.unrestrict": "took a restriction back",
  "subject.notice": "told a platform of an erasure",
  "processing.record": "wrote the records of processing",
  "assessment.open": "opened an impact assessment",
  "assessment.close": "closed an impact assessment",
  "key.rotate": "replaced a key",
  "key.destroy": "destroyed a key",
  "log.restored": "went on after a backup was restored",
  "member.chose": "left by their own choice",
  "member.kept": "was let in or taken out, by policy",
  "policy.publish": "put a policy into force",
  "run.agree": "agreed to a run",
  "run.end": "ended a run",
  "run.plan": "planned what becomes of somebody",
  "run.refuse": "refused a run",
  "run.revert": "took a run back",
  "run.step": "took a step of a run",
  "recon.attest": "compared with the platform",
  "gap.detected": "found a gap",
  "gap.filled": "closed a gap",
  "clock.step": "noticed the clock jump",
  "grid.audit": "heard from Slack's audit log",
  "grid.hold": "heard of a hold in Slack",
};
const LISTED = "listed who can read here";
const DONE = {
  "bridge.delivered": "in",
  "bridge.edit_applied": "edited in",
  "bridge.delete_applied": "removed in",
  "bridge.reactions_applied": "reactions shown in",
  "bridge.file_copied": "file in",
  "bridge.file_removed": "file removed in",
};
// What tells of a copy without ending it.
const REMARKS = new Set(["bridge.notice", "bridge.file_shown", "bridge.file_linked"]);
const PLATFORMS = { slack: "Slack", teams: "Teams", atom: "ATOM" };

/** The column. `onLinks` and `onHealth` hear of what it learns. */
export class LogSide {
  entries = new Map();
  size = 0;
  root = "";
  last = -1;

  constructor({ nameOf, personOf, onLinks, onHealth, onNews }) {
    Object.assign(this, { nameOf, personOf, onLinks, onHealth, onNews });
    anchored(byId("log-entries"));
    byId("log-root").addEventListener("click", () => this.copyRoot());
  }

  start() {
    follow({
      address: () => `/sandbox/log/changes?after=${this.last}`,
      onOpen: () => this.healthy("live"),
      onData: (page) => this.take(page),
      onDown: (error) => error && this.healthy(DOWN[error.status] ?? "lost"),
      before: () => this.catchUp(),
    });
  }

  /**
   * Before the stream: what is new. At first that is the beginning, where the links
   * are, and the newest. A log shorter than before is another one: the demo began anew.
   */
  async catchUp() {
    let page = await read(`/sandbox/log?after=${this.last}`);
    if (page.size < this.size) {
      this.forget();
      page = await read("/sandbox/log?after=-1");
    }
    this.take(page);
    if (page.size > this.last + PAGE) {
      this.take(await read(`/sandbox/log?after=${page.size - PAGE - 1}`));
    }
  }

  healthy(state) {
    const words = {
      away: AWAY,
      none: NONE,
      lost: "The sandbox does not answer. Is it still running?",
    }[state];
    const place = byId("log-away");
    place.hidden = !words;
    if (place.textContent !== (words ?? "")) place.textContent = words ?? "";
    byId("log-live").hidden = state !== "live";
    byId("log").dataset.state = state;
    this.onHealth(state);
  }

  take(page) {
    const fresh = page.entries.filter((entry) => !this.entries.has(entry.seq));
    for (const entry of page.entries) {
      this.entries.set(entry.seq, entry);
      this.last = Math.max(this.last, entry.seq);
      const done = entry.origin != null && this.entries.get(entry.origin);
      if (done && entry.type.startsWith("bridge.") && !REMARKS.has(entry.type))
        done.copies = { ...done.copies, [entry.seq]: entry };
    }
    if (page.size >= this.size) Object.assign(this, { size: page.size, root: page.root });
    if (fresh.some((entry) => entry.type === "bridge.link"))
      this.onLinks(linksIn([...this.entries.values()]));
    this.draw();
    if (fresh.length) this.onNews();
  }

  forget() {
    this.entries.clear();
    Object.assign(this, { size: 0, root: "", last: -1 });
  }

  draw() {
    this.drawHead();
    const list = byId("log-entries");
    const shown = [...this.entries.values()]
      .sort((a, b) => a.seq - b.seq)
      .slice(-SHOWN_AT_MOST);
    const items = shown.map((entry) => ({
      key: String(entry.seq),
      sign: JSON.stringify([entry, this.place(entry), this.personOf(entry)]),
      build: () => this.build(entry),
    }));
    stayingAtEnd(list, () => reconcile(list, items), list.dataset.filled !== "yes");
  }

  drawHead() {
    const root = byId("log-root");
    byId("log-size").textContent = String(this.size);
    if (!this.root || root.dataset.root === this.root) return;
    root.dataset.root = this.root;
    root.disabled = false;
    root.replaceChildren(
      h("span", { class: "hash-new" }, `${this.root.slice(0, 8)}…${this.root.slice(-6)}`),
    );
  }

  build(entry) {
    const verb = verbOf(entry);
    const words =
      entry.text && !DONE[entry.type] && entry.type !== "bridge.link" ? entry.text : "";
    return h(
      "article",
      {
        class: "entry",
        data: {
          platform: entry.platform,
          type: entry.type,
          group: entry.type.split(".")[0],
        },
        "aria-label": `Entry ${entry.seq}`,
      },
      h("span", { class: "entry-dot", title: PLATFORMS[entry.platform] ?? entry.platform }),
      h(
        "div",
        { class: "entry-words" },
        h(
          "p",
          { class: "entry-line" },
          DONE[entry.type]
            ? null
            : h("span", { class: "entry-who" }, this.personOf(entry) || "ATOM"),
          h("span", { class: "entry-verb" }, verb),
          h("span", { class: "entry-seq" }, `#${entry.seq}`),
        ),
        words && h("p", { class: "entry-text" }, words),
        h("p", { class: "chips" }, ...this.chips(entry)),
        h(
          "p",
          { class: "entry-small" },
          h(
            "time",
            { title: toWhole(Date.parse(entry.at)) },
            toExact(Date.parse(entry.at)),
          ),
          h(
            "span",
            { class: "leaf", title: `Leaf hash ${entry.leaf}` },
            entry.leaf.slice(0, 8),
          ),
        ),
      ),
    );
  }

  chips(entry) {
    const out = [];
    const place = this.place(entry);
    if (place && entry.type !== "bridge.link")
      out.push(h("span", { class: `chip chip-${entry.platform}` }, place));
    if (entry.origin != null) out.push(h("span", { class: "chip" }, `of #${entry.origin}`));
    if (entry.decision) out.push(decided(entry.decision));
    if (entry.reason) out.push(h("span", { class: "chip chip-bad" }, entry.reason));
    for (const copy of Object.values(entry.copies ?? {})) {
      const done = DONE[copy.type];
      out.push(
        h(
          "span",
          { class: done ? "chip chip-good" : "chip chip-bad" },
          ...(done ? [icon("check")] : []),
          `${done ?? "not sent to"} ${PLATFORMS[copy.platform]}`,
        ),
      );
    }
    return out;
  }

  place(entry) {
    return entry.channel ? this.nameOf(entry.channel) : "";
  }

  async copyRoot() {
    try {
      await navigator.clipboard.writeText(this.root);
      byId("log-root").dataset.copied = "yes";
      setTimeout(() => delete byId("log-root").dataset.copied, 1200);
    } catch {
      toast(`The root is ${this.root}`);
    }
  }
}

function decided({ allowed, rule, policy }) {
  const tip = `Rule: ${rule}. Policy ${policy}`;
  return h(
    "span",
    { class: allowed ? "chip chip-good" : "chip chip-bad", title: tip },
    ...(allowed ? [icon("check")] : []),
    `${allowed ? "allowed" : "denied"} · ${rule.split(":")[0]}`,
  );
}

const CHANGE = /^(\w+) (?=.*\b(?:slack|teams):)/u;
const ADDRESS = /\b(?:slack|teams):[^\s,]+/gu;

function verbOf(entry) {
  if (entry.type === "bridge.link") return linkVerb(entry);
  // Nobody came: ATOM looked who is there, so that it is known who could read what.
  if (entry.type === "member.join" && entry.platform === "atom") return LISTED;
  return VERBS[entry.type] ?? entry.type;
}

function linkVerb(entry) {
  const words = {
    linked: "linked channels",
    options: "changed a link's options",
    removed: "unlinked",
    paused: "paused a link",
    active: "resumed a link",
  };
  return words[CHANGE.exec(entry.text)?.[1]] ?? VERBS["bridge.link"];
}

/** What is linked with what, by what the log tells of links: the newest word counts. */
function linksIn(entries) {
  const channels = new Map(); // by link
  for (const entry of entries.sort((a, b) => a.seq - b.seq)) {
    const change = entry.type === "bridge.link" && CHANGE.exec(entry.text);
    if (!change) continue;
    const all = change[1] === "removed" ? [] : (entry.text.match(ADDRESS) ?? []);
    channels.set(entry.link, all);
  }
  const links = new Map();
  for (const all of channels.values())
    for (const one of all)
      links.set(one, [...(links.get(one) ?? []), ...all.filter((each) => each !== one)]);
  return links;
}
