// What people and apps wrote in Teams, made safe: known tags are built anew, the words
// of all others stay as words.

import { h } from "./dom.js";
import { picture } from "./files.js";
import { anchor, mention } from "./mrkdwn.js";

const SAME = new Set([
  "P",
  "DIV",
  "BR",
  "STRONG",
  "EM",
  "S",
  "U",
  "CODE",
  "PRE",
  "BLOCKQUOTE",
  "UL",
  "OL",
  "LI",
  "HR",
  "TABLE",
  "TBODY",
  "THEAD",
  "TR",
  "TD",
  "TH",
]);
const OTHERWISE = {
  B: "strong",
  I: "em",
  STRIKE: "s",
  DEL: "s",
  CODEBLOCK: "pre",
  H1: "p",
  H2: "p",
  H3: "p",
};
const SILENT = new Set([
  "SCRIPT",
  "STYLE",
  "TEMPLATE",
  "IFRAME",
  "OBJECT",
  "NOSCRIPT",
  "TITLE",
]);
const DEEPEST = 60;

const BLOCKS = new Set(["P", "DIV", "PRE", "BLOCKQUOTE", "UL", "OL", "HR", "TABLE"]);

/** Elements for an HTML text. `mentions` are the people that its spans number. */
export function html(text, mentions = [], me = "") {
  const parsed = new DOMParser().parseFromString(text, "text/html");
  return paragraphs(built(parsed.body, { mentions, me, seen: 0 }, 0));
}

/** Beside paragraphs, words that stand alone are one as well. */
function paragraphs(nodes) {
  if (!nodes.some((node) => BLOCKS.has(node.tagName))) return nodes;
  const out = [];
  let run = null;
  for (const node of nodes) {
    if (BLOCKS.has(node.tagName)) {
      run = null;
      out.push(node);
    } else if (run) run.append(node);
    else if (typeof node !== "string" || node.trim()) {
      run = h("p", {}, node);
      out.push(run);
    }
  }
  return out;
}

function built(node, facts, depth) {
  if (depth > DEEPEST) return [node.textContent];
  return [...node.childNodes].flatMap((child) => {
    if (child.nodeType === Node.TEXT_NODE) return [child.data];
    return child.nodeType === Node.ELEMENT_NODE ? element(child, facts, depth + 1) : [];
  });
}

function element(node, facts, depth) {
  const tag = node.tagName;
  if (SILENT.has(tag)) return [];
  if (tag === "IMG") return [image(node)];
  if (tag === "AT") return [mentioned(node, facts, facts.seen++)];
  if (tag === "SPAN" && (node.getAttribute("itemtype") ?? "").endsWith("/Mention")) {
    return [mentioned(node, facts, Number(node.getAttribute("itemid") ?? 0))];
  }
  const inner = built(node, facts, depth);
  if (tag === "A") return [anchor(node.getAttribute("href") ?? "", ...inner)];
  if (tag === "PRE") return [h("pre", {}, ...flat(inner))];
  if (SAME.has(tag)) return [h(tag.toLowerCase(), {}, ...inner)];
  return OTHERWISE[tag] ? [h(OTHERWISE[tag], {}, ...inner)] : inner;
}

/** `<pre><code>` is one block, not code within a block. */
function flat(nodes) {
  return nodes.flatMap((node) => (node.tagName === "CODE" ? [...node.childNodes] : [node]));
}

const PASTED = /\/v3\/attachments\/([\w-]+)\/views\//u;

/** Pictures that lie in the sandbox are shown; of others there is the name. */
function image(node) {
  const own = PASTED.exec(node.getAttribute("src") ?? "");
  return own
    ? picture(`/sandbox/file/teams/${own[1]}`, node.alt || "image")
    : node.alt || "";
}

function mentioned(node, facts, number) {
  const name = node.textContent;
  const known = facts.mentions[number];
  return mention(known?.id ?? "", known?.name ?? name, known?.id === facts.me);
}
