// The dialogs of the Teams side: what an app asks in them, and the search for records.

import { card } from "./cards.js";
import { byId, h, toast } from "./dom.js";
import { Sheet } from "./sheet.js";

const SILENT = "ATOM did not answer in time. Try again in a moment.";

const worked = (done) => done.status >= 200 && done.status < 300;

export class TeamsDialog {
  constructor(side) {
    this.side = side;
    this.sheet = new Sheet(byId("teams").querySelector(".client-body"), this.close);
  }

  close = () => this.sheet.hide();

  /** Ask for a dialog; what is entered there is sent as `submit`. */
  open = async (title, request, submit) => {
    this.sheet.wait(title);
    await this.ask(title, request, submit);
  };

  ask = async (title, request, submit) => {
    try {
      const done = await this.side.perform(request);
      if (worked(done)) this.show(title, done.body ?? {}, submit);
      else this.fail(SILENT);
    } catch (error) {
      this.fail(`Teams says: ${error.message}`);
    }
  };

  fail(words) {
    this.sheet.hide();
    toast(words);
  }

  show(title, { task }, submit) {
    if (!task) {
      this.close();
    } else if (task.type === "continue") {
      const content = task.value.card.content;
      this.sheet.show({
        title: task.value.title || title,
        body: [
          card(content, (action, said) =>
            this.ask(title, { ...submit, data: { ...action.data, ...said } }, submit),
          ),
        ],
      });
    } else {
      this.fail(task.value);
    }
  }

  /** Search with the app's extension, and post what is chosen. */
  find = (command) => {
    const results = h("ul", { class: "found", "aria-live": "polite" });
    const words = h("input", { type: "search", placeholder: "A number, a name, a few words" });
    words.setAttribute("aria-label", command.title);
    let last = 0;
    const search = async () => {
      last += 1;
      const mine = last;
      results.replaceChildren(h("li", { class: "sheet-wait" }, "Searching…"));
      const asked = { action: "extension_query", command: command.id, words: words.value };
      const done = await this.side.perform(asked).catch(() => ({ status: 0 }));
      if (mine !== last) return;
      const found = worked(done) ? done.body?.composeExtension : null;
      results.replaceChildren(...this.results(found));
    };
    this.sheet.show({
      title: command.title,
      body: [
        h(
          "div",
          { class: "find-row" },
          words,
          h("button", { type: "submit", class: "button button-good" }, "Search"),
        ),
        results,
      ],
      submit: search,
    });
  };

  results(found) {
    if (!found) return [h("li", { class: "sheet-wait" }, SILENT)];
    if (found.type !== "result") return [h("li", { class: "sheet-wait" }, found.text)];
    return (found.attachments ?? []).map((one) => {
      const { title, text, tap } = one.preview?.content ?? one.content;
      const words = [h("strong", {}, title), text && h("span", {}, decoded(text))];
      if (!tap) return h("li", { class: "found-line" }, ...words);
      return h(
        "li",
        {},
        h(
          "button",
          { type: "button", class: "found-one", on: { click: () => this.choose(tap.value) } },
          ...words,
        ),
      );
    });
  }

  choose = async (value) => {
    this.sheet.wait("One moment");
    const done = await this.side
      .perform({ action: "extension_select", value })
      .catch(() => ({ status: 0 }));
    const found = worked(done) ? done.body?.composeExtension : null;
    const [chosen] = found?.attachments ?? [];
    if (!chosen) {
      this.fail(found?.text ?? SILENT);
      return;
    }
    const post = () => {
      this.close();
      this.side
        .perform({ action: "extension_send", card: chosen.content })
        .catch((error) => toast(`Teams says: ${error.message}`));
    };
    this.sheet.show({
      title: "Post this for everybody here?",
      body: [card(chosen.content, null)],
      buttons: [
        h("button", { type: "button", class: "button", on: { click: this.close } }, "Cancel"),
        h("button", { type: "submit", class: "button button-good" }, "Post"),
      ],
      submit: post,
    });
  };
}

/** A preview's text is HTML; only its entities are read. */
const decoded = (text) =>
  text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
