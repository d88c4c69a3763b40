"""What a source told in its readings, as tests look at it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from bridge.directory.model import Edge, Entry, Gone, Kind, Reading
from policy.directory.active_directory.settings import ActiveDirectorySettings
from policy.directory.active_directory.source import ActiveDirectory
from policy.directory.ldap.settings import LdapSettings
from tests.samba import Samba
from tests.samba_world import PASSWORD, SYNC

PATIENCE = 60.0  # seconds for a busy machine; nothing here should take one


@dataclass
class Told:
    """All of a source's readings, as whoever takes every one of them would hold them."""

    readings: list[Reading] = field(default_factory=list)
    entries: dict[str, Entry] = field(default_factory=dict)
    edges: set[Edge] = field(default_factory=set)
    gone: list[Gone] = field(default_factory=list)

    def take(self, reading: Reading) -> None:
        self.readings.append(reading)
        for entry in reading.entries:
            self.entries[entry.id] = entry
            if entry.members is not None:
                self.edges = {edge for edge in self.edges if edge.group != entry.id}
                self.edges |= {Edge(member, entry.id) for member in entry.members}
        self.edges |= set(reading.joined)
        self.edges -= set(reading.left)
        for gone in reading.gone:
            self.gone.append(gone)
            self.entries.pop(gone.id, None)

    @property
    def last(self) -> Reading:
        return self.readings[-1]

    @property
    def everything(self) -> bool:
        return self.last.whole and self.last.complete

    def named(self, name: str, kind: Kind = Kind.PERSON) -> Entry:
        """Return the one entry of this name or account."""
        (found,) = (
            entry
            for entry in self.entries.values()
            if entry.kind is kind and name in {entry.name, account(entry)}
        )
        return found

    def group(self, name: str) -> Entry:
        return self.named(name, Kind.GROUP)

    def members(self, group: str) -> set[str]:
        """Return the names of who is directly in a group."""
        id_ = self.group(group).id
        inside = {edge.member for edge in self.edges if edge.group == id_}
        return {self.entries[each].name for each in inside & self.entries.keys()}

    def people(self) -> set[str]:
        people = (e for e in self.entries.values() if e.kind is Kind.PERSON)
        return {account(entry) or entry.name for entry in people}


def account(entry: Entry) -> str:
    return entry.attributes.get("account", "")


def settings_for(
    server: Samba, account: str = SYNC, **more: object
) -> ActiveDirectorySettings:
    ldap = LdapSettings((server.url,), account, PASSWORD, ca_file=str(server.authority))
    made = ActiveDirectorySettings("ad", ldap)
    return replace(made, **more)  # type: ignore[arg-type] # whatever a test sets


async def told_by(
    source: ActiveDirectory, cursor: bytes = b"", into: Told | None = None
) -> Told:
    """Read once, on top of what was told before."""
    told = into or Told()
    async for reading in source.read(cursor):
        told.take(reading)
    return told


@dataclass
class Following:
    """A source that is followed: wait until it has told of something."""

    told: Told
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def run(self, readings: AsyncIterator[Reading]) -> None:
        async for reading in readings:
            async with self._news:
                self.told.take(reading)
                self._news.notify_all()

    async def until(self, true: Callable[[], object]) -> None:
        """Wait until something is true of what was told."""
        async with asyncio.timeout(PATIENCE), self._news:
            await self._news.wait_for(lambda: bool(true()))


@asynccontextmanager
async def following(source: ActiveDirectory, told: Told) -> AsyncIterator[Following]:
    """Follow a source from where it was last read."""
    made = Following(told)
    task = asyncio.create_task(made.run(source.follow(told.last.cursor)))
    try:
        yield made
    finally:
        task.cancel()
        await asyncio.wait([task])
        if not task.cancelled() and (error := task.exception()):
            raise error
