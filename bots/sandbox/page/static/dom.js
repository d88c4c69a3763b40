// Build and update the page without ever handing a string to the HTML parser.

const SVG = "http://www.w3.org/2000/svg";
const STATIC = new URL(".", import.meta.url).pathname;

/** Make an element: `on` holds listeners, `data` the dataset, the rest attributes. */
export function h(tag, { on = {}, data = {}, ...attributes } = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  Object.assign(element.dataset, data);
  for (const [name, listener] of Object.entries(on)) {
    element.addEventListener(name, listener);
  }
  element.append(
    ...children.flat(Infinity).filter((child) => child != null && child !== false),
  );
  return element;
}

export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

export function icon(name) {
  return svg(
    "svg",
    { class: "icon", "aria-hidden": "true" },
    svg("use", { href: `${STATIC}icons.svg#${name}` }),
  );
}

export const byId = (id) => document.getElementById(id);

/**
 * Make `parent` hold the items in order. An item is {key, sign, build}: its node is
 * kept, with focus and all, as long as `sign` stays the same.
 */
export function reconcile(parent, items) {
  const standing = new Map([...parent.children].map((node) => [node.dataset.key, node]));
  const first = parent.dataset.filled !== "yes";
  let place = parent.firstElementChild;
  for (const item of items) {
    const node = kept(standing, item, first);
    if (place && place.parentNode !== parent) place = node; // it was replaced
    if (node === place) place = place.nextElementSibling;
    else parent.insertBefore(node, place);
    standing.delete(item.key);
  }
  for (const node of standing.values()) node.remove();
  parent.dataset.filled = "yes";
}

function kept(standing, item, first) {
  const old = standing.get(item.key);
  if (old?.dataset.sign === item.sign) return old;
  const fresh = item.build();
  fresh.dataset.key = item.key;
  fresh.dataset.sign = item.sign;
  if (!old) {
    if (!first) fresh.classList.add("arriving");
    return fresh;
  }
  const held = old.contains(document.activeElement);
  fresh.tabIndex = old.tabIndex;
  old.replaceWith(fresh);
  if (held) fresh.focus({ preventScroll: true });
  return fresh;
}

/** A scroller that was at its end stays there when it gets smaller or larger. */
export function anchored(scroller) {
  let atEnd = true;
  scroller.addEventListener("scroll", () => {
    atEnd = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 60;
  });
  new ResizeObserver(() => {
    if (atEnd) scroller.scrollTop = scroller.scrollHeight;
  }).observe(scroller);
}

/** Empty a list that is about to show something else; nobody needs to hear it all. */
export function emptied(list) {
  list.replaceChildren();
  list.dataset.filled = "no";
  list.setAttribute("aria-busy", "true");
  requestAnimationFrame(() => list.removeAttribute("aria-busy"));
}

/** Run `change`; if the reader was at the end of the scroller, stay at the end. */
export function stayingAtEnd(scroller, change, force = false) {
  const slack = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight;
  change();
  if (force || slack < 60) scroller.scrollTop = scroller.scrollHeight;
}

let hiding;

/** Tell the visitor that something did not work. */
export function toast(text) {
  const place = byId("toast");
  place.textContent = text;
  place.hidden = false;
  clearTimeout(hiding);
  hiding = setTimeout(() => (place.hidden = true), 5000);
}
