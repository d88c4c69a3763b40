"""Reading the directory from the command line, and deciding on what waits."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from aiohttp import ClientSession
from pydantic import SecretStr

from bots.command_line.company import company_id
from bots.command_line.officer import cli_officer
from bots.command_line.output import print_json, print_table, say, time_said
from bots.command_line.progress import progress_bar
from bots.core import Core, clock_us, core
from bots.directory_desk import Desk
from bots.directory_settings import SourceSettings
from bots.directory_side import Means, source_of
from bots.following import read_once
from bots.settings import Settings
from bots.settings_sources import read_settings
from bots.syncing import Outcome, Sync
from bridge.directory.control import standing_words
from bridge.directory.describing import described
from bridge.directory.frozen import FIRST
from bridge.directory.model import Reading
from bridge.errors import BadInput, ServiceUnavailable

_ROWS = 50


@dataclass(frozen=True, slots=True)
class Server:
    """A server that is typed instead of being in the settings."""

    url: str = ""
    base: str = ""
    bind: str = ""
    password_file: Path | None = None
    ca_file: Path | None = None
    kind: str = "ldap"

    def within(self, settings: Settings) -> Settings:
        """Return the settings with this server in them."""
        if not self.url:
            return settings
        if self.kind not in {"ldap", "active-directory"}:
            raise BadInput("--kind is ldap or active-directory")
        password = settings.directory.password
        if self.password_file:
            password = SecretStr(_secret(self.password_file))
        given = {
            "url": self.url,
            "base": self.base,
            "bind": self.bind,
            "kind": self.kind,
            "password": password,
            "ca": self.ca_file or settings.directory.ca,
        }
        directory = settings.directory.model_copy(update=given)
        return settings.model_copy(update={"directory": directory})


def _secret(path: Path) -> str:
    try:
        return path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput("--password-file must name a readable text file") from error


@asynccontextmanager
async def directory_core(
    company: str, given: Server
) -> AsyncIterator[tuple[Core, Sync]]:
    """Open a company's directory without a platform. Raises `NotFound` if none is."""
    settings = given.within(read_settings())
    async with core(settings, "command-line") as built:
        tenant = await company_id(built.companies, company)
        yield built, built.sources.required(tenant)


async def synchronise(
    wanted: str, given: Server, company: str, *, dry_run: bool, as_json: bool
) -> None:
    """Read sources from the beginning. Ends with an error if one was incomplete."""
    async with directory_core(company, given) as (built, sync), ClientSession() as http:
        chosen = _chosen(built.settings, wanted, given)
        means = Means(http, clock_us, built.scim.source)
        outcomes = [await _one(sync, each, means, dry_run=dry_run) for each in chosen]
        if as_json:
            print_json([_data(sync, each, dry_run=dry_run) for each in outcomes])
        else:
            for outcome in outcomes:
                _print(sync, outcome, dry_run=dry_run)
    if broken := [each for each in outcomes if each.problem]:
        names = ", ".join(each.source for each in broken)
        raise ServiceUnavailable(
            f"{names} could not be read to the end, so nobody was removed: "
            f"{broken[0].problem}"
        )


def _chosen(settings: Settings, wanted: str, given: Server) -> Sequence[SourceSettings]:
    sources = settings.directory.all_sources
    if given.url:
        wanted = "directory"
    found = [each for each in sources if wanted in {"", each.name, each.kind}]
    if not found:
        names = ", ".join(f"{each.name} ({each.kind})" for each in sources)
        raise BadInput(f"There is no source {wanted}; there are: {names}")
    return found


async def _one(
    sync: Sync, source: SourceSettings, means: Means, *, dry_run: bool
) -> Outcome:
    with progress_bar() as bar:
        task = bar.add_task(f"reading {source.name}", total=None)

        def seen(reading: Reading) -> None:
            bar.advance(task, len(reading.entries))

        known = (await sync.store.followed(sync.tenant)).get(source.name)
        last = known.cursor if known else b""
        reading = await read_once(source_of(source, means), seen=seen, last=last)
        if reading is None:
            reading = Reading(source.name, whole=False)
        bar.update(task, description=f"comparing {source.name}")
        if dry_run:
            return await sync.preview(reading)
        bar.update(task, description=f"writing {source.name}")
        return await sync.apply(reading)


def _print(sync: Sync, outcome: Outcome, *, dry_run: bool) -> None:
    count = len(outcome.changes)
    verb = "would change" if dry_run else "changed"
    say(f"{outcome.source}: {count} {verb}, version {outcome.version}.")
    shown = [c for c in outcome.changes if dry_run or c.why != FIRST]
    for change in shown[:_ROWS]:
        say(f"  {described(change, sync.state)}")
    if len(shown) > _ROWS:
        say(f"  and {len(shown) - _ROWS} more; --json shows all.")
    for frozen in outcome.frozen:
        wait = "would wait" if dry_run else "wait"
        say(f"{len(frozen.changes)} {wait} for somebody's word: {frozen.reason}.")
        for change in frozen.changes[:_ROWS]:
            say(f"  {described(change, sync.state)}")
        if not dry_run:
            say(f"  atom directory approve {frozen.digest}")


def _data(sync: Sync, outcome: Outcome, *, dry_run: bool) -> dict[str, Any]:
    def told(change: Any) -> dict[str, str]:
        return {
            "what": change.what,
            "kind": change.kind,
            "id": change.id,
            "group": change.group,
            "text": described(change, sync.state),
        }

    return {
        "source": outcome.source,
        "dry_run": dry_run,
        "version": outcome.version,
        "complete": not outcome.problem,
        "problem": outcome.problem,
        "changes": [told(change) for change in outcome.changes],
        "waiting": [
            {
                "hash": frozen.digest,
                "reason": frozen.reason,
                "changes": [told(change) for change in frozen.changes],
            }
            for frozen in outcome.frozen
        ],
    }


async def status(company: str, *, as_json: bool) -> None:
    async with directory_core(company, Server()) as (built, sync):
        health = await Desk(built.sources, built.duties).health(sync.tenant)
        if as_json:
            print_json(asdict(health))
            return
        age = " ".join(standing_words(health.age_seconds))
        say(f"{health.people} people, version {health.version}, {age} old.")
        columns = ("source", "kind", "people", "groups", "memberships", "heard", "")
        print_table(
            columns,
            [
                (
                    each.name,
                    each.kind,
                    str(each.people),
                    str(each.things),
                    str(each.memberships),
                    time_said(each.heard_us) if each.heard_us else "never",
                    each.problem,
                )
                for each in health.sources
            ],
        )
        for held in health.waiting:
            say(
                f"{held.count} changes of {held.source} are {held.state}: {held.reason}"
            )
            for line in held.lines:
                say(f"  {line}")
            say(f"  atom directory approve {held.digest}")
        for note in health.notes:
            say(note)


async def decide(digest: str, company: str, *, agree: bool) -> None:
    async with directory_core(company, Server()) as (built, sync):
        desk = Desk(built.sources, built.duties)
        held = await desk.decide(sync.tenant, cli_officer(), digest, agree=agree)
        said = "hold now" if agree else "are refused"
        say(f"{held.count} changes of {held.source} {said}.")
