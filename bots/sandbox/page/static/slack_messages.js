// One Slack message: who wrote it, what it says, what may be done with it.

import { content } from "./blocks.js";
import { composer } from "./composer.js";
import { h, toast } from "./dom.js";
import { emoji } from "./emoji.js";
import { appMark, article, offered, tombstone, viaMark } from "./feed.js";
import { fileList } from "./files.js";
import { atomAvatar, avatar } from "./people.js";
import { reactions, reactTool } from "./reactions.js";
import { objectsOf } from "./slack_pane.js";
import { slackTime, toClock } from "./times.js";

const TOGETHER = 5 * 60 * 1000; // messages of one person so close stand as one

/** Makes the messages of one window, whose state and acts are `side`'s. */
export class SlackMessages {
  constructor(side) {
    this.side = side;
  }

  item = (message, before, thread) => {
    const joined = !thread && follows(message, before);
    const editing = this.side.view.editing === `${message.ts} ${thread}`;
    return {
      key: message.ts,
      // What is being edited stays as it is, whatever happens to it meanwhile.
      sign: editing ? "editing" : JSON.stringify([message, joined, this.side.view.me]),
      build: () => this.build(message, { joined, editing, thread }),
    };
  };

  build = (message, { joined, editing, thread }) => {
    if ((message.deleted || message.subtype === "tombstone") && !message.whispered) {
      const gone = tombstone(slackTime(message.ts));
      if (!thread) gone.querySelector(".said").append(...this.opener(message));
      return gone;
    }
    const author = this.authorOf(message);
    const mine = message.user === this.side.view.me && !message.whispered;
    return article({
      face: author.app
        ? atomAvatar(34)
        : avatar(author.name, { size: 34, via: author.via }),
      name: author.name,
      at: slackTime(message.ts),
      mark: author.via ? viaMark("Teams") : author.app && appMark(),
      edited: Boolean(message.edited),
      note: message.whispered
        ? ["Only visible to you"]
        : message.subtype === "thread_broadcast" && !thread && ["replied to a thread"],
      body: editing
        ? [this.editor(message)]
        : content(message, this.side.names(), (button) => this.press(message, button)),
      tools: editing ? [] : this.tools(message, mine, thread),
      foot: [
        ...this.previews(message),
        ...objectsOf(message).map((one) => this.side.pane.opener(message, one)),
        fileList(filesOf(message)),
        reactions(message.reactions, {
          picture: (one) => emoji(one.name),
          kind: (one) => one.name,
          me: this.side.view.me,
          set: this.reactor(message),
        }),
        ...(thread ? [] : this.opener(message)),
      ],
      kinds: [joined && "joined", message.whispered && "whispered", author.via && "copy"],
      label: `${author.name}, ${toClock(slackTime(message.ts))}`,
    });
  };

  authorOf = (message) => {
    if (
      message.subtype === "bot_message" &&
      message.bot_id === this.side.workspace.bot?.bot_id
    ) {
      return { name: message.username ?? "ATOM", via: true };
    }
    if (message.whispered || message.user === this.side.workspace.bot?.user)
      return { name: "ATOM", app: true };
    return { name: message.username ?? this.side.nameOfPerson(message.user) ?? "Somebody" };
  };

  tools = (message, mine, thread) => {
    if (message.whispered) return [];
    const reply = {
      name: "reply",
      label: "Reply in thread",
      icon: "reply",
      key: "r",
      run: () => this.side.openThread(message.thread_ts ?? message.ts),
    };
    const edit = {
      name: "edit",
      label: "Edit",
      icon: "edit",
      key: "e",
      run: () => this.side.startEdit(message.ts, thread),
    };
    const gone = {
      name: "delete",
      label: "Delete",
      icon: "bin",
      key: "Delete",
      run: () => this.side.remove(message),
    };
    const react = reactTool("slack", this.reactor(message));
    const shortcuts = this.side.shortcuts("message").map((one, place) =>
      offered(one.name, place, () =>
        this.side.use({
          action: "message_shortcut",
          ts: message.ts,
          callback_id: one.callback_id,
        }),
      ),
    );
    const replying = thread ? [] : [reply];
    return [react, ...replying, ...shortcuts, ...(mine ? [edit, gone] : [])];
  };

  /** What apps show under the links of a message. */
  previews = (message) =>
    (message.attachments ?? [])
      .filter((one) => one.is_app_unfurl)
      .map((one) =>
        h(
          "div",
          { class: "unfurl" },
          ...content(one, this.side.names(), (button) => this.press(message, button)),
        ),
      );

  opener = (message) => {
    const replies = (message.replies ?? [])
      .map((ts) => this.side.here().messages.find((one) => one.ts === ts))
      .filter((one) => one && !one.deleted);
    if (!replies.length) return [];
    const faces = [...new Set(replies.map((one) => this.authorOf(one).name))].slice(0, 4);
    return [
      h(
        "button",
        {
          type: "button",
          class: "replies",
          on: { click: () => this.side.openThread(message.ts) },
        },
        h("span", { class: "faces" }, ...faces.map((name) => avatar(name, { size: 20 }))),
        h("span", {}, replies.length === 1 ? "1 reply" : `${replies.length} replies`),
      ),
    ];
  };

  reactor = (message) => (kind, standing) =>
    this.side
      .perform({ action: standing ? "react" : "unreact", ts: message.ts, name: kind })
      .catch((error) => toast(`Slack says: ${error.message}`));

  editor = (message) => {
    const made = composer({
      label: "Edit message",
      placeholder: "",
      small: true,
      verb: "Save",
      people: this.side.mentionable,
      initial: content(message, this.side.names(), null),
      escape: () => this.side.startEdit("", ""),
      send: async (words) => {
        await this.side
          .perform({
            action: "edit",
            ts: message.ts,
            ...this.side.written(words),
          })
          .catch(this.side.refused);
        this.side.startEdit("", "");
      },
    });
    requestAnimationFrame(made.focus);
    return made.frame;
  };

  press = (message, button) =>
    this.side
      .perform({
        action: "click",
        ts: message.ts,
        action_id: button.action_id,
        value: button.value,
      })
      .then(this.side.answered)
      .catch((error) => toast(`Slack says: ${error.message}`));
}

function filesOf(message) {
  return (message.files ?? [])
    .filter((file) => file.mode !== "tombstone")
    .map(({ id, name, title, size, mimetype }) => ({
      side: "slack",
      id,
      name: title || name || "file",
      size,
      kind: mimetype,
    }));
}

function follows(message, before) {
  if (!before || before.whispered || message.whispered || message.deleted || before.deleted)
    return false;
  const who = (one) => [one.user, one.bot_id, one.username, one.subtype].join("|");
  return (
    who(before) === who(message) &&
    !before.replies?.length &&
    slackTime(message.ts) - slackTime(before.ts) < TOGETHER
  );
}
