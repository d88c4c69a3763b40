"""
A tenant's people and groups out of Entra ID, by delta queries of Microsoft Graph.

Groups are read before people: whoever is in a group that was read exists when the
people are read. Entra says nothing about somebody's groups when it deletes them, and
tells direct membership only, which is all that ATOM needs.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from http import HTTPStatus
from typing import Any

import structlog

from bridge.directory.model import Edge, Entry, Fate, Gone, Reading, Standing
from policy.directory.entra.graph import Graph, StateLost, in_path
from policy.directory.entra.objects import Shape, is_whole, removed
from policy.directory.entra.subscriptions import Subscriptions
from policy.directory.entra.units import gone, units
from policy.directory.rest import Unread, mappings, text

log = structlog.get_logger()

_State = tuple[str, str, frozenset[str]]  # where groups and users go on, and units
_Into = Callable[[Mapping[str, Any]], None]  # takes one object of a page
_FIRST_PAUSE = 5.0  # seconds after a reading that failed, doubled up to `poll`


@dataclass(slots=True)
class EntraSource:
    """
    Implements `bridge.directory.ports.Source`.

    `poll` are the seconds between two looks for changes; `wake` has it look at once,
    as a notice of Graph's does.
    """

    name: str
    graph: Graph
    shape: Shape
    poll: float = 60.0
    subscriptions: Subscriptions | None = None
    _woken: asyncio.Event = field(default_factory=asyncio.Event)

    def wake(self) -> None:
        """Something changed there: do not wait for the next look."""
        self._woken.set()

    def subscribe_again(self) -> None:
        """Graph says that its notices end: look after the subscriptions at once."""
        if self.subscriptions is not None:
            self.subscriptions.forget()
        self.wake()

    async def read(self, cursor: bytes) -> AsyncIterator[Reading]:
        state = _state_in(cursor, self._scope())
        if state is not None:
            try:
                yield await self._changes(state, cursor)
            except StateLost:
                state = None
        if state is None:
            yield await self._everything(cursor)

    async def follow(self, cursor: bytes) -> AsyncIterator[Reading]:
        failures = 0
        while True:
            await self._keep_subscribed()
            quick = _FIRST_PAUSE * 2 ** min(failures - 1, 10)
            await self._wait(min(quick, self.poll) if failures else self.poll)
            async for reading in self.read(cursor):
                yield reading
                failures = 0 if reading.complete else failures + 1
                if reading.complete:
                    cursor = reading.cursor

    async def _keep_subscribed(self) -> None:
        """Without notices the poll goes on: they only make it look sooner."""
        if self.subscriptions is None:
            return
        try:
            await self.subscriptions.keep()
        except Unread as unread:
            log.warning("not subscribed", source=self.name, reason=str(unread))

    async def _wait(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            return
        finally:
            self._woken.clear()

    async def _everything(self, cursor: bytes) -> Reading:
        """Read all there is. What breaks off is told as far as it came."""
        seen = _Seen(self.shape)
        try:
            groups = await self._take(self._start("groups"), seen.group)
            users = await self._take(self._start("users"), seen.user)
            await self._complete(seen)
            there = await self._units()
        except Unread as unread:
            return Reading(
                self.name,
                whole=True,
                complete=False,
                why=f"Entra ID could not be read: {unread}",
                entries=seen.entries(whole=False),
                joined=seen.edges(present=True),
                cursor=cursor,
            )
        return Reading(
            self.name,
            whole=True,
            entries=(*seen.entries(whole=True), *there),
            cursor=_cursor(self._scope(), groups, users, there),
        )

    async def _changes(self, state: _State, cursor: bytes) -> Reading:
        """Read what changed. Raises `StateLost`."""
        seen = _Seen(self.shape)
        why, there = "", tuple[Entry, ...]()
        groups, users, before = state
        try:
            groups = await self._take(groups, seen.group)
            await self._fill(seen)
            users = await self._take(users, seen.user)
            await self._complete(seen)
            there = await self._units()
        except StateLost:
            raise
        except Unread as unread:
            why = f"Entra ID could not be read: {unread}"
        return Reading(
            self.name,
            whole=False,
            complete=not why,
            why=why,
            entries=(*seen.entries(whole=False), *there),
            joined=seen.edges(present=True),
            left=seen.edges(present=False) if not why else (),
            gone=(*seen.gone.values(), *gone(before, there)) if not why else (),
            cursor=cursor if why else _cursor(self._scope(), groups, users, there),
        )

    async def _units(self) -> tuple[Entry, ...]:
        if not self.shape.administrative_units:
            return ()
        return await units(self.graph, self.shape)

    def _start(self, what: str) -> str:
        if what == "users":
            return f"users/delta?$select={self.shape.user_select},manager"
        return f"groups/delta?$select={self.shape.group_select},members"

    def _scope(self) -> str:
        """What a cursor was made with: asked for otherwise, it is of no use."""
        asked = [self._start("users"), self._start("groups"), str(self.shape)]
        return sha256("\n".join(asked).encode()).hexdigest()[:16]

    async def _take(self, start: str, into: _Into) -> str:
        """Read a delta to its end and return the link at which it goes on later."""
        async for page in self.graph.pages(start):
            for item in page.items:
                into(item)
            if page.later:
                return page.later
        raise Unread("Microsoft Graph ended a listing without saying where to go on")

    async def _complete(self, seen: "_Seen") -> None:
        """Ask for what delta left out: users told in part, and those in the bin."""
        select = self.shape.user_select
        for oid in list(seen.partial):
            user = await self.graph.user(oid, select)
            if user is not None:
                seen.keep(self.shape.person(user))
            del seen.partial[oid]
        for oid in list(seen.binned):
            entry = await self._binned(oid)
            if entry is None:
                seen.drop(oid)
            else:
                seen.keep(entry)
            del seen.binned[oid]

    async def _binned(self, oid: str) -> Entry | None:
        """Return a deleted user who can be restored; they are not gone for good."""
        try:
            user = await self.graph.deleted_user(oid, self.shape.user_select)
        except Unread as unread:
            if unread.status != HTTPStatus.FORBIDDEN:
                raise
            user = None  # without a look into the bin, deleted is deleted
        if user is None:
            return None
        return self.shape.person(user, standing=Standing.LEFT)

    async def _fill(self, seen: "_Seen") -> None:
        """
        Read a changed group's members where delta does not tell of them.

        A group that comes back from the bin may come without.
        """
        for oid in seen.without_members():
            select = "members?$select=id&$top=999"
            members: list[Mapping[str, Any]] = []
            try:
                async for page in self.graph.pages(f"groups/{in_path(oid)}/{select}"):
                    members += page.items
            except Unread as unread:
                if unread.status != HTTPStatus.NOT_FOUND:
                    raise
                continue  # it is gone again; the next look says so
            seen.set_members(oid, members)


class _Seen:
    """
    What one reading found; the last word about each object is the one that counts.

    Delta may tell the same twice, in any order of pages, and a large group in parts.
    """

    def __init__(self, shape: Shape) -> None:
        self._shape = shape
        self._people: dict[str, Entry] = {}
        self._groups: dict[str, Mapping[str, Any]] = {}
        self._edges: dict[str, dict[str, bool]] = {}  # group → member → present
        self._listed: dict[str, frozenset[str]] = {}
        self.gone: dict[str, Gone] = {}
        self.partial: dict[str, None] = {}
        self.binned: dict[str, None] = {}

    def user(self, told: Mapping[str, Any]) -> None:
        oid = text(told.get("id")).lower()
        if not oid:
            return
        self.partial.pop(oid, None)
        self.binned.pop(oid, None)
        reason = removed(told)
        if reason == "changed":
            self.binned[oid] = None
        elif reason:
            self.drop(oid)
        elif is_whole(told):
            self.keep(self._shape.person(told))
        else:
            self.partial[oid] = None

    def group(self, told: Mapping[str, Any]) -> None:
        oid = text(told.get("id")).lower()
        if not oid:
            return
        key = self._shape.key(oid)
        if removed(told):
            self._forget_group(oid, Gone(key))
            return
        known = {**self._groups.get(oid, {}), **told}
        if not self._shape.counts(known):
            self._forget_group(oid, Gone(key, Fate.OUT_OF_SCOPE))
            return
        self.gone.pop(key, None)
        self._groups[oid] = known
        joined, left = self._shape.members(told.get("members@delta"))
        edges = self._edges.setdefault(oid, {})
        edges.update(dict.fromkeys(joined, True))
        edges.update(dict.fromkeys(left, False))

    def keep(self, entry: Entry) -> None:
        self.gone.pop(entry.id, None)
        self._people[entry.id] = entry

    def drop(self, oid: str) -> None:
        key = self._shape.key(oid)
        self._people.pop(key, None)
        self.gone[key] = Gone(key)

    def without_members(self) -> list[str]:
        return [o for o, told in self._groups.items() if "members@delta" not in told]

    def set_members(self, oid: str, members: Iterable[Mapping[str, Any]]) -> None:
        joined, _ = self._shape.members(list(members))
        self._listed[oid] = frozenset(joined)

    def entries(self, *, whole: bool) -> tuple[Entry, ...]:
        """Everything that is there; with all members of groups if `whole`."""
        groups = []
        for oid, told in self._groups.items():
            present = self._edges.get(oid, {})
            members = frozenset(m for m, there in present.items() if there)
            known = members if whole else self._listed.get(oid)
            groups.append(self._shape.group(told, known))
        return (*self._people.values(), *groups)

    def edges(self, *, present: bool) -> tuple[Edge, ...]:
        return tuple(
            Edge(member, self._shape.key(group))
            for group, members in self._edges.items()
            for member, there in members.items()
            if there is present
        )

    def _forget_group(self, oid: str, gone: Gone) -> None:
        self._groups.pop(oid, None)
        self._edges.pop(oid, None)
        self.gone[gone.id] = gone


def _cursor(scope: str, groups: str, users: str, there: Iterable[Entry]) -> bytes:
    told = {"scope": scope, "groups": groups, "users": users}
    return json.dumps({**told, "units": sorted(u.id for u in there)}).encode()


def _state_in(cursor: bytes, scope: str) -> _State | None:
    """Return where to go on, None if the cursor is none or of another scope."""
    try:
        told = next(mappings([json.loads(cursor or b"null")]), {})
    except ValueError:
        return None
    groups, users = text(told.get("groups")), text(told.get("users"))
    if told.get("scope") != scope or not groups or not users:
        return None
    there = told.get("units")
    return groups, users, frozenset(there if isinstance(there, list) else ())
