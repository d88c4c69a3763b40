// The Slack side: channels, messages, threads, and the composer of the chosen person.

import { act } from "./api.js";
import { fillChannels, fillLinked, readMarks } from "./channels.js";
import { composer } from "./composer.js";
import { isTyped, named, toRichText } from "./document.js";
import { byId, emptied, h, reconcile, stayingAtEnd, toast } from "./dom.js";
import { askToDelete, settle, walkable } from "./feed.js";
import { roomTool } from "./room_tools.js";
import { fillPicker } from "./people.js";
import { SlackDraft } from "./slack_draft.js";
import { SlackMessages } from "./slack_messages.js";
import { SlackModal } from "./slack_modal.js";
import { SlackPane } from "./slack_pane.js";

const HOME = "project-falcon";
const SHOWN_AT_MOST = 200;

/** The window. `links` says with what a channel is linked, by address. */
export class SlackSide {
  marks = readMarks();
  messages = new SlackMessages(this);
  view = { me: "", channel: "", thread: "", editing: "" };
  workspace = null;
  composers = new Map(); // kept, so that what was begun is there when one comes back

  constructor(links, onRoom) {
    this.links = links;
    this.onRoom = onRoom;
    this.modal = new SlackModal(this);
    this.pane = new SlackPane(this);
    this.draft = new SlackDraft(this);
    walkable(byId("slack-messages"));
    walkable(byId("slack-thread-messages"));
    byId("slack-thread-close").addEventListener("click", this.closeThread);
    byId("slack-thread").addEventListener(
      "keydown",
      (event) => event.key === "Escape" && this.closeThread(),
    );
  }

  update(state) {
    this.workspace = state.workspaces[0];
    if (!this.people().some((user) => user.id === this.view.me))
      this.view.me = this.people()[0].id;
    this.draw();
  }

  nameOfChannel(id) {
    const found = this.workspace?.channels.find((one) => one.id === id);
    return found && `#${found.name}`;
  }

  nameOfPerson(id) {
    return (
      this.workspace?.users.find((user) => user.id === id || user.name === id)?.real_name ??
      ""
    );
  }

  people = () => this.workspace.users.filter((user) => !user.is_bot && !user.deleted);
  names = () => ({
    me: this.view.me,
    person: (id) => this.nameOfPerson(id),
    channel: (id) => this.workspace.channels.find((one) => one.id === id)?.name ?? id,
  });
  mentionable = () => {
    const bot = this.workspace.bot && {
      id: this.workspace.bot.user,
      name: this.nameOfPerson(this.workspace.bot.user) || "ATOM",
      app: true,
    };
    return [
      ...this.people().map((user) => ({ id: user.id, name: user.real_name })),
      ...(bot ? [bot] : []),
    ];
  };
  address = (id = this.view.channel) => `slack:${this.workspace?.id}/${id}`;
  here = () => this.workspace.channels.find((one) => one.id === this.view.channel);
  perform = (request) =>
    act("slack", {
      workspace: this.workspace.id,
      user: this.view.me,
      channel: this.view.channel,
      ...request,
    });
  refused = (error) => {
    toast(`Slack says: ${error.message}`);
    throw error;
  };

  attempt = (request) =>
    this.perform(request).catch((error) => toast(`Slack says: ${error.message}`));

  draw = () => {
    if (!this.workspace) return;
    fillPicker(
      byId("slack-people"),
      "slack",
      this.shownPeople(),
      this.view.me,
      this.choosePerson,
    );
    byId("slack-workspace").textContent = this.workspace.name;
    this.drawChannels();
    this.drawRoom();
    this.drawThread();
    this.drawTools();
    this.modal.draw();
    this.pane.draw();
    this.draft.draw(byId("slack-draft"));
  };

  shortcuts = (kind) => (this.workspace.shortcuts ?? []).filter((one) => one.type === kind);
  use = (request) =>
    this.perform(request)
      .then(this.answered)
      .catch((error) => toast(`Slack says: ${error.message}`));

  drawTools = () =>
    reconcile(
      byId("slack-tools"),
      this.shortcuts("global").map((one) =>
        roomTool(one.name, "record", () =>
          this.use({ action: "shortcut", callback_id: one.callback_id }),
        ),
      ),
    );

  shownPeople = () =>
    this.people()
      .slice(0, 4)
      .map((user) => ({ id: user.id, name: user.real_name }));

  drawChannels = () => {
    const mine = this.workspace.channels.filter(
      (one) => one.name && one.members.includes(this.view.me),
    );
    if (!mine.some((one) => one.id === this.view.channel)) {
      this.view.channel = (mine.find((one) => one.name === HOME) ?? mine[0])?.id ?? "";
      this.view.thread = "";
    }
    const listed = mine.map((one) => ({
      id: one.id,
      name: one.name,
      locked: one.is_private,
      fresh: this.marks.fresh(
        one.id,
        one.messages.at(-1)?.ts ?? "",
        one.id === this.view.channel,
      ),
      linked: this.links.of(this.address(one.id)) || "",
    }));
    fillChannels(byId("slack-channels"), listed, this.view.channel, this.chooseChannel);
  };

  drawRoom = () => {
    const channel = this.here();
    if (!channel) return;
    byId("slack-room").textContent = `# ${channel.name}`;
    fillLinked(byId("slack-linked"), this.links.of(this.address()));
    this.onRoom();
    placed(
      byId("slack-composer"),
      this.composerFor(channel.id, `Message #${channel.name}`, ""),
    );

    const shown = [
      ...channel.messages.filter(
        (one) =>
          !one.thread_ts || one.thread_ts === one.ts || one.subtype === "thread_broadcast",
      ),
      ...this.whispers(channel, ""),
    ].sort((a, b) => (a.ts < b.ts ? -1 : 1));
    this.fill(byId("slack-messages"), shown.slice(-SHOWN_AT_MOST), "");
    if (!shown.length)
      byId("slack-messages").replaceChildren(
        nothing(`This is the beginning of #${channel.name}.`),
      );
  };

  drawThread = () => {
    const root = this.here()?.messages.find((one) => one.ts === this.view.thread);
    const pane = byId("slack-thread");
    pane.hidden = !root || (root.deleted && !root.replies.length);
    byId("slack-messages").inert =
      !pane.hidden && getComputedStyle(pane).position === "absolute";
    byId("slack-composer").inert = byId("slack-messages").inert;
    if (pane.hidden) return;
    byId("slack-thread-room").textContent = `# ${this.here().name}`;
    placed(byId("slack-thread-composer"), this.composerFor(root.ts, "Reply…", root.ts));

    const replies = this.here().messages.filter(
      (one) => one.thread_ts === root.ts && one.ts !== root.ts,
    );
    this.fill(
      byId("slack-thread-messages"),
      [root, ...replies, ...this.whispers(this.here(), root.ts)],
      root.ts,
    );
  };

  whispers = (channel, thread) =>
    this.workspace.ephemerals
      .filter(
        (one) =>
          one.channel === channel.id &&
          one.to === this.view.me &&
          (one.thread_ts ?? "") === thread,
      )
      .map((one) => ({ ...one, whispered: true }));

  fill = (list, shown, thread) => {
    const fresh = list.dataset.of !== `${this.view.channel} ${thread}`;
    if (fresh) {
      emptied(list);
      list.dataset.of = `${this.view.channel} ${thread}`;
    }
    if (shown.length) list.querySelector(":scope > .nothing")?.remove();
    stayingAtEnd(
      list,
      () =>
        reconcile(
          list,
          shown.map((one, number) => this.messages.item(one, shown[number - 1], thread)),
        ),
      fresh,
    );
    settle(list);
  };

  composerFor = (place, placeholder, thread) => {
    if (!this.composers.has(place))
      this.composers.set(place, this.newComposer(placeholder, thread));
    return this.composers.get(place);
  };

  newComposer = (placeholder, thread) => {
    const made = composer({
      label: placeholder,
      placeholder,
      people: this.mentionable,
      small: Boolean(thread),
      attach: true,
      send: (words) => this.send(words, thread).catch(this.refused),
      up: () => this.editLast(thread),
      escape: thread ? this.closeThread : null,
    });
    this.draft.watch(made.frame);
    return made;
  };

  send = async (words, thread) => {
    this.draft.forget();
    const command = /^\/(\S+)\s*([\s\S]*)$/u.exec(words.text);
    if (command && isTyped(words.blocks)) return this.run(`/${command[1]}`, command[2], thread);
    const where = thread ? { thread_ts: thread } : {};
    if (words.files.length) return this.share(words, where);
    const action = thread ? "reply" : "post";
    return this.perform({ action, ...where, ...this.written(words) });
  };

  /** Each file is a message; the words go with the first. */
  share = async (words, where) => {
    const said = words.text ? this.written(words) : { text: "" };
    for (const [number, file] of words.files.entries()) {
      const with_ = number ? { text: "" } : said;
      await this.perform({ action: "upload", ...where, ...with_, ...file });
    }
  };

  run = async (command, text, thread) => {
    if (thread) throw new Error("commands do not work in threads");
    const done = await this.perform({ action: "command", command, text });
    this.answered(done);
  };

  answered = (done) => {
    if (done.status < 200 || done.status > 299)
      toast("ATOM did not answer. It may be restarting; try again in a moment.");
  };

  written = ({ blocks, text, plain }) => {
    const bound = named(blocks, this.mentionable());
    const formatted = !plain || JSON.stringify(bound) !== JSON.stringify(blocks);
    return formatted ? { text, blocks: toRichText(bound) } : { text, typed: true };
  };

  startEdit = (ts, thread) => {
    const before = this.view.editing;
    this.view.editing = ts ? `${ts} ${thread}` : "";
    this.drawRoom();
    this.drawThread();
    if (!ts && before) this.focusComposer(before.split(" ")[1]);
  };

  editLast = (thread) => {
    const mine = this.here().messages.filter(
      (one) =>
        one.user === this.view.me &&
        !one.deleted &&
        (thread ? one.thread_ts === thread : !one.thread_ts || one.thread_ts === one.ts),
    );
    if (!mine.length) return false;
    this.startEdit(mine.at(-1).ts, thread);
    return true;
  };

  remove = async (message) => {
    if (await askToDelete(message.text || "This message"))
      this.attempt({ action: "delete", ts: message.ts });
  };

  openThread = (ts) => {
    this.view.thread = ts;
    this.view.editing = "";
    this.drawRoom();
    this.drawThread();
    byId("slack-thread-composer").querySelector(".editor")?.focus();
  };

  closeThread = () => {
    const from = this.view.thread;
    this.view.thread = "";
    this.drawThread();
    byId("slack-messages")
      .querySelector(`[data-key="${CSS.escape(from)}"]`)
      ?.focus();
  };

  focusComposer = (thread) =>
    byId(thread ? "slack-thread-composer" : "slack-composer")
      .querySelector(".editor")
      ?.focus();

  chooseChannel = (id) => {
    Object.assign(this.view, { channel: id, thread: "", editing: "" });
    this.draw();
    this.focusComposer("");
  };

  choosePerson = (id) => {
    Object.assign(this.view, { me: id, editing: "" });
    this.draw();
    byId("slack-people").querySelector("input:checked")?.focus();
  };
}

function placed(place, made) {
  if (place.firstElementChild !== made.frame) place.replaceChildren(made.frame);
}

const nothing = (words) => h("p", { class: "nothing" }, words);
