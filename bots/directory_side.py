"""
The company's directory, from the settings: its sources, and what becomes of them.

`source_of` is where a kind of source is given its adapter.
"""

import asyncio
import re
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog
from aiohttp import ClientSession

from bots.active_directory_source import active_directory
from bots.directory_settings import DirectorySettings, SourceSettings
from bots.directory_sources import (
    bamboo_source,
    csv_source,
    entra_source,
    hook_secret,
    workday_source,
)
from bots.following import Follower, Pace
from bots.ldap_source import ldap_source
from bots.syncing import Outcome, Rules, Sync
from bridge.directory.brake import Limits
from bridge.directory.grace import Leniency
from bridge.directory.held import Lost
from bridge.directory.links import AccountLinks
from bridge.directory.model import Reading
from bridge.directory.people import Join, Precedence
from bridge.directory.ports import Source
from bridge.directory.pushed import PushSource
from bridge.directory.view import LiveDirectory
from bridge.errors import BadInput, NotFound, StoreUnavailable
from policy.directory.yaml_file import YamlFile
from storage.directory.stored import StoredDirectory

log = structlog.get_logger()

_PAIR = re.compile(r"(\*|[\w-]+)\.(\w+) = (\*|[\w-]+)\.(\w+)")
_MICRO = 1_000_000
_DAY = 86_400 * _MICRO

Job = Callable[[], Coroutine[Any, Any, None]]


@dataclass(frozen=True, slots=True)
class Means:
    """
    What an adapter may need of the process it runs in.

    `pushed` makes the source of what identity providers pushed, where that is kept.
    """

    session: ClientSession | None
    clock: Callable[[], int]
    pushed: Callable[[], Source] | None = None


def source_of(settings: SourceSettings, means: Means) -> Source:
    """Return the adapter of a source. Raises `BadInput` if it cannot be made."""
    make = _MAKERS.get(settings.kind)
    if make is None:
        raise BadInput(f"This ATOM cannot read a directory of kind {settings.kind}.")
    try:
        return make(settings, means)
    except BadInput as error:
        if re.match(rf"(the source )?{settings.name}\b", str(error), re.IGNORECASE):
            raise
        raise BadInput(f"{settings.spelled}: {error}") from error


def _pushed(settings: SourceSettings, means: Means) -> Source:
    return means.pushed() if means.pushed else PushSource(settings.name)


def _yaml(settings: SourceSettings, _means: Means) -> Source:
    if settings.path is None:
        raise BadInput(f"The source {settings.name} needs the path of its YAML file.")
    return YamlFile(settings.name, settings.path)


def _ldap(settings: SourceSettings, means: Means) -> Source:
    return ldap_source(settings, means.clock)


_MAKERS: Mapping[str, Callable[[SourceSettings, Means], Source]] = {
    "yaml": _yaml,
    "ldap": _ldap,
    "active-directory": lambda source, means: active_directory(source, means.clock),
    "scim": _pushed,
    "entra": lambda source, means: entra_source(source, means.session, means.clock),
    "hr-csv": lambda source, means: csv_source(source, means.session, means.clock),
    "bamboohr": lambda source, means: bamboo_source(source, means.session, means.clock),
    "workday": lambda source, means: workday_source(source, means.session, means.clock),
}


@dataclass(slots=True)
class DirectorySide:
    """
    The directory of the company that has one. `on_outcome` is told of every reading.

    `sync` is None without a directory, or as long as no company is set up.
    """

    settings: DirectorySettings
    view: LiveDirectory
    store: StoredDirectory
    owner: str
    sync: Sync | None = None
    on_outcome: list[Callable[[str, Outcome], None]] = field(default_factory=list)
    live: dict[str, Source] = field(default_factory=dict)  # those that are read here

    @property
    def tenant(self) -> str:
        return self.sync.tenant if self.sync else ""

    def required(self, tenant: str) -> Sync:
        """Return a company's directory. Raises `NotFound` if it has none."""
        if self.sync is None or self.sync.tenant != tenant:
            raise NotFound(
                "No directory is set up: set ATOM_DIRECTORY_PEOPLE to a YAML file, or "
                "see docs/directory.md."
            )
        return self.sync

    async def push(self, tenant: str, reading: Reading) -> Outcome:
        """Take in what a source says by itself, through the brake."""
        outcome = await self.required(tenant).apply(reading)
        self.told(outcome)
        return outcome

    async def losses(self, tenant: str, subject: str) -> Sequence[Lost]:
        """Return what somebody is in no more. Raises `StoreUnavailable`."""
        entries = self.view.entries(tenant, subject)
        return await self.store.losses(tenant, subject, entries)

    def told(self, outcome: Outcome) -> None:
        """Tell whoever listens what a reading did."""
        if outcome.problem:
            log.warning(
                "directory incomplete", source=outcome.source, reason=outcome.problem
            )
        for frozen in outcome.fresh:
            log.error(
                "directory changes wait",
                source=frozen.source,
                count=len(frozen.changes),
                digest=frozen.digest,
                reason=frozen.reason,
            )
        for listener in self.on_outcome:
            listener(self.tenant, outcome)

    def hook_secrets(self) -> Mapping[str, str]:
        """Return by what calls are known of the sources that may call, by name."""
        return {each.name: hook_secret(each) for each in self.settings.all_sources}

    def jobs(self, means: Means) -> Sequence[Job]:
        """Return what keeps the directory up to date, to be run for ever."""
        if self.sync is None:
            return ()
        pace = Pace(self.settings.whole_every, self.settings.retry)
        for each in self.settings.all_sources:
            self.live[each.name] = source_of(each, means)
        followers = [
            Follower(self.sync, source, self.owner, pace, self.told)
            for source in self.live.values()
        ]
        return (self._see_others, *(follower.run for follower in followers))

    async def _see_others(self) -> None:
        """Take over what other processes did."""
        while self.sync:
            await asyncio.sleep(self.settings.refresh)
            try:
                await self.sync.refresh()
            except StoreUnavailable as error:
                log.warning("directory not read", reason=str(error))


async def directory_side(
    settings: DirectorySettings,
    store: StoredDirectory,
    companies: Sequence[str],
    owner: str,
    links: AccountLinks | None = None,
) -> DirectorySide:
    """Load the directory as it was last known, without asking any source."""
    view = LiveDirectory(store.clock, links)
    side = DirectorySide(settings, view, store, owner)
    if not settings.all_sources or not companies:
        return side
    tenant = _tenant(settings, companies)
    names = tuple(source.name for source in settings.all_sources)
    advisory = frozenset(s.name for s in settings.all_sources if s.advisory)
    view.configure(tenant, names, Precedence(names, settings.precedence, advisory))
    side.sync = Sync(tenant, view, store, rules_of(settings), store.clock)
    await side.sync.refresh()
    return side


def rules_of(settings: DirectorySettings) -> Rules:
    """Return the settings' rules in the units that the sync works with."""
    given = settings.limits
    limits = Limits(
        people=given.people,
        people_share=given.people_percent / 100,
        memberships=given.memberships,
        memberships_share=given.memberships_percent / 100,
        group=given.group,
        group_share=given.group_percent / 100,
        newcomers=given.newcomers,
        newcomers_share=given.newcomers_percent / 100,
        admins=frozenset(settings.admins),
    )
    return Rules(
        limits=limits,
        unbraked=frozenset(s.name for s in settings.all_sources if not s.braked),
        pushed=frozenset(s.name for s in settings.all_sources if s.kind == "scim"),
        joins=tuple(map(_join, settings.joins)),
        leniency=Leniency(
            settings.runs.keep if settings.runs.on else {}, frozenset(settings.admins)
        ),
        grace_us=int(settings.missed_grace * _MICRO),
        quarantine_us=int(settings.quarantine_days * _DAY),
        bury_us=int(settings.bury_days * _DAY),
    )


def _join(text: str) -> Join:
    if pair := _PAIR.fullmatch(text):
        return Join(*pair.groups())
    return Join("*", text, "*", text)


def _tenant(settings: DirectorySettings, companies: Sequence[str]) -> str:
    if settings.company:
        if settings.company not in companies:
            raise BadInput(f"ATOM_DIRECTORY_COMPANY: there is no {settings.company}")
        return settings.company
    if len(companies) > 1:
        raise BadInput(
            "ATOM_DIRECTORY_COMPANY is missing: there are several companies, say whose "
            "directory it is"
        )
    return companies[0]
