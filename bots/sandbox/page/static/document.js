// What stands in a composer, as a small tree, and the tree as each platform wants it.
//
// A block is {kind: "text" | "quote", runs}, {kind: "pre", text} or
// {kind: "list", ordered, items: [{runs, lists}]}. A run is {text, bold?, italic?,
// strike?, code?, href?} or {mention: {id, name}, ...style}.

const STYLES = {
  B: "bold",
  STRONG: "bold",
  I: "italic",
  EM: "italic",
  S: "strike",
  STRIKE: "strike",
  DEL: "strike",
  CODE: "code",
};
const OWN_LINE = new Set(["DIV", "P"]);

/** Read an editor. */
export function read(editor) {
  const blocks = [];
  gather(editor, {}, blocks);
  return blocks
    .map(trimmed)
    .filter((block) =>
      block.kind === "list" ? block.items.length : wordsOf(block).trim(),
    );
}

export const wordsOf = (block) => {
  if (block.kind === "pre") return block.text;
  if (block.kind === "list")
    return block.items.map((item) => wordsOf({ runs: item.runs })).join("\n");
  return block.runs
    .map((run) => (run.mention ? `@${run.mention.name}` : run.text))
    .join("");
};

export const wordsIn = (blocks) => blocks.map(wordsOf).join("\n").trim();

const only =
  (...kinds) =>
  (blocks) =>
    blocks.every(
      (block) =>
        block.kind === "text" &&
        block.runs.every(
          (run) => Object.keys(run).length === 1 && kinds.some((kind) => kind in run),
        ),
    );

/** Whether the tree says no more than its words do. */
export const isPlain = only("text");

/** Whether the tree is words and people, as a command is. */
export const isTyped = only("text", "mention");

function gather(node, style, blocks) {
  for (const child of node.childNodes) {
    if (child.nodeType === Node.TEXT_NODE)
      add(blocks, {
        text: child.data.replace(/\u200b/gu, "").replace(/\u00a0/gu, " "),
        ...style,
      });
    else if (child.nodeType === Node.ELEMENT_NODE) gatherElement(child, style, blocks);
  }
}

function gatherElement(node, style, blocks) {
  const tag = node.tagName;
  if (tag === "BR") add(blocks, { text: "\n", ...style });
  else if (tag === "UL" || tag === "OL") blocks.push(list(node));
  else if (tag === "PRE") blocks.push({ kind: "pre", text: textWithLines(node) });
  else if (tag === "BLOCKQUOTE") blocks.push({ kind: "quote", runs: runsIn(node) });
  else if (node.classList.contains("mention") && node.dataset.id) {
    add(blocks, { mention: { id: node.dataset.id, name: node.dataset.name }, ...style });
  } else if (tag === "A") gather(node, { ...style, href: node.href }, blocks);
  else if (OWN_LINE.has(tag)) ownLine(node, style, blocks);
  else gather(node, STYLES[tag] ? { ...style, [STYLES[tag]]: true } : style, blocks);
}

/** A line of its own: what comes before and after it is on other lines. */
function ownLine(node, style, blocks) {
  blocks.push({ kind: "text", runs: [] });
  gather(node, style, blocks);
  blocks.push({ kind: "text", runs: [] });
}

function add(blocks, run) {
  if (run.text === "") return;
  if (blocks.at(-1)?.kind !== "text") blocks.push({ kind: "text", runs: [] });
  blocks.at(-1).runs.push(run);
}

function runsIn(node) {
  const blocks = [];
  gather(node, {}, blocks);
  return blocks
    .filter((block) => block.runs?.length)
    .flatMap((block, number) => (number ? [{ text: "\n" }, ...block.runs] : block.runs));
}

function textWithLines(node) {
  return runsIn(node)
    .map((run) => run.text ?? "")
    .join("")
    .replace(/\n$/u, "");
}

function list(node) {
  const items = [];
  for (const child of node.children) {
    if (child.tagName === "LI") items.push(item(child));
    else if (child.tagName === "UL" || child.tagName === "OL") {
      // Editors put deeper lists beside the item that they belong to.
      if (items.length) items.at(-1).lists.push(list(child));
      else items.push(...list(child).items);
    }
  }
  return { kind: "list", ordered: node.tagName === "OL", items };
}

function item(node) {
  const blocks = [];
  gather(node, {}, blocks);
  const runs = blocks.filter((block) => block.runs).flatMap((block) => block.runs);
  return {
    ...trimmed({ kind: "text", runs }),
    lists: blocks.filter((block) => block.kind === "list"),
  };
}

function trimmed(block) {
  if (!block.runs) return block;
  const runs = [...block.runs];
  while (runs.length && runs[0].text?.trim() === "" && !runs[0].mention) runs.shift();
  while (runs.length && runs.at(-1).text?.trim() === "" && !runs.at(-1).mention) runs.pop();
  return { ...block, runs };
}

/** The tree with every "@Full Name" of these people as a mention. */
export function named(blocks, people) {
  const byName = new Map(people.map((person) => [`@${person.name}`, person]));
  const words = [...byName.keys()].map((name) =>
    name.replace(/[.*+?^${}()|[\]\\]/gu, "\\$&"),
  );
  if (!words.length) return blocks;
  const found = new RegExp(
    `(?<![\\p{L}\\p{N}])(${words.join("|")})(?![\\p{L}\\p{N}])`,
    "gu",
  );
  const bind = (run) => {
    if (!run.text || run.code || run.href) return [run];
    return run.text
      .split(found)
      .filter(Boolean)
      .map((text) => {
        const person = byName.get(text);
        if (!person) return { ...run, text };
        const { bold, italic, strike } = run;
        const style = Object.entries({ bold, italic, strike }).filter(([, on]) => on);
        const mention = { id: person.id, name: person.name };
        return { mention, ...Object.fromEntries(style) };
      });
  };
  const within = (block) => {
    if (block.kind === "pre") return block;
    if (block.kind !== "list") return { ...block, runs: block.runs.flatMap(bind) };
    const items = block.items.map((item) => ({
      runs: item.runs.flatMap(bind),
      lists: item.lists.map(within),
    }));
    return { ...block, items };
  };
  return blocks.map(within);
}

/** The tree as Slack's rich_text blocks. */
export function toRichText(blocks) {
  const elements = [];
  let before = "";
  for (const block of blocks) {
    if (block.kind === "text" && before === "text") {
      elements.at(-1).elements.push({ type: "text", text: "\n" }, ...block.runs.map(leaf));
    } else elements.push(...rich(block));
    before = block.kind;
  }
  return [{ type: "rich_text", elements }];
}

function rich(block, indent = 0) {
  if (block.kind === "pre")
    return [
      {
        type: "rich_text_preformatted",
        border: 0,
        elements: [{ type: "text", text: block.text }],
      },
    ];
  if (block.kind === "quote")
    return [{ type: "rich_text_quote", elements: block.runs.map(leaf) }];
  if (block.kind === "text")
    return [{ type: "rich_text_section", elements: block.runs.map(leaf) }];
  const out = [];
  let before = 0;
  let open = null;
  for (const one of block.items) {
    if (!open) {
      open = {
        type: "rich_text_list",
        style: block.ordered ? "ordered" : "bullet",
        indent,
        border: 0,
        elements: [],
      };
      if (before && block.ordered) open.offset = before;
      out.push(open);
    }
    open.elements.push({ type: "rich_text_section", elements: one.runs.map(leaf) });
    before += 1;
    if (one.lists.length) {
      out.push(...one.lists.flatMap((deeper) => rich(deeper, Math.min(indent + 1, 8))));
      open = null;
    }
  }
  return out;
}

function leaf({ text, mention, href, ...style }) {
  const base = mention
    ? { type: "user", user_id: mention.id }
    : href
      ? { type: "link", url: href, text }
      : { type: "text", text };
  return Object.keys(style).length ? { ...base, style } : base;
}

const escaped = (text) =>
  text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");

/** The tree as Teams' HTML; who is mentioned is added to `mentions` in order. */
export function toHtml(blocks, mentions) {
  const one = (block) => {
    if (block.kind === "pre") return `<pre><code>${escaped(block.text)}</code></pre>`;
    if (block.kind === "quote")
      return `<blockquote><p>${runs(block.runs, mentions)}</p></blockquote>`;
    if (block.kind === "text") return `<p>${runs(block.runs, mentions)}</p>`;
    const tag = block.ordered ? "ol" : "ul";
    const items = block.items.map(
      (item) => `<li>${runs(item.runs, mentions)}${item.lists.map(one).join("")}</li>`,
    );
    return `<${tag}>${items.join("")}</${tag}>`;
  };
  return blocks.map(one).join("");
}

function runs(all, mentions) {
  return all.map((run) => html(run, mentions)).join("");
}

function html({ text, mention, href, bold, italic, strike, code }, mentions) {
  let words = mention ? spanFor(mention, mentions) : escaped(text).replaceAll("\n", "<br>");
  if (code) words = `<code>${words}</code>`;
  if (href) words = `<a href="${escaped(href)}">${words}</a>`;
  if (strike) words = `<s>${words}</s>`;
  if (italic) words = `<em>${words}</em>`;
  if (bold) words = `<strong>${words}</strong>`;
  return words;
}

function spanFor(mention, mentions) {
  const number = mentions.push(mention) - 1;
  return `<span itemscope itemtype="http://schema.skype.com/Mention" itemid="${number}">${escaped(mention.name)}</span>`;
}
