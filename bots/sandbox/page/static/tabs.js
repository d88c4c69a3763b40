// On a small screen the columns are tabs.

import { byId } from "./dom.js";

export function tabs() {
  const all = [...document.querySelectorAll("[data-tab]")];
  const narrow = matchMedia("(max-width: 760px)");

  const choose = (tab, focus) => {
    document.body.dataset.shown = tab.dataset.tab;
    for (const one of all) {
      one.setAttribute("aria-selected", String(one === tab));
      one.tabIndex = one === tab ? 0 : -1;
    }
    tab.querySelector(".tab-news").hidden = true;
    for (const list of byId(tab.dataset.tab).querySelectorAll(".messages, .entries"))
      list.scrollTop = list.scrollHeight;
    if (focus) tab.focus();
  };
  const fit = () => {
    for (const tab of all) {
      const panel = byId(tab.dataset.tab);
      if (narrow.matches) panel.setAttribute("role", "tabpanel");
      else panel.removeAttribute("role");
    }
  };

  for (const tab of all) {
    tab.addEventListener("click", () => choose(tab, false));
    tab.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (step) choose(all[(all.indexOf(tab) + step + all.length) % all.length], true);
    });
  }
  narrow.addEventListener("change", fit);
  fit();

  return {
    /** Something new is in a column that is not shown. */
    news: (name) => {
      const tab = byId(`tab-${name}`);
      if (tab && document.body.dataset.shown !== name)
        tab.querySelector(".tab-news").hidden = false;
    },
  };
}
