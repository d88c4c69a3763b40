// One Teams message: who wrote it, what it says, what may be done with it.

import { card, isCard } from "./cards.js";
import { composer } from "./composer.js";
import { lifted } from "./copies.js";
import { toast } from "./dom.js";
import { reaction } from "./emoji.js";
import { appMark, article, offered, tombstone, viaMark } from "./feed.js";
import { fileList, kindOf } from "./files.js";
import { html } from "./html.js";
import { atomAvatar, avatar } from "./people.js";
import { reactions, reactTool } from "./reactions.js";

/** Makes the messages of one window, whose state and acts are `side`'s. */
export class TeamsMessages {
  constructor(side) {
    this.side = side;
  }

  item = (message) => {
    const editing = this.side.view.editing === message.id;
    return {
      key: message.id,
      // What is being edited stays as it is, whatever happens to it meanwhile.
      sign: editing ? "editing" : JSON.stringify([message, this.side.view.me]),
      build: () => this.build(message, editing),
    };
  };

  build = (message, editing) => {
    const at = Date.parse(message.created);
    if (message.deleted) return tombstone(at);
    const author = this.authorOf(message);
    const mine = message.author.id === this.side.view.me;
    return article({
      face: author.app
        ? atomAvatar(32, true)
        : avatar(author.name, { size: 32, round: true, via: author.via }),
      name: author.name,
      at,
      mark: author.via ? viaMark("Slack") : author.app && appMark(),
      edited: Boolean(message.edited),
      note: message.target && ["Only visible to you"],
      body: editing ? [this.editor(message)] : author.body,
      tools: editing ? [] : this.tools(message, mine),
      foot: [
        fileList(filesOf(message)),
        reactions(message.reactions, {
          picture: (one) => reaction(one.type),
          kind: (one) => one.type,
          me: this.side.view.me,
          set: this.reactor(message),
        }),
      ],
      kinds: [
        message.is_root ? "root" : "reply",
        message.target && "whispered",
        author.via && "copy",
      ],
    });
  };

  /** Who wrote, and the elements of what they wrote. */
  authorOf = (message) => {
    const words = html(message.html, message.mentions, this.side.view.me);
    if (message.author.id !== this.side.bot.id) {
      // A card that an extension gave stands in its author's own message.
      const given = message.attachments.filter(isCard).map((one) => one.content);
      const body = [
        ...words,
        ...given.map((one) =>
          card(one, (action, said) => this.invoke(message, action, said)),
        ),
      ];
      return { name: message.author.name, app: message.author.is_bot, body };
    }
    const view = message.views[this.side.view.me];
    const cards = view
      ? [view]
      : message.attachments.filter(isCard).map((one) => one.content);
    const shown = cards.map((one) =>
      card(one, (action, said) => this.invoke(message, action, said)),
    );
    const copy = cards.length ? null : lifted(words);
    if (copy) return { name: copy.name, via: true, body: copy.body };
    return { name: message.author.name, app: true, body: [...words, ...shown] };
  };

  tools = (message, mine) => {
    if (message.target) return [];
    const reply = {
      name: "reply",
      label: "Reply",
      icon: "reply",
      key: "r",
      run: () => this.side.startReply(message.root),
    };
    const edit = {
      name: "edit",
      label: "Edit",
      icon: "edit",
      key: "e",
      run: () => this.side.startEdit(message.id),
    };
    const gone = {
      name: "delete",
      label: "Delete",
      icon: "bin",
      key: "Delete",
      run: () => this.side.remove(message),
    };
    const actions = this.side.commands
      .filter((one) => one.type === "action")
      .map((one, place) =>
        offered(one.title, place, () => this.side.extend(one, { message: message.id })),
      );
    const react = reactTool("teams", this.reactor(message));
    return [react, reply, ...actions, ...(mine ? [edit, gone] : [])];
  };

  reactor = (message) => (kind, standing) =>
    this.side
      .perform({
        action: standing ? "react" : "unreact",
        message: message.id,
        reaction: kind,
      })
      .catch((error) => toast(`Teams says: ${error.message}`));

  editor = (message) => {
    const made = composer({
      label: "Edit message",
      placeholder: "",
      small: true,
      verb: "Save",
      people: this.side.mentionable,
      initial: html(message.html, message.mentions, this.side.view.me),
      escape: () => this.side.startEdit(""),
      send: async (words) => {
        await this.side
          .perform({
            action: "edit",
            message: message.id,
            ...this.side.written(words),
          })
          .catch(this.side.refused);
        this.side.startEdit("");
      },
    });
    requestAnimationFrame(made.focus);
    return made.frame;
  };

  invoke = async (message, action, said = {}) => {
    const data = { ...action.data, ...said };
    if (action.type === "Action.Submit") return this.submit(message, data);
    try {
      const done = await this.side.perform({
        action: "invoke",
        message: message.id,
        verb: action.verb,
        data,
        card_action: action,
      });
      if (done.status && done.status > 299)
        toast("ATOM did not answer. It may be restarting; try again in a moment.");
      else if (typeof done.body?.value === "string" && done.body.value)
        toast(done.body.value);
      else if (done.body?.value?.message) toast(done.body.value.message);
    } catch (error) {
      toast(`Teams says: ${error.message}`);
    }
  };

  submit = (message, data) => {
    if (data.msteams?.type === "task/fetch")
      return this.side.dialog.open(
        "ATOM",
        { action: "task_fetch", message: message.id, data },
        { action: "task_submit", message: message.id },
      );
    return this.side
      .perform({ action: "submit", message: message.id, data })
      .catch((error) => toast(`Teams says: ${error.message}`));
  };
}

/** Pasted pictures stand in the message itself. */
function filesOf(message) {
  return message.attachments
    .filter((one) => one.name && one.contentType === "reference")
    .map((one) => ({ side: "teams", id: one.id, name: one.name, kind: kindOf(one.name) }));
}
