// The preview that an app gives to a link while it is still being written.

import { content } from "./blocks.js";
import { h } from "./dom.js";

const PAUSE = 400; // milliseconds without a key until Slack looks for links

/** Watches a composer for links, and shows what comes of them below it. */
export class SlackDraft {
  told = "";
  timer = 0;

  constructor(side) {
    this.side = side;
  }

  watch(frame) {
    frame.addEventListener("input", () => {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.tell(frame), PAUSE);
    });
  }

  tell(frame) {
    const text = frame.querySelector(".editor")?.innerText.trim() ?? "";
    const links = (text.match(/https?:\/\/\S+/gu) ?? []).join(" ");
    if (links === this.told) return;
    this.told = links;
    this.side.perform({ action: "compose", text: links }).catch(() => {});
  }

  /** The message was sent, or somebody else writes now. */
  forget() {
    clearTimeout(this.timer);
    if (!this.told) return;
    this.told = "";
    this.side.perform({ action: "compose", text: "" }).catch(() => {});
  }

  draw(place) {
    const mine = (this.side.workspace.drafts ?? []).filter(
      (one) => one.user === this.side.view.me && one.attachments.length,
    );
    const sign = JSON.stringify(mine);
    if (place.dataset.sign === sign) return;
    place.dataset.sign = sign;
    place.replaceChildren(
      ...mine
        .flatMap((one) => one.attachments)
        .map((one) => h("div", { class: "unfurl" }, ...content(one, this.side.names(), null))),
    );
    place.hidden = !mine.length;
  }
}
