// The Teams side: channels, threads as cards, and the composers of the chosen person.

import { act } from "./api.js";
import { fillChannels, fillLinked, readMarks } from "./channels.js";
import { composer } from "./composer.js";
import { named, toHtml } from "./document.js";
import { byId, emptied, h, icon, reconcile, stayingAtEnd, toast } from "./dom.js";
import { askToDelete, settle, walkable } from "./feed.js";
import { fillPicker } from "./people.js";
import { roomTool } from "./room_tools.js";
import { TeamsDialog } from "./teams_dialog.js";
import { TeamsMessages } from "./teams_messages.js";

const HOME = "Project Falcon";
const SHOWN_AT_MOST = 100;

/** The window. `links` says with what a channel is linked, by address. */
export class TeamsSide {
  marks = readMarks();
  messages = new TeamsMessages(this);
  view = { me: "", channel: "", editing: "", replying: new Set() };
  tenant = null;
  bot = null;
  commands = []; // of the app's message extension
  composers = new Map(); // kept, so that what was begun is there when one comes back

  constructor(links) {
    this.links = links;
    this.dialog = new TeamsDialog(this);
    walkable(byId("teams-messages"));
  }

  update(state) {
    this.tenant = state.tenants[0];
    this.bot = state.bot;
    this.commands = state.extension_commands ?? [];
    if (!this.people().some((one) => one.id === this.view.me))
      this.view.me = this.people()[0].id;
    this.draw();
  }

  nameOfChannel(id) {
    return this.tenant && this.channels().find((one) => one.id === id)?.name;
  }

  nameOfPerson(id) {
    return this.tenant?.users.find((one) => one.id === id)?.name ?? "";
  }

  team = () => this.tenant.teams[0];
  channels = () => this.tenant.teams.flatMap((team) => team.channels);
  people = () =>
    this.tenant.users
      .filter((one) => this.team().members.includes(one.id))
      .map(({ id, name }) => ({ id, name }));
  mentionable = () => [...this.people(), ...(this.bot ? [{ ...this.bot, app: true }] : [])];
  here = () => this.team().channels.find((one) => one.id === this.view.channel);
  perform = (request) =>
    act("teams", {
      tenant: this.tenant.id,
      team: this.team().id,
      user: this.view.me,
      channel: this.view.channel,
      ...request,
    });

  refused = (error) => {
    toast(`Teams says: ${error.message}`);
    throw error;
  };

  draw = () => {
    fillPicker(
      byId("teams-people"),
      "teams",
      this.people().slice(0, 4),
      this.view.me,
      this.choosePerson,
    );
    byId("teams-workspace").textContent = this.team().name;
    this.drawChannels();
    this.drawRoom();
    this.drawTools();
  };

  drawTools = () =>
    reconcile(
      byId("teams-tools"),
      this.commands
        .filter((one) => one.context?.some((place) => place !== "message") ?? true)
        .map((one) =>
          one.type === "query"
            ? roomTool(one.title, "find", () => this.dialog.find(one))
            : roomTool(one.title, "record", () => this.extend(one, {})),
        ),
    );

  /** Use the extension's action, perhaps on a message. */
  extend = (command, more) =>
    this.dialog.open(
      command.title,
      { action: "extension_action", command: command.id, ...more },
      { action: "extension_submit", command: command.id },
    );

  address = (channel) => `teams:${this.team().id}/${channel.id}`;

  drawChannels = () => {
    const mine = this.team().channels.filter(
      (one) =>
        !one.deleted && (one.kind === "standard" || one.members.includes(this.view.me)),
    );
    if (!mine.some((one) => one.id === this.view.channel)) {
      this.view.channel = (mine.find((one) => one.name === HOME) ?? mine[0]).id;
    }
    const listed = mine.map((one) => ({
      id: one.id,
      name: one.name,
      locked: one.kind !== "standard",
      fresh: this.marks.fresh(
        one.id,
        one.messages.at(-1)?.id ?? "",
        one.id === this.view.channel,
      ),
      linked: this.links.of(this.address(one)) || "",
    }));
    fillChannels(byId("teams-channels"), listed, this.view.channel, this.chooseChannel, "");
  };

  drawRoom = () => {
    const channel = this.here();
    const list = byId("teams-messages");
    byId("teams-room").textContent = channel.name;
    fillLinked(byId("teams-linked"), this.links.of(this.address(channel)));
    const fresh = list.dataset.of !== channel.id;
    if (fresh) {
      emptied(list);
      list.dataset.of = channel.id;
    }
    this.drawComposer(channel);
    stayingAtEnd(list, () => this.fill(list, channel, fresh), fresh);
    settle(list);
  };

  fill = (list, channel, fresh) => {
    const visible = channel.messages.filter(
      (one) => !one.target || one.target === this.view.me,
    );
    const roots = visible.filter((one) => one.is_root).slice(-SHOWN_AT_MOST);
    const items = roots.map((root) => ({
      key: root.id,
      sign: "thread",
      build: () => this.thread(root),
    }));
    reconcile(list, items);
    if (!roots.length)
      list.replaceChildren(
        h("p", { class: "nothing" }, `Start the first conversation in ${channel.name}.`),
      );
    for (const root of roots) {
      const frame = list.querySelector(`:scope > [data-key="${CSS.escape(root.id)}"]`);
      this.fillThread(
        frame,
        root,
        visible.filter((one) => one.root === root.id && !one.is_root),
        fresh,
      );
    }
  };

  thread = (root) => {
    const reply = h(
      "button",
      {
        type: "button",
        class: "reply-button",
        on: { click: () => this.startReply(root.id) },
      },
      icon("reply"),
      "Reply",
    );
    return h(
      "section",
      { class: "thread-card", "aria-label": "Conversation" },
      h("div", { class: "thread-messages" }),
      h("div", { class: "thread-reply" }, reply),
    );
  };

  fillThread = (frame, root, replies, fresh) => {
    const messages = frame.firstElementChild;
    if (fresh) messages.dataset.filled = "no";
    else if (frame.classList.contains("arriving") && !messages.children.length)
      messages.dataset.filled = "no";
    reconcile(messages, [root, ...replies].map(this.messages.item));
    const place = frame.lastElementChild;
    const wanted = this.view.replying.has(root.id);
    if ((place.dataset.open === "yes") === wanted) return;
    place.dataset.open = wanted ? "yes" : "no";
    if (wanted) this.openReply(place, root.id);
    else place.replaceChildren(...this.thread(root).lastElementChild.childNodes);
  };

  openReply = (place, root) => {
    const made = composer({
      label: "Reply",
      placeholder: "Reply…",
      small: true,
      people: this.mentionable,
      attach: true,
      send: (words) => this.send(words, root).catch(this.refused),
      up: () => this.editLast(root),
      escape: () => this.stopReply(root),
    });
    place.replaceChildren(made.frame);
    made.focus();
  };

  drawComposer = (channel) => {
    if (!this.composers.has(channel.id))
      this.composers.set(channel.id, this.newComposer(channel.name));
    const { frame } = this.composers.get(channel.id);
    const place = byId("teams-composer");
    if (place.firstElementChild !== frame) place.replaceChildren(frame);
  };

  newComposer = (name) =>
    composer({
      label: `Start a post in ${name}`,
      placeholder: `Start a post in ${name}`,
      people: this.mentionable,
      attach: true,
      send: (words) => this.send(words, "").catch(this.refused),
      up: () => this.editLast(""),
    });

  /** Each file is a message; the words go with the first. */
  send = async (words, root) => {
    const where = root ? { thread: root } : {};
    const said = words.text ? this.written(words) : {};
    if (!words.files.length)
      return this.perform({ action: root ? "reply" : "post", ...where, ...said });
    for (const [number, file] of words.files.entries())
      await this.perform({ action: "upload", ...where, ...(number ? {} : said), ...file });
  };

  written = ({ blocks }) => {
    const mentions = [];
    const text = toHtml(named(blocks, this.mentionable()), mentions);
    return { html: text, mentions };
  };

  startEdit = (id) => {
    const before = this.view.editing;
    this.view.editing = id;
    this.drawRoom();
    if (!id && before) this.focusNear(before);
  };

  editLast = (root) => {
    const mine = this.here().messages.filter(
      (one) =>
        one.author.id === this.view.me &&
        !one.deleted &&
        (root ? one.root === root : one.is_root),
    );
    if (!mine.length) return false;
    this.startEdit(mine.at(-1).id);
    return true;
  };

  remove = async (message) => {
    if (!(await askToDelete(message.text || "This message"))) return;
    this.perform({ action: "delete", message: message.id }).catch((error) =>
      toast(`Teams says: ${error.message}`),
    );
  };

  startReply = (root) => {
    this.view.replying.add(root);
    this.drawRoom();
    byId("teams-messages")
      .querySelector(`:scope > [data-key="${CSS.escape(root)}"] .thread-reply .editor`)
      ?.focus();
  };

  stopReply = (root) => {
    this.view.replying.delete(root);
    this.drawRoom();
    byId("teams-messages")
      .querySelector(`:scope > [data-key="${CSS.escape(root)}"] .reply-button`)
      ?.focus();
  };

  focusNear = (id) => {
    const own = this.here().messages.find((one) => one.id === id);
    const inThread = own && this.view.replying.has(own.root);
    const frame = inThread
      ? byId("teams-messages").querySelector(
          `:scope > [data-key="${CSS.escape(own.root)}"]`,
        )
      : byId("teams-composer");
    frame.querySelector(".thread-reply .editor, :scope > .composer .editor")?.focus();
  };

  chooseChannel = (id) => {
    Object.assign(this.view, { channel: id, editing: "", replying: new Set() });
    this.draw();
    byId("teams-composer").querySelector(".editor").focus();
  };

  choosePerson = (id) => {
    Object.assign(this.view, { me: id, editing: "" });
    this.draw();
    byId("teams-people").querySelector("input:checked")?.focus();
  };
}
