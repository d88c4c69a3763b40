// Where people write: an editor with a toolbar, shortcuts and mentions.

import { h, icon } from "./dom.js";
import { isPlain, read, wordsIn } from "./document.js";
import { attaching } from "./attaching.js";
import { suggestions } from "./suggestions.js";

const TOOLS = [
  { name: "bold", icon: "bold", label: "Bold", keys: "Ctrl+B" },
  { name: "italic", icon: "italic", label: "Italic", keys: "Ctrl+I" },
  { name: "strikeThrough", icon: "strike", label: "Strikethrough", keys: "Ctrl+Shift+X" },
  { name: "link", icon: "link", label: "Link", keys: "Ctrl+K" },
  {
    name: "insertOrderedList",
    icon: "numbers",
    label: "Numbered list",
    keys: "Ctrl+Shift+7",
  },
  {
    name: "insertUnorderedList",
    icon: "bullets",
    label: "Bulleted list",
    keys: "Ctrl+Shift+8",
  },
  { name: "quote", icon: "quote", label: "Quote", keys: "Ctrl+Shift+9" },
  { name: "code", icon: "code", label: "Code", keys: "Ctrl+E" },
  { name: "block", icon: "block", label: "Code block", keys: "Ctrl+Alt+Shift+C" },
];
const BLOCK_TAGS = { quote: "blockquote", block: "pre" };
let made = 0;

/**
 * Make a composer. `send` gets {blocks, text, plain, files} and may reject: what was
 * written then stays. Files are taken where `attach` says so. `up` is called on ArrowUp in an empty editor, `escape` on Escape.
 */
export function composer({
  label,
  placeholder,
  people,
  send,
  up,
  escape,
  initial,
  attach = false,
  small = false,
  verb = "Send",
}) {
  made += 1;
  const editor = h("div", {
    class: "editor",
    contenteditable: "true",
    role: "textbox",
    "aria-multiline": "true",
    "aria-label": label,
    "aria-autocomplete": "list",
    spellcheck: "true",
    data: { placeholder },
  });
  const go = h(
    "button",
    {
      type: "button",
      class: "send",
      "aria-label": verb,
      title: `${verb} (Enter)`,
      disabled: true,
    },
    icon(escape && initial ? "check" : "send"),
  );
  const linkForm = linking(editor, () => sync());
  const tools = toolbar(editor, linkForm);
  const files = attach ? attaching(() => sync()) : null;
  if (files) tools.append(files.button);
  const suggest = suggestions(editor, people, `suggestions-${made}`);
  const frame = h(
    "div",
    { class: small ? "composer composer-small" : "composer" },
    tools,
    linkForm.place,
    suggest.place,
    ...(files ? [files.place, files.input] : []),
    h("div", { class: "writing" }, editor, go),
  );
  files?.takeFrom(frame);

  const sync = () => {
    const empty =
      wordsIn(read(editor)) === "" && !editor.querySelector("li, pre, blockquote");
    editor.dataset.empty = empty ? "yes" : "no";
    go.disabled = wordsIn(read(editor)) === "" && !files?.chosen.length;
  };
  const submit = async () => {
    const blocks = read(editor);
    const text = wordsIn(blocks);
    const chosen = [...(files?.chosen ?? [])];
    if (!(text || chosen.length) || frame.dataset.busy === "yes") return;
    frame.dataset.busy = "yes";
    try {
      await send({ blocks, text, plain: isPlain(blocks), files: chosen });
      editor.replaceChildren();
      files?.clear();
    } catch {
      // The sender said what was wrong; what was written stays.
    } finally {
      frame.dataset.busy = "no";
      sync();
    }
  };
  const keys = (event) => {
    if (suggest.takes(event)) return;
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      submit();
    } else if (event.key === "Enter" && event.shiftKey) newLine(event);
    else if (event.key === "ArrowUp" && editor.dataset.empty === "yes" && up?.())
      event.preventDefault();
    else if (event.key === "Escape" && escape) {
      event.stopPropagation();
      escape();
    } else if (event.key === "ArrowDown") leaveBlock(editor);
    else shortcut(event, editor, linkForm);
  };

  editor.addEventListener("keydown", keys);
  editor.addEventListener("input", () => {
    sync();
    suggest.look();
  });
  editor.addEventListener("paste", (event) => {
    event.preventDefault();
    const text = event.clipboardData.getData("text/plain");
    if (text) document.execCommand("insertText", false, text);
    else files?.add(event.clipboardData.files, true);
  });
  if (!files) editor.addEventListener("drop", (event) => event.preventDefault());
  go.addEventListener("click", () => {
    submit();
    editor.focus();
  });
  if (initial) editor.replaceChildren(...initial);
  for (const chip of editor.querySelectorAll(".mention")) chip.contentEditable = "false";
  sync();
  return { frame, editor, focus: () => focusEnd(editor) };
}

function toolbar(editor, linkForm) {
  const buttons = TOOLS.map((tool, number) =>
    h(
      "button",
      {
        type: "button",
        class: "tool",
        "aria-label": tool.label,
        title: `${tool.label} (${tool.keys})`,
        "aria-pressed": "false",
        tabindex: number ? -1 : 0,
        data: { tool: tool.name },
        on: {
          // The editor keeps the focus, so that its selection stays.
          mousedown: (event) => event.preventDefault(),
          click: () => apply(tool.name, editor, linkForm),
        },
      },
      icon(tool.icon),
    ),
  );
  const bar = h(
    "div",
    { class: "toolbar", role: "toolbar", "aria-label": "Formatting" },
    ...buttons,
  );
  bar.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const next =
      buttons[(buttons.indexOf(event.target) + step + buttons.length) % buttons.length];
    for (const button of buttons) button.tabIndex = button === next ? 0 : -1;
    next.focus();
    event.preventDefault();
  });
  const show = () => {
    for (const button of buttons)
      button.setAttribute("aria-pressed", String(isOn(button.dataset.tool, editor)));
  };
  editor.addEventListener("keyup", show);
  editor.addEventListener("mouseup", show);
  editor.addEventListener("input", show);
  return bar;
}

function isOn(tool, editor) {
  const inside = selectedIn(editor);
  if (!inside) return false;
  const tags = { link: "a", code: "code", quote: "blockquote", block: "pre" };
  if (tags[tool]) return Boolean(inside.closest(tags[tool]));
  return document.queryCommandState(tool);
}

/** The element of the editor in which the selection begins, if it does. */
function selectedIn(editor) {
  const node = getSelection()?.anchorNode;
  if (!node || !editor.contains(node)) return null;
  return node.nodeType === Node.ELEMENT_NODE ? node : node.parentElement;
}

function apply(tool, editor, linkForm) {
  if (!selectedIn(editor)) focusEnd(editor);
  if (tool === "link") linkForm.open();
  else if (tool === "code") toggleCode(editor);
  else if (BLOCK_TAGS[tool]) {
    const tag = isOn(tool, editor) ? "div" : BLOCK_TAGS[tool];
    document.execCommand("formatBlock", false, tag);
  } else document.execCommand(tool, false);
  if (tool !== "link") editor.focus();
  editor.dispatchEvent(new Event("input"));
}

function toggleCode(editor) {
  const standing = selectedIn(editor)?.closest("code");
  if (standing) {
    standing.replaceWith(...standing.childNodes);
    return;
  }
  const range = getSelection().getRangeAt(0);
  const words = range.toString();
  const code = h("code", {}, words || "\u200b");
  range.deleteContents();
  range.insertNode(code);
  getSelection().setBaseAndExtent(
    code.firstChild,
    words ? 0 : 1,
    code.firstChild,
    code.firstChild.length,
  );
}

function linking(editor, done) {
  let range = null;
  const input = h("input", {
    type: "url",
    placeholder: "https://example.com",
    "aria-label": "Link address",
    class: "link-input",
  });
  const place = h(
    "div",
    { class: "link-form", hidden: true },
    input,
    h(
      "button",
      { type: "button", class: "button", on: { click: () => confirm() } },
      "Add link",
    ),
  );
  const close = () => {
    place.hidden = true;
    editor.focus();
    if (range) restore(range);
  };
  const confirm = () => {
    const address = /^[a-z]+:/iu.test(input.value) ? input.value : `https://${input.value}`;
    const wanted = input.value.trim();
    close();
    if (wanted && range) insertLink(range, address);
    done();
  };
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter") confirm();
    else if (event.key === "Escape") close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  const open = () => {
    range = getSelection().rangeCount ? getSelection().getRangeAt(0).cloneRange() : null;
    place.hidden = false;
    input.value = "";
    input.focus();
  };
  return { place, open };
}

function insertLink(range, address) {
  const words = range.toString() || address.replace(/^https?:\/\//u, "");
  const link = h("a", { href: address }, words);
  range.deleteContents();
  range.insertNode(link);
  const after = document.createTextNode("\u200b");
  link.after(after);
  getSelection().collapse(after, 1);
}

function restore(range) {
  getSelection().removeAllRanges();
  getSelection().addRange(range);
}

function newLine(event) {
  event.preventDefault();
  const inList = selectedIn(event.currentTarget)?.closest("li");
  document.execCommand(inList ? "insertParagraph" : "insertLineBreak");
}

/** ArrowDown at the end of a quote or code block that ends the editor leaves it. */
function leaveBlock(editor) {
  const block = selectedIn(editor)?.closest("pre, blockquote, ul, ol");
  if (!block || block.parentElement !== editor || block.nextSibling) return;
  const line = h("div", {}, h("br"));
  editor.append(line);
}

function shortcut(event, editor, linkForm) {
  if (!(event.ctrlKey || event.metaKey)) return;
  const key = event.key.toLowerCase();
  const tool = event.shiftKey
    ? {
        x: "strikeThrough",
        7: "insertOrderedList",
        8: "insertUnorderedList",
        9: "quote",
        "&": "insertOrderedList",
        "*": "insertUnorderedList",
        "(": "quote",
        c: event.altKey && "block",
      }[key]
    : { b: "bold", i: "italic", k: "link", e: "code" }[key];
  if (!tool) return;
  event.preventDefault();
  apply(tool, editor, linkForm);
}

function focusEnd(editor) {
  editor.focus();
  const range = document.createRange();
  range.selectNodeContents(editor);
  range.collapse(false);
  restore(range);
}
