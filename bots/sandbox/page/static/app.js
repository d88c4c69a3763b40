// Put the three columns together and keep them up to date.

import { follow, read } from "./api.js";
import { byId } from "./dom.js";
import { LogSide } from "./log.js";
import { SlackSide } from "./slack.js";
import { tabs } from "./tabs.js";
import { TeamsSide } from "./teams.js";

let known = null; // address -> address; null until ATOM's log was read
const links = {
  of: (address) => known && nameOf(known.get(address)),
};

const slack = new SlackSide(links);
const teams = new TeamsSide(links);
const small = tabs();
const log = new LogSide({
  nameOf,
  // The log may hold a person's id alone: names are the platforms' to tell.
  personOf: ({ author }) =>
    slack.nameOfPerson(author) || teams.nameOfPerson(author) || author,
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
  const side = address.startsWith("slack:") ? slack : teams;
  return side.nameOfChannel(id) ?? id;
}

let drawn = "";

function redraw() {
  if (!drawn) return;
  slack.draw();
  teams.draw();
  log.draw();
  showBond();
}

function showBond() {
  const pair = known && [...known].find(([address]) => address.startsWith("slack:"));
  byId("bond").hidden = !pair;
  if (!pair) return;
  byId("bond-slack").textContent = nameOf(pair[0]);
  byId("bond-teams").textContent = nameOf(pair[1]);
}

const HEALTH = {
  live: "ATOM is running",
  away: "ATOM is restarting",
  none: "No ATOM connected",
  lost: "Sandbox unreachable",
};

function showHealth(state) {
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
  onOpen: () => refresh().catch(() => showHealth("lost")),
  onData: (change) => {
    small.news(change.side);
    refresh().catch(() => showHealth("lost"));
  },
});
log.start();
