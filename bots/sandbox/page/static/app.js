// Put the three columns together and keep them up to date.

import { follow, read } from "./api.js";
import { CompanyPanel } from "./company.js";
import { byId } from "./dom.js";
import { FaultPanel } from "./faults.js";
import { LogSide } from "./log.js";
import { SlackSide } from "./slack.js";
import { tabs } from "./tabs.js";
import { TeamsSide } from "./teams.js";

let known = null; // address -> those linked with it; null until ATOM's log was read
const links = {
  of: (address) => known && (known.get(address) ?? []).map(nameOf).join(" and "),
};

const slack = new SlackSide(links, () => showBond());
const teams = new TeamsSide(links);
const faults = new FaultPanel();
const company = new CompanyPanel();
const small = tabs();
const log = new LogSide({
  nameOf,
  personOf: ({ author }) => personNamed(author),
  onLinks: (found) => {
    known = found;
    redraw();
  },
  onHealth: (state) => {
    if (state === "live" && !known) known = new Map();
    showHealth(state);
  },
  onNews: () => small.news("log"),
});

/** A channel's name as people know it; "" if there is none. */
function nameOf(address) {
  if (!address) return "";
  const id = address.slice(address.indexOf("/") + 1);
  return slack.nameOfChannel(id) ?? teams.nameOfChannel(id) ?? id;
}

/** The log may hold a person's id or address alone: names are the platforms' to tell. */
function personNamed(author) {
  const id = (author ?? "").replace(/^(slack|teams):(\w+\/)?/u, "");
  return slack.nameOfPerson(id) || teams.nameOfPerson(id) || author;
}

let drawn = "";

function redraw() {
  if (!drawn) return;
  slack.draw();
  teams.draw();
  log.draw();
  showBond();
}

/** The link of the channel that is open in Slack. */
function showBond() {
  const here = slack.address();
  const there = links.of(here);
  byId("bond").hidden = !there;
  if (!there) return;
  byId("bond-slack").textContent = nameOf(here);
  byId("bond-teams").textContent = there;
}

const HEALTH = {
  live: "ATOM is running",
  away: "ATOM is restarting",
  none: "No ATOM connected",
  lost: "Sandbox unreachable",
};

function showHealth(state) {
  faults.atomIs(state);
  byId("health").dataset.state = state;
  byId("health-text").textContent = HEALTH[state];
}

let reading = false;
let wanted = false;

/** Read the sandbox's state; changes that come meanwhile cause one more reading. */
async function refresh() {
  wanted = true;
  if (reading) return;
  reading = true;
  try {
    while (wanted) {
      wanted = false;
      const state = await read("/sandbox/state");
      slack.update(state.slack);
      teams.update(state.teams);
      if (!drawn) {
        drawn = "yes";
        redraw();
      }
    }
  } finally {
    reading = false;
  }
}

follow({
  address: () => "/sandbox/changes",
  onOpen: () => {
    faults.refresh();
    company.refresh();
    refresh().catch(() => showHealth("lost"));
  },
  onData: (change) => {
    if (change.kind === "faults") {
      faults.refresh();
      return;
    }
    if (change.kind === "company") {
      company.refresh();
      return;
    }
    small.news(change.side);
    refresh().catch(() => showHealth("lost"));
  },
});
log.start();
