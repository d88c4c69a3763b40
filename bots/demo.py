"""
`atom demo`: ATOM as it is in production, between a local Slack and a local Teams.

This process is the outside world and shows the page. ATOM itself is a child process,
started again whenever it ends: whatever a visitor does to it, nothing is lost.
"""

import asyncio
import os
import secrets
import shutil
import signal
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
from aiohttp import ClientError, ClientSession, ClientTimeout, web

from bots.core import core
from bots.demo_company import company_in, employ
from bots.demo_declared import declared
from bots.demo_process import AtomProcess
from bots.demo_records import business_systems, connect_people
from bots.sandbox.app import create_app
from bots.sandbox.slack import seed as slack
from bots.sandbox.slack.model import Kind as SlackKind
from bots.sandbox.slack.model import User as SlackUser
from bots.sandbox.teams import seed as teams
from bots.sandbox.teams.model import Channel as TeamsChannel
from bots.sandbox.teams.model import Person as TeamsPerson
from bots.sandbox.world import World
from bots.settings import Settings
from bridge.compliance import Duty, Officer
from bridge.errors import BadInput
from bridge.messages import Channel, Platform
from bridge.places import Place
from storage.compliance.rights.reading import CONSOLE

log = structlog.get_logger()

COMPANY = "demo"
FALCON = Channel(Platform.SLACK, "T01ACME", "C02FALCON")
PROJECT_FALCON = Channel(Platform.TEAMS, teams.ACME_TEAM, "19:falcon@thread.tacv2")
_KEEP_FILES = "Files.ReadWrite.All"
_COFFEE = "19:coffee@thread.tacv2"
# The last one joins three channels.
_LINKS = (
    (FALCON, PROJECT_FALCON),
    (
        Channel(Platform.SLACK, "T01ACME", "C01GENERAL"),
        Channel(Platform.TEAMS, teams.ACME_TEAM, teams.ACME_TEAM),
    ),
    (
        Channel(Platform.SLACK, "T01ACME", "C03RANDOM"),
        Channel(Platform.TEAMS, teams.ACME_TEAM, "19:random@thread.tacv2"),
        Channel(Platform.TEAMS, teams.ACME_TEAM, _COFFEE),
    ),
)

_READY_WITHIN = 90.0
_AGAIN = 0.5

_GREETINGS: tuple[tuple[str, Mapping[str, Any]], ...] = (
    (
        "slack",
        {
            "workspace": "T01ACME",
            "user": "U01ALICE",
            "channel": "C02FALCON",
            "action": "post",
            "text": "Morning! The *Falcon* telemetry is in. Who is on the Teams side?",
            "typed": True,
        },
    ),
    (
        "teams",
        {
            "tenant": teams.ACME,
            "user": "29:carol",
            "team": teams.ACME_TEAM,
            "channel": "19:falcon@thread.tacv2",
            "action": "post",
            "html": "<p>Carol here. Reading you <strong>loud and clear</strong>.</p>",
        },
    ),
    (
        "slack",
        {
            "workspace": "T01ACME",
            "user": "U02BOB",
            "channel": "C02FALCON",
            "action": "post",
            "text": "Globex is asking about CS-00001026 again. Can somebody take it?",
            "typed": True,
        },
    ),
)


@dataclass(frozen=True, slots=True)
class Demo:
    """Where the demo's parts are."""

    page: str
    atom: str
    home: Path
    console_token: str

    @property
    def config(self) -> Path:
        """ATOM's file of settings, with the business systems."""
        return self.home / "atom.toml"

    @property
    def people(self) -> Path:
        """The company's directory, which the page edits and ATOM follows."""
        return self.home / "people.yaml"

    @property
    def log(self) -> Path:
        """What ATOM logs, as it does in production."""
        return self.home / "atom.log"

    def environment(self) -> dict[str, str]:
        """Return what ATOM is told: the sandbox's addresses instead of the real."""
        host, port = self.atom.removeprefix("http://").split(":")
        kept = {k: v for k, v in os.environ.items() if not k.startswith("ATOM_")}
        return kept | {
            "ATOM_CONFIG": str(self.config),
            "ATOM_HOME": str(self.home),
            "ATOM_HOST": host,
            "ATOM_PORT": port,
            "ATOM_CONSOLE_TOKEN": self.console_token,
            "ATOM_DIRECTORY_PEOPLE": str(self.people),
            "ATOM_SLACK_SIGNING_SECRET": slack.SIGNING_SECRET,
            "ATOM_SLACK_BOT_TOKEN": slack.BOT_TOKEN,
            "ATOM_SLACK_API_URL": f"{self.page}/slack/api/",
            "ATOM_SLACK_WORK_OBJECTS": "true",
            "ATOM_TEAMS_APP_ID": teams.BOT_APP_ID,
            "ATOM_TEAMS_APP_PASSWORD": teams.BOT_PASSWORD,
            "ATOM_TEAMS_TENANT_ID": teams.ACME,
            "ATOM_TEAMS_OPENID_URL": (
                f"{self.page}/teams/openid/.well-known/openidconfiguration"
            ),
            "ATOM_TEAMS_TOKEN_URL": (
                f"{self.page}/teams/login/{teams.ACME}/oauth2/v2.0/token"
            ),
            "ATOM_TEAMS_GRAPH_URL": f"{self.page}/teams/graph/v1.0",
        }


async def run(settings: Settings) -> None:
    """Show the page until SIGTERM or SIGINT. Raises `BadInput` if it cannot start."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    world = World()
    _furnish_people(world)
    coffee = TeamsChannel(_COFFEE, teams.ACME, teams.ACME_TEAM, "Coffee Corner")
    world.teams.channels[_COFFEE] = coffee
    # An admin has let ATOM keep files in the teams' folders.
    world.settings.update({"teams.graph_roles": ["Group.Selected", _KEEP_FILES]})
    async with _page(settings, world) as address, business_systems() as systems:
        demo = Demo(
            page=address,
            atom=f"http://127.0.0.1:{_free_port()}",
            home=_clean(settings.home / "demo"),
            console_token=secrets.token_urlsafe(24),
        )
        world.company = company_in(demo.people)
        systems.configure(demo.config, demo.atom)
        await _set_up(demo)
        company = {"home": demo.home, "directory": {"people": demo.people}}
        await employ(
            Settings.model_validate(company),
            COMPANY,
            (_LINKS[0], _LINKS[2]),
            lambda built: connect_people(built, COMPANY, systems),
        )
        async with ClientSession(timeout=ClientTimeout(total=10)) as session:
            keeper = _Keeper(demo)
            world.kill_atom = keeper.kill
            keeping = asyncio.create_task(keeper.run())
            try:
                await _furnish(demo, session)
                print(f"ATOM demo: open {_shown(settings, address)}", flush=True)  # noqa: T201
                await stop.wait()
            finally:
                keeping.cancel()
                with suppress(asyncio.CancelledError):
                    await keeping


def _furnish_people(world: World) -> None:
    """
    Give one person of each side an account on the other, with the same address.

    Only they can be mentioned across: ATOM never goes by names.
    """
    erin = SlackUser("U05ERIN", "T01ACME", "erin", "Erin Park", "erin@acme.example")
    world.slack.users[erin.id] = erin
    for channel in world.slack.channels.values():
        if channel.team == erin.team and channel.kind is SlackKind.PUBLIC:
            channel.members.append(erin.id)
    gus = SlackUser("U06GUS", "T01ACME", "gus", "Gus Novak", "gus@partner.example")
    gus.is_guest = True
    world.slack.users[gus.id] = gus
    world.slack.channels["C03RANDOM"].members.append(gus.id)
    alice = TeamsPerson(
        "29:alice",
        teams.ACME,
        "Alice",
        "Wong",
        "alice@acme.example",
        "c0000000-0000-4000-8000-000000000099",
    )
    world.teams.people[alice.id] = alice
    world.teams.teams[teams.ACME_TEAM].members.append(alice.id)


@asynccontextmanager
async def _page(settings: Settings, world: World) -> AsyncIterator[str]:
    runner = web.AppRunner(create_app(world), access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, settings.host, settings.port)
        try:
            await site.start()
        except OSError as error:
            raise BadInput(
                f"cannot listen on {settings.host}:{settings.port}: choose another "
                "ATOM_HOST or ATOM_PORT"
            ) from error
        port = runner.addresses[0][1]
        # ATOM calls the sandbox on loopback, whatever address visitors use.
        any_host = settings.host in {"0.0.0.0", "::", "localhost"}  # noqa: S104
        yield f"http://{'127.0.0.1' if any_host else settings.host}:{port}"
    finally:
        await runner.cleanup()


def _shown(settings: Settings, address: str) -> str:
    return f"http://{settings.host}:{address.rsplit(':', 1)[1]}/"


def _clean(home: Path) -> Path:
    """The sandbox forgets everything at a restart, so the demo's log begins anew."""
    if (home / ".demo").exists():
        shutil.rmtree(home)
    home.mkdir(parents=True, exist_ok=True)
    (home / ".demo").touch()
    return home


async def _set_up(demo: Demo) -> None:
    """Do what `atom setup`, installing the apps and `/atom link` would do."""
    async with core(Settings(home=demo.home), "demo") as built:
        await built.companies.create(COMPANY, "Acme", "alice@acme.example")
        built.keys.create(COMPANY)
        await built.companies.bind(COMPANY, Platform.SLACK, "T01ACME", "Acme")
        await built.companies.bind(COMPANY, Platform.TEAMS, teams.ACME, "Acme")
        # The page shows what people said: that is a duty, given where all can see it.
        host = Officer("cli:demo")
        await built.duties.assign(COMPANY, host, host, Duty.ASSIGN)
        await built.duties.assign(COMPANY, host, CONSOLE, Duty.READ)
        for channels in _LINKS:
            await built.links.add(COMPANY, channels, "atom demo")
        service = f"{demo.page}/teams/connector/"
        group = teams.teams()[0].group_id
        await built.places.remember(
            Place(teams.ACME, teams.ACME_TEAM, "", service, "Acme", group)
        )


async def _furnish(demo: Demo, session: ClientSession) -> None:
    await _post(
        session,
        f"{demo.page}/sandbox/settings",
        {
            "atom_url": demo.atom,
            "console_token": demo.console_token,
            # Teams promises bots the reactions to their own messages only, and
            # tenants differ in the others. Visitors see the better case.
            "teams.reactions_on_user_messages": True,
            **declared("https://atom.example", teams.BOT_APP_ID, ["127.0.0.1"]),
        },
    )
    async with asyncio.timeout(_READY_WITHIN):
        while not await _is_ready(demo, session):
            await asyncio.sleep(0.1)
    before = await _logged(demo, session)
    async with asyncio.timeout(_READY_WITHIN):
        for done, (side, act) in enumerate(_GREETINGS, 1):
            await _post(session, f"{demo.page}/sandbox/{side}/act", act)
            while await _logged(demo, session) < before + 2 * done:
                await asyncio.sleep(0.02)


async def _is_ready(demo: Demo, session: ClientSession) -> bool:
    try:
        async with session.get(f"{demo.atom}/readyz") as answer:
            return answer.status == web.HTTPOk.status_code
    except (ClientError, OSError):
        return False


async def _logged(demo: Demo, session: ClientSession) -> int:
    """Return how many entries the log has: an event and its copy are two."""
    url = f"{demo.atom}/api/v1/log?tenant={COMPANY}&limit=1"
    headers = {"Authorization": f"Bearer {demo.console_token}"}
    async with session.get(url, headers=headers) as answer:
        answer.raise_for_status()
        size: int = (await answer.json())["size"]
        return size


async def _post(session: ClientSession, url: str, value: Mapping[str, Any]) -> None:
    async with session.post(url, json=value) as answer:
        answer.raise_for_status()


@dataclass(slots=True)
class _Keeper:
    """Runs ATOM, and again when it has ended, until cancelled."""

    demo: Demo
    child: AtomProcess | None = None

    async def run(self) -> None:
        while True:
            child = AtomProcess.start(self.demo.environment(), self.demo.log)
            self.child = child
            try:
                await child.wait()
            except asyncio.CancelledError:
                await child.stop()
                raise
            said = str(self.demo.log)
            log.warning("ATOM ended and is started again", code=child.code, log=said)
            await asyncio.sleep(_AGAIN)

    def kill(self) -> bool:
        """End ATOM at once, wherever it is; False if it does not run."""
        if self.child is None or self.child.code is not None:
            return False
        self.child.kill()
        return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
