// Slack's text markup as page elements.

import { h } from "./dom.js";
import { emoji } from "./emoji.js";

const SAFE = /^(https?|mailto|tel):/i;
const INLINE = new RegExp(
  [
    "<([^<>\\n]+)>",
    "`([^`\\n]+)`",
    "(?<![\\w*])\\*([^\\s*](?:[^*\\n]*[^\\s*])?)\\*(?![\\w*])",
    "(?<![\\w_])_([^\\s_](?:[^_\\n]*[^\\s_])?)_(?![\\w_])",
    "(?<![\\w~])~([^\\s~](?:[^~\\n]*[^\\s~])?)~(?![\\w~])",
    ":([a-z0-9_+'-]+(?:::skin-tone-[2-6])?):",
  ].join("|"),
  "u",
);

export const decoded = (text) =>
  text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");

/** A link, if its address is one that may be followed; else its words alone. */
export function anchor(url, ...words) {
  if (!SAFE.test(url)) return h("span", {}, ...words);
  return h("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, ...words);
}

export function mention(id, name, mine) {
  const kind = mine ? "mention mention-me" : "mention";
  return h("span", { class: kind, data: { id, name } }, `@${name}`);
}

/** Text with newlines as elements. */
export function lines(text) {
  return text.split("\n").flatMap((line, number) => (number ? [h("br"), line] : [line]));
}

/** A whole mrkdwn text: fences, quotes, and what stands in lines. */
export function mrkdwn(text, names) {
  return text.split(/```\n?([\s\S]*?)\n?```/u).flatMap((piece, number) => {
    if (number % 2) return [h("pre", {}, decoded(piece))];
    return piece.trim() ? prose(piece.replace(/^\n|\n$/gu, ""), names) : [];
  });
}

function prose(text, names) {
  const groups = [];
  for (const line of text.split("\n")) {
    const quoted = line.startsWith("&gt;");
    const words = quoted ? line.replace(/^&gt; ?/u, "") : line;
    if (groups.at(-1)?.quoted === quoted) groups.at(-1).lines.push(words);
    else groups.push({ quoted, lines: [words] });
  }
  return groups.map((group) =>
    h(group.quoted ? "blockquote" : "p", {}, ...inline(group.lines.join("\n"), names)),
  );
}

/** One run of mrkdwn without blocks. */
export function inline(text, names) {
  const out = [];
  let rest = text;
  for (let match = INLINE.exec(rest); match; match = INLINE.exec(rest)) {
    out.push(...lines(decoded(rest.slice(0, match.index))), marked(match, names));
    rest = rest.slice(match.index + match[0].length);
  }
  return [...out, ...lines(decoded(rest))];
}

function marked([, entity, code, bold, italic, strike, name], names) {
  if (code != null) return h("code", {}, decoded(code));
  if (bold != null) return h("strong", {}, ...inline(bold, names));
  if (italic != null) return h("em", {}, ...inline(italic, names));
  if (strike != null) return h("s", {}, ...inline(strike, names));
  if (name != null) return emoji(name);
  return meant(entity, names);
}

function meant(entity, names) {
  const bar = entity.indexOf("|");
  const target = bar < 0 ? entity : entity.slice(0, bar);
  const label = bar < 0 ? "" : decoded(entity.slice(bar + 1));
  const id = target.slice(1);
  if (target.startsWith("@"))
    return mention(id, names.person(id) || label || id, id === names.me);
  if (target.startsWith("#"))
    return h("span", { class: "mention" }, `#${label || names.channel(id)}`);
  if (target.startsWith("!date^")) return label;
  if (target.startsWith("!subteam^"))
    return h("span", { class: "mention" }, label || "@group");
  if (target.startsWith("!")) return h("span", { class: "mention" }, label || `@${id}`);
  const url = decoded(target);
  return anchor(url, label || url);
}
