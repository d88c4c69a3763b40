// Slack's blocks as page elements: rich text, and the cards that apps make.

import { h } from "./dom.js";
import { emoji } from "./emoji.js";
import { anchor, inline, lines, mention, mrkdwn } from "./mrkdwn.js";
import { askTo } from "./sheet.js";

/** Everything a message says. `press` is called with a button that was clicked. */
export function content(message, names, press) {
  const blocks = message.blocks ?? [];
  if (!blocks.length) return mrkdwn(message.text ?? "", names);
  return blocks.flatMap((block) => (BLOCKS[block.type] ?? unknown)(block, names, press));
}

const BLOCKS = {
  rich_text: (block, names) => richText(block.elements, names),
  header: (block) => [h("p", { class: "bk-header" }, plain(block.text))],
  divider: () => [h("hr")],
  image: (block) => [h("p", { class: "bk-context" }, block.alt_text ?? "image")],
  context: (block, names) => [
    h(
      "p",
      { class: "bk-context" },
      ...block.elements.map((one) => h("span", {}, ...text(one, names))),
    ),
  ],
  actions: (block, _names, press) => [
    h(
      "div",
      { class: "bk-actions" },
      ...block.elements.map((one) => button(one, block, press)),
    ),
  ],
  section: (block, names, press) => [
    h(
      "div",
      { class: "bk-section" },
      h(
        "div",
        { class: "bk-words" },
        block.text && h("div", {}, ...paragraphs(block.text, names)),
        block.fields &&
          h(
            "div",
            { class: "bk-fields" },
            ...block.fields.map((one) => h("div", {}, ...paragraphs(one, names))),
          ),
      ),
      block.accessory?.type === "button" && button(block.accessory, block, press),
    ),
  ],
};

function unknown(block) {
  return [h("p", { class: "bk-context" }, `[${block.type}]`)];
}

const plain = (object) =>
  (object?.text ?? "").replace(/:([a-z0-9_+'-]+):/gu, (_all, name) => emoji(name));

function text(object, names) {
  if (object.type === "image") return [object.alt_text ?? ""];
  return object.type === "mrkdwn" ? inline(object.text, names) : lines(plain(object));
}

function paragraphs(object, names) {
  return object.type === "mrkdwn"
    ? mrkdwn(object.text, names)
    : [h("p", {}, ...lines(plain(object)))];
}

function button(element, block, press) {
  if (element.type !== "button")
    return h("span", { class: "bk-context" }, `[${element.type}]`);
  const tone = element.style
    ? ` button-${element.style === "danger" ? "bad" : "good"}`
    : "";
  return h(
    "button",
    {
      type: "button",
      class: `button${tone}`,
      disabled: !press,
      on: { click: () => confirmed(element, block, press) },
    },
    plain(element.text),
  );
}

async function confirmed(element, block, press) {
  const asked = element.confirm;
  const sure =
    !asked ||
    (await askTo({
      title: plain(asked.title),
      text: plain(asked.text),
      yes: plain(asked.confirm),
      no: plain(asked.deny),
      bad: (asked.style ?? element.style) === "danger",
    }));
  if (sure) press?.({ ...element, block_id: block.block_id });
}

function richText(elements, names) {
  const out = [];
  const stack = [];
  for (const element of elements) {
    if (element.type === "rich_text_list") nest(out, stack, element, names);
    else {
      stack.length = 0;
      out.push(RICH[element.type]?.(element, names) ?? h("p", {}, `[${element.type}]`));
    }
  }
  return out;
}

const RICH = {
  rich_text_section: (element, names) => h("p", {}, ...leaves(element.elements, names)),
  rich_text_quote: (element, names) =>
    h("blockquote", {}, ...leaves(element.elements, names)),
  rich_text_preformatted: (element, names) =>
    h("pre", {}, ...leaves(element.elements, names)),
};

/** Slack writes deeper items as sibling lists with a higher indent. */
function nest(out, stack, element, names) {
  const indent = element.indent ?? 0;
  while (stack.length && stack.at(-1).indent > indent) stack.pop();
  const items = element.elements.map((item) =>
    h("li", {}, ...leaves(item.elements, names)),
  );
  if (stack.at(-1)?.indent === indent && stack.at(-1).style === element.style) {
    stack.at(-1).list.append(...items);
    return;
  }
  const tag = element.style === "ordered" ? "ol" : "ul";
  const list = h(tag, { start: element.offset ? element.offset + 1 : null }, ...items);
  if (stack.at(-1)?.indent === indent) stack.pop();
  const above = stack.at(-1)?.list.lastElementChild;
  if (above) above.append(list);
  else out.push(list);
  stack.push({ indent, list, style: element.style });
}

function leaves(elements, names) {
  return (elements ?? []).map((leaf) =>
    styled(leaf, LEAVES[leaf.type]?.(leaf, names) ?? [leaf.text ?? ""]),
  );
}

const LEAVES = {
  text: (leaf) => lines(leaf.text),
  emoji: (leaf) => [
    emoji(
      leaf.skin_tone && !leaf.unicode
        ? `${leaf.name}::skin-tone-${leaf.skin_tone}`
        : leaf.name,
      leaf.unicode,
    ),
  ],
  link: (leaf) => [anchor(leaf.url, leaf.text || leaf.url)],
  user: (leaf, names) => [
    mention(
      leaf.user_id,
      names.person(leaf.user_id) || leaf.user_id,
      leaf.user_id === names.me,
    ),
  ],
  channel: (leaf, names) => [
    h("span", { class: "mention" }, `#${names.channel(leaf.channel_id)}`),
  ],
  usergroup: (leaf) => [h("span", { class: "mention" }, `@${leaf.usergroup_id}`)],
  broadcast: (leaf) => [h("span", { class: "mention" }, `@${leaf.range}`)],
  color: (leaf) => [leaf.value],
  date: (leaf) => [leaf.fallback ?? new Date(leaf.timestamp * 1000).toISOString()],
};

function styled(leaf, nodes) {
  const { bold, italic, strike, code } = leaf.style ?? {};
  let words = nodes;
  if (code) words = [h("code", {}, ...words)];
  if (strike) words = [h("s", {}, ...words)];
  if (italic) words = [h("em", {}, ...words)];
  if (bold) words = [h("strong", {}, ...words)];
  return words;
}
