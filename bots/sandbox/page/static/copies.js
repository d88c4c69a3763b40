// How a copy in Teams names its author: the bot may write under its own name only, so
// ATOM puts a line before the message. The page shows that line as the sender.

const HEADER = /^(.{1,120}?)\s*\((Slack)\)$/u;

/** {name, body} if the elements begin with ATOM's line, else null. */
export function lifted(nodes) {
  const [head, ...rest] = nodes.filter((node) => typeof node !== "string" || node.trim());
  return typeof head === "object" && head
    ? (ofBlock(head, rest) ?? ofRun(head, rest))
    : null;
}

/** A first block with nothing but the line, or that begins with it. */
function ofBlock(block, rest) {
  if (!["P", "DIV"].includes(block.tagName)) return null;
  const inside = lifted(
    [...block.childNodes].map((node) =>
      node.nodeType === Node.TEXT_NODE ? node.data : node,
    ),
  );
  if (!inside) return null;
  block.replaceChildren(...inside.body);
  return { name: inside.name, body: block.textContent.trim() ? [block, ...rest] : rest };
}

/** `<strong>Name</strong> (Slack)<br>words` or `<strong>Name (Slack)</strong>…`. */
function ofRun(head, rest) {
  if (head.tagName !== "STRONG") return null;
  let line = head.textContent;
  const left = [...rest];
  if (typeof left[0] === "string") {
    const mark = /^\s*\(Slack\)/u.exec(left[0]);
    if (mark) {
      line += mark[0];
      left[0] = left[0].slice(mark[0].length);
    }
  }
  const name = HEADER.exec(line.trim());
  if (!name) return null;
  while (
    left.length &&
    (typeof left[0] === "string" ? !left[0].trim() : left[0].tagName === "BR")
  )
    left.shift();
  if (typeof left[0] === "string") left[0] = left[0].replace(/^[\s:]+/u, "");
  return { name: `${name[1]} (Slack)`, body: left };
}
