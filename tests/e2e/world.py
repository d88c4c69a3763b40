"""ATOM as a process of its own, between a sandbox Slack and a sandbox Teams."""

import asyncio
import json
import os
import signal
import socket
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout, web

from bots.core import clock_us
from bots.sandbox.app import create_app
from bots.sandbox.slack import seed as slack
from bots.sandbox.teams import seed as teams
from bots.sandbox.world import World as Outside
from bots.settings import Settings
from bridge.delivery import SHARDS
from bridge.messages import Channel, Platform
from bridge.places import Place
from storage.companies import StoredCompanies
from storage.compliance.keys import KeyFile, Keyring
from storage.database import opened
from storage.database_url import database_url
from storage.hot import HotStore
from storage.journal import Journal
from storage.links import StoredLinks
from storage.log_reader import LogEntry, LogReader, Verdict
from storage.migrate import upgrade
from storage.outbox import Outbox, StoredShards
from storage.places import StoredPlaces
from tests.databases import migrated_sqlite
from tests.e2e.process import AtomProcess
from tests.servers import free_port

COMPANY = "acme"
FALCON = Channel(Platform.SLACK, "T01ACME", "C02FALCON")
PROJECT = Channel(Platform.TEAMS, teams.ACME_TEAM, "19:falcon@thread.tacv2")

LIMITS = (
    "ATOM_TUNING_TEAMS_CHANNEL_LIMIT",
    "ATOM_TUNING_TEAMS_TENANT_LIMIT",
    "ATOM_TUNING_TEAMS_REACTION_LIMIT",
    "ATOM_TUNING_SLACK_CHANNEL_LIMIT",
    "ATOM_TUNING_SLACK_WORKSPACE_LIMIT",
    "ATOM_TUNING_SLACK_METHOD_LIMIT",
)

# Of processes that share the work: how soon one takes over what another leaves.
SHARING = {"ATOM_TUNING_LEASE": "2"}

# A link, typed as one, that no platform takes which takes 4,000 bytes at most.
UNCUTTABLE = f"https://example.com/{'long' * 750} "

# Seconds; a busy machine, not a slow ATOM.
_READY_WITHIN = 90.0
_SOON = 60.0
_ANSWERED_WITHIN = 30.0
_UNTOLD = 0.25  # some of what a test waits for is no change of the sandbox's own

# What is refused comes again soon, so that a test does not take minutes. An answer is
# waited for, however slow the machine: what comes again is overtaken by what is newer.
HASTY: Mapping[str, Any] = {
    "slack.answer_timeout": _ANSWERED_WITHIN,
    "slack.order_wait": _ANSWERED_WITHIN,
    "slack.retry_delays": [0.5] * 100,
    "slack.rate_limits": False,
    "teams.throttles": False,
    "teams.answer_timeout": _ANSWERED_WITHIN,
    "teams.order_wait": _ANSWERED_WITHIN,
    "teams.resend_pause": 0.5,
    "teams.resends": 1000,
    "teams.resend_statuses": [503],
}


@dataclass
class World:
    """Everything a test does to the outside world, and sees of it."""

    base: str
    home: Path
    database_url: str
    session: ClientSession
    port: int
    redis_url: str = ""
    more: dict[str, str] = field(default_factory=dict)
    process: AtomProcess | None = None
    sandbox: Outside = field(default_factory=Outside)
    ahead: float = 0.0  # seconds by which the clock of ATOM's host is

    @property
    def atom(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def settings(self) -> Settings:
        return Settings.model_validate(
            {"home": self.home, "database_url": self.database_url}
        )

    def environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith("ATOM_")}
        return kept | {
            "ATOM_CONFIG": os.devnull,
            "ATOM_HOME": str(self.home),
            "ATOM_HOST": "127.0.0.1",
            "ATOM_PORT": str(self.port),
            "ATOM_DATABASE_URL": self.database_url,
            "ATOM_REDIS_URL": self.redis_url,
            "ATOM_CONSOLE_TOKEN": "console",
            "ATOM_SLACK_SIGNING_SECRET": slack.SIGNING_SECRET,
            "ATOM_SLACK_BOT_TOKEN": slack.BOT_TOKEN,
            "ATOM_SLACK_API_URL": f"{self.base}/slack/api/",
            "ATOM_TEAMS_APP_ID": teams.BOT_APP_ID,
            "ATOM_TEAMS_APP_PASSWORD": teams.BOT_PASSWORD,
            "ATOM_TEAMS_TENANT_ID": teams.ACME,
            "ATOM_TEAMS_OPENID_URL": (
                f"{self.base}/teams/openid/.well-known/openidconfiguration"
            ),
            "ATOM_TEAMS_TOKEN_URL": (
                f"{self.base}/teams/login/{teams.ACME}/oauth2/v2.0/token"
            ),
            "ATOM_TEAMS_GRAPH_URL": f"{self.base}/teams/graph/v1.0",
            "ATOM_TUNING_POLL": "0.05",
            "ATOM_TUNING_FIRST_PAUSE": "0.1",
            "ATOM_TUNING_RECONCILE_AFTER": "0.5",
            "ATOM_TUNING_ORPHAN_PATIENCE": "15",
            "ATOM_TUNING_CALL_TIMEOUT": "3",
            "ATOM_TUNING_CAPTURE_PATIENCE": "20",
            **dict.fromkeys(LIMITS, "none"),
            **self.more,
        }

    @property
    def stderr(self) -> str:
        """What every ATOM of this world has written."""
        path = self.home / "stderr.log"
        return path.read_text() if path.exists() else ""

    async def start(
        self, step: str = "", times: int = 1, blow: signal.Signals = signal.SIGKILL
    ) -> None:
        """Start ATOM; with a step, it kills itself there, or does itself a lesser blow."""
        self.process = AtomProcess.start(
            self.environment(),
            self.home / "stderr.log",
            step,
            times,
            blow,
            ahead=self.ahead,
        )
        async with asyncio.timeout(_READY_WITHIN):
            while not await self._is_ready():
                assert not self.process.ended, f"ATOM ended: {self.stderr[-2000:]}"
                await asyncio.sleep(0.02)

    async def died(self, within: float = _SOON) -> None:
        """Wait until ATOM has killed itself; raises `TimeoutError` if it has not."""
        assert self.process is not None
        async with asyncio.timeout(within):
            await self.process.wait()
        await self._buried()

    async def stop(self) -> int | None:
        """End ATOM as an operator would; returns its exit code."""
        if self.process is None or self.process.ended:
            return None
        self.process.terminate()
        try:
            async with asyncio.timeout(_SOON):
                return await self.process.wait()
        except TimeoutError:
            self.process.kill()
            return await self.process.wait()

    async def kill(self) -> None:
        """End ATOM as a power cut would."""
        assert self.process is not None
        self.process.kill()
        await self.process.wait()
        await self._buried()

    async def _buried(self) -> None:
        """
        Let the leases of a dead process run out, as they would in some seconds.

        Short ones would run out on a slow machine while somebody works by them. Where
        several processes share the work, a test names a lease, and waits for it.
        """
        if "ATOM_TUNING_LEASE" in self.more:
            return
        async with self.store() as store:
            await StoredShards(store, "test", lease_us=1).seize()

    async def slack(self, action: str, **wish: Any) -> str:
        """Let somebody act in Slack's #project-falcon; returns the message's ts."""
        given = {"workspace": "T01ACME", "user": "U01ALICE", "channel": FALCON.id}
        answer = await self._act("slack", given | {"action": action} | wish)
        return str(answer.get("ts", ""))

    async def teams(self, action: str, **wish: Any) -> str:
        """Let somebody act in Teams' Project Falcon; returns the message's id."""
        given = {
            "tenant": teams.ACME,
            "user": "29:carol",
            "team": PROJECT.team,
            "channel": PROJECT.id,
        }
        answer = await self._act("teams", given | {"action": action} | wish)
        return str(answer.get("id", ""))

    async def set(self, **settings: Any) -> None:
        values = {name.replace("__", "."): value for name, value in settings.items()}
        await self._post("/sandbox/settings", values)

    async def choose(self, settings: Mapping[str, Any]) -> None:
        """Choose settings of the sandbox by their full names."""
        await self._post("/sandbox/settings", settings)

    async def fault(self, on: str, fault: str, **more: Any) -> None:
        await self._post("/sandbox/faults", {"on": on, "fault": fault, **more})

    async def no_faults(self) -> None:
        async with self.session.delete(f"{self.base}/sandbox/faults") as answer:
            answer.raise_for_status()

    async def state(self) -> Mapping[str, Any]:
        """Return what `/sandbox/state` would answer now, without asking by HTTP."""
        slack, teams = self.sandbox.slack, self.sandbox.teams
        shown = {"slack": slack.as_json(), "teams": teams.as_json()}
        found: Mapping[str, Any] = json.loads(json.dumps(shown))
        return found

    async def journal(self) -> list[Mapping[str, Any]]:
        """Return what `/sandbox/journal` would answer now."""
        shown = json.dumps(self.sandbox.journal.since(0))
        found: list[Mapping[str, Any]] = json.loads(shown)
        return found

    async def until(
        self, holds: Callable[[Mapping[str, Any]], bool], seconds: float = _SOON
    ) -> Mapping[str, Any]:
        """Wait until the sandbox's state is as wanted; returns it."""
        state: Mapping[str, Any] = {}
        try:
            with self.sandbox.changes.subscribe() as changes:
                async with asyncio.timeout(seconds):
                    while not holds(state := await self.state()):
                        await _stirred(changes)
        except TimeoutError:
            raise AssertionError(f"not reached; last seen: {_short(state)}") from None
        return state

    @asynccontextmanager
    async def store(self) -> AsyncIterator[HotStore]:
        """Open ATOM's database, which costs much less than all that stands on it."""
        async with opened(database_url(self.database_url)) as database:
            yield database.hot

    def reader(self, store: HotStore) -> LogReader:
        return LogReader(store, Keyring(store, KeyFile.under(self.home)))

    async def log(self) -> list[LogEntry]:
        async with self.store() as store:
            return await self.reader(store).entries(COMPANY, -1, 10_000)

    async def logged(
        self, holds: Callable[[list[LogEntry]], bool], seconds: float = _SOON
    ) -> list[LogEntry]:
        """Wait until the log is as wanted; returns it."""
        entries: list[LogEntry] = []
        try:
            async with self.store() as store, asyncio.timeout(seconds):
                reader = self.reader(store)
                while not holds(entries := await reader.entries(COMPANY, -1, 10_000)):
                    await asyncio.sleep(0.1)
        except TimeoutError:
            kinds = Counter(entry.etype for entry in entries)
            raise AssertionError(f"not reached; the log holds {kinds}") from None
        return entries

    async def members_known(self, channels: int = 2) -> None:
        """Wait until it is on record who is in the linked channels."""

        def known(entries: list[LogEntry]) -> bool:
            joined = {e.row["conv"] for e in entries if e.etype == "member.join"}
            return len(joined) >= channels

        await self.logged(known)

    async def verdict(self) -> Verdict:
        async with self.store() as store:
            return await self.reader(store).verify(COMPANY)

    async def heard(self) -> None:
        """Wait until all that happened is on record: ATOM has answered to it."""
        async with asyncio.timeout(_SOON):
            while self.sandbox.undelivered:
                await asyncio.sleep(0.02)

    async def quiet(self) -> None:
        """Wait until all is on record that happened, and nothing is left to deliver."""
        await self.heard()
        async with self.store() as store, asyncio.timeout(_SOON):
            queue = Outbox(store)
            while await queue.unfinished(range(SHARDS), dict(await queue.sizes())):
                await asyncio.sleep(0.05)

    async def set_up(self) -> None:
        """
        Do what `atom setup`, the installs and `/atom link` would do.

        Only what that needs is built: every test begins with it.
        """
        async with opened(database_url(self.database_url)) as database:
            await upgrade(database.engine)
            companies = StoredCompanies(database.engine, clock_us)
            await companies.create(COMPANY, "Acme", "alice@acme.example")
            KeyFile.under(self.home).create(COMPANY)
            for platform, account in (
                (Platform.SLACK, "T01ACME"),
                (Platform.TEAMS, teams.ACME),
            ):
                await companies.bind(COMPANY, platform, account, "Acme")
            await StoredPlaces(database.hot, clock_us).remember(
                Place(
                    teams.ACME,
                    teams.ACME_TEAM,
                    "",
                    f"{self.base}/teams/connector/",
                    "Acme",
                    teams.teams()[0].group_id,
                )
            )

    async def link(self) -> None:
        async with self.store() as store:
            ring = Keyring(store, KeyFile.under(self.home))
            journal = Journal(store, ring, clock_us, patience=_SOON, owner="test")
            links = StoredLinks(store, journal, ring, clock_us)
            await links.add(COMPANY, (FALCON, PROJECT), "test")

    async def _act(self, side: str, wish: Mapping[str, Any]) -> Mapping[str, Any]:
        return await self._post(f"/sandbox/{side}/act", wish)

    async def _post(self, path: str, value: Mapping[str, Any]) -> Mapping[str, Any]:
        async with self.session.post(f"{self.base}{path}", json=value) as answer:
            found: Mapping[str, Any] = await answer.json()
            assert answer.status == 200, found
            assert found.get("ok", True), found
            return found

    async def _is_ready(self) -> bool:
        with socket.socket() as probe:
            # A session takes fifty times as long to learn that nobody listens yet.
            if probe.connect_ex(("127.0.0.1", self.port)):
                return False
        try:
            async with self.session.get(f"{self.atom}/readyz") as answer:
                return answer.status == 200
        except (ClientError, OSError):
            return False


async def _stirred(changes: "asyncio.Queue[Any]") -> None:
    """Wait until the sandbox tells of a change, and a moment for those with it."""
    with suppress(TimeoutError):
        async with asyncio.timeout(_UNTOLD):
            await changes.get()
            await asyncio.sleep(0.02)
    while not changes.empty():
        changes.get_nowait()


def _short(state: Mapping[str, Any]) -> str:
    return f"slack: {slack_texts(state)} teams: {teams_texts(state)}" if state else ""


def slack_messages(
    state: Mapping[str, Any], channel: str = FALCON.id
) -> list[Mapping[str, Any]]:
    """Return what stands in a Slack channel, threads included, oldest first."""
    return [
        message
        for workspace in state["slack"]["workspaces"]
        for found in workspace["channels"]
        if found["id"] == channel
        for message in found["messages"]
        if not message["deleted"] and message.get("subtype") != "tombstone"
    ]


def teams_messages(
    state: Mapping[str, Any], channel: str = PROJECT.id
) -> list[Mapping[str, Any]]:
    """Return what stands in a Teams channel, replies included, oldest first."""
    return [
        message
        for tenant in state["teams"]["tenants"]
        for team in tenant["teams"]
        for found in team["channels"]
        if found["id"] == channel
        for message in found["messages"]
        if not message["deleted"]
    ]


def slack_texts(state: Mapping[str, Any]) -> list[str]:
    return [m["text"] for m in slack_messages(state)]


def teams_texts(state: Mapping[str, Any]) -> list[str]:
    return [m["text"].strip() for m in teams_messages(state)]


@asynccontextmanager
async def world(
    home: Path, database_url: str, redis_url: str = "", **more: str
) -> AsyncIterator[World]:
    """A sandbox that outlives ATOM, a company, and a link; ATOM is not started."""
    if not (home / "atom.db").exists() and database_url.endswith(f"{home}/atom.db"):
        migrated_sqlite(home)
    sandbox = Outside()
    runner = web.AppRunner(create_app(sandbox), access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    async with ClientSession(timeout=ClientTimeout(total=_SOON)) as session:
        made = World(
            f"http://127.0.0.1:{port}",
            home,
            database_url,
            session,
            free_port(),
            redis_url,
            dict(more),
            sandbox=sandbox,
        )
        try:
            await made._post("/sandbox/settings", {"atom_url": made.atom, **HASTY})
            await made.set_up()
            yield made
        finally:
            await made.stop()
            await runner.cleanup()
