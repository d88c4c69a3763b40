"""
What a directory holds and what changed in it, as readings.

Nothing here takes anybody away for want of an answer: what could not be looked up makes
the reading incomplete.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import ParamSpec, TypeVar

from bridge.directory.model import Entry, Fate, Gone, Kind, Reading
from bridge.errors import BadInput, ServiceUnavailable
from policy.directory.ldap import ber
from policy.directory.ldap.answers import Found
from policy.directory.ldap.connection import Incomplete, LdapConnection
from policy.directory.ldap.conversation import Control, Search
from policy.directory.ldap.dn import Dn, dn, filter_value
from policy.directory.ldap.index import Index
from policy.directory.ldap.refresh import Refresh
from policy.directory.ldap.results import incomplete_because
from policy.directory.ldap.shape import any_of
from policy.directory.ldap.source_settings import LdapSourceSettings
from policy.directory.ldap.sync_codec import Mode, sync_control
from policy.directory.ldap.translate import Draft, draft, finished, settled

_UNKNOWN_CONTROL = 12
_LONG = 50  # entries that take longer than a message should wait

P = ParamSpec("P")
_Result = TypeVar("_Result")
_MANAGE_DSA_IT = "2.16.840.1.113730.3.4.2"  # a referral is an entry like any other


class StartOver(Exception):
    """Only reading everything can tell what is gone."""


class Content:
    """
    Reads one directory over one connection.

    `index` is what is known of it by name; it is replaced only by what was read whole.
    """

    def __init__(
        self,
        settings: LdapSourceSettings,
        connection: LdapConnection,
        index: Index,
        now: Callable[[], float],
    ) -> None:
        self.index = index
        self.pages_only = False  # what the server says of itself was not so
        self._settings = settings
        self._connection = connection
        self._now = now
        self._base = dn(settings.base)
        self._stamp = ""

    @property
    def controls(self) -> tuple[Control, ...]:
        """What is asked beside every search."""
        skips = self._settings.skip_referrals
        return (Control(_MANAGE_DSA_IT, critical=True),) if skips else ()

    @property
    def search(self) -> Search:
        """Find everything that is kept."""
        shape = self._settings.shape
        wanted = self._settings.filter or shape.filter()
        return Search(self._settings.base, wanted, shape.asked())

    async def everything(self, *, sync: bool) -> Reading:
        """Read all there is, with a cookie to go on from if the server gives one."""
        drafts: dict[str, Draft] = {}
        refresh = Refresh()
        self._stamp, why = "", ""
        try:
            pieces = self._synced(refresh) if sync else self._paged()
            async with aclosing(pieces):
                async for piece in pieces:
                    await _aside(len(piece), self._keep_all, drafts, piece)
        except Incomplete as problem:
            if sync and problem.code == _UNKNOWN_CONTROL:
                self.pages_only = True
                return await self.everything(sync=False)
            why = str(problem)
        except ServiceUnavailable as problem:
            why = str(problem)
        index = Index(refresh.cookie)
        if why:
            told = await _aside(len(drafts), _settled, drafts, index)
            return self._broken(why, told)
        entries = await _aside(len(drafts), _resolved, drafts, index)
        try:
            gone = await self._fates(self.index.ids() - index.ids(), trusted=True)
        except ServiceUnavailable as problem:
            return self._broken(str(problem), entries)
        self.index, index.stamp = index, self._stamp
        reading = Reading(
            self._settings.name, whole=True, entries=tuple(entries), gone=tuple(gone)
        )
        # Without a cookie a cursor still says that everything was read.
        return replace(reading, cursor=self._settings.cursor(refresh.cookie))

    async def changes(self, said: Refresh, *, trusted: bool) -> Reading:
        """
        Make a reading of what was said.

        `trusted` says that the index holds for the moment before. Raises StartOver.
        """
        if said.named_all and not trusted:
            raise StartOver
        try:
            gone = await self._gone(said, trusted=trusted)
            drafts = await self._changed(said, trusted=trusted)
        except ServiceUnavailable as problem:
            self.index.cookie = b""
            return self._broken(str(problem))
        for each in gone:
            self.index.forget(each.id)
        entries = await _aside(len(drafts), _resolved, drafts, self.index)
        self.index.cookie = said.cookie
        if said.referrals:
            why = f"{said.referrals} parts are on other servers, where ATOM does not go"
            return self._broken(why, entries)
        reading = Reading(
            self._settings.name,
            whole=False,
            entries=tuple(entries),
            gone=tuple(gone),
        )
        return self._told(reading, said.cookie)

    async def modified(self) -> Reading | None:
        """
        Read what was modified since it was last read; None if the server does not say.

        What is gone is not known by this.
        """
        since, shape = self.index.stamp, self._settings.shape
        if not since:
            return None
        # Whatever else happened in that second is told too, once more or for the first time.
        wanted = f"(&{self.search.filter}(modifyTimestamp>={filter_value(since)}))"
        search = Search(self._settings.base, wanted, self.search.attributes)
        said = Refresh()
        try:
            async for found in self._entries(search):
                if key := shape.identity(found):
                    said.changed[key] = found
        except ServiceUnavailable as problem:
            return self._broken(str(problem))
        reading = await self.changes(said, trusted=True)
        self.index.stamp = max(since, self._stamp)
        return reading

    async def load_index(self) -> None:
        """Learn what stands where now, without reading all of it again."""
        shape = self._settings.shape
        lists = (*shape.members, *shape.member_names)
        user = shape.attributes.get("user_name", "uid")
        numbers = (shape.group_number,) if shape.group_number else ()
        names = ("objectClass", shape.id, user, "shadowExpire", *numbers)
        index, drafts = Index(), dict[str, Draft]()
        light = Search(self.search.base, self.search.filter, (*names, *lists))
        async for found in self._entries(light):
            self._keep(drafts, shape.identity(found), found)
        await _aside(len(drafts), _resolved, drafts, index)
        self.index = index

    async def expired(self) -> Reading | None:
        """Read again whose account ended by the calendar alone, if there is anybody."""
        now = self._now()
        due = sorted(key for key, at in self.index.expiries.items() if at <= now)
        if not due:
            return None
        for key in due:
            del self.index.expiries[key]
        drafts: dict[str, Draft] = {}
        try:
            for wanted in _by_id(self._settings.shape.id, due):
                search = Search(self._settings.base, wanted, self.search.attributes)
                async for found in self._entries(search):
                    self._keep(drafts, self._settings.shape.identity(found), found)
        except ServiceUnavailable as problem:
            return self._broken(str(problem))
        entries = _resolved(drafts, self.index)
        reading = Reading(self._settings.name, whole=False, entries=tuple(entries))
        return self._told(reading, self.index.cookie)

    async def _synced(
        self, refresh: Refresh
    ) -> AsyncGenerator[list[tuple[str, Found]], None]:
        """Yield everything, by a refresh without a cookie."""
        asked = (sync_control(Mode.REFRESH_ONLY), *self.controls)
        where = self._connection.where
        answers = self._connection.answers(self.search, asked)
        async with aclosing(answers):
            async for heard in answers:
                try:
                    refresh.hear(heard)
                except ber.NotBer as error:
                    raise Incomplete(f"{where} does not speak RFC 4533") from error
                piece = list(refresh.taken().changed.items())
                for key, found in piece:
                    self._same_id(key, found)
                yield piece
        if refresh.end is not None and (why := incomplete_because(refresh.end)):
            raise Incomplete(f"{where}: {why}", refresh.end.code)
        if refresh.referrals:
            raise Incomplete(f"{where}: parts are on other servers")
        if not refresh.cookie:
            raise Incomplete(f"{where} gave no cookie", _UNKNOWN_CONTROL)

    def _same_id(self, key: str, found: Found) -> None:
        """Go on only if changes are told by the id that is configured."""
        shown = self._settings.shape.identity(found)
        if shown and shown != key:
            raise Incomplete("it syncs by another id", _UNKNOWN_CONTROL)

    async def _paged(self) -> AsyncGenerator[list[tuple[str, Found]], None]:
        nameless, shape = 0, self._settings.shape
        pages = self._connection.paged(self.search, self._settings.page, self.controls)
        async with aclosing(pages):
            async for page in pages:
                named = [(shape.identity(found), found) for found in page]
                nameless += sum(not key for key, _ in named)
                yield [(key, found) for key, found in named if key]
        if nameless:
            raise Incomplete(
                f"{self._connection.where}: {nameless} entries show no {shape.id}; "
                "let ATOM's account read it"
            )

    async def _entries(self, search: Search) -> AsyncGenerator[Found, None]:
        pages = self._connection.paged(search, self._settings.page, self.controls)
        async with aclosing(pages):
            async for page in pages:
                for found in page:
                    yield found

    def _keep_all(
        self, drafts: dict[str, Draft], piece: Sequence[tuple[str, Found]]
    ) -> None:
        for key, found in piece:
            self._keep(drafts, key, found)

    def _keep(self, drafts: dict[str, Draft], key: str, found: Found) -> None:
        try:
            made = draft(self._settings.shape, found, key, self._now)
        except BadInput as error:
            raise Incomplete(f"{self._connection.where}: {error}") from error
        if made is not None and key:
            drafts[key] = made
            self._stamp = max(self._stamp, found.text("modifyTimestamp"))

    async def _changed(self, said: Refresh, *, trusted: bool) -> dict[str, Draft]:
        """
        Read what changed, and what changed with it without a word.

        A unit that moved took along what stands below it. A group may name somebody
        before they come, and servers that mend the names in groups themselves (refint)
        do not tell of it: so groups are asked about everybody new.
        """
        drafts: dict[str, Draft] = {}
        for key, found in said.changed.items():
            self._keep(drafts, key, found)
        tops = [made for made in drafts.values() if self._took_along(made, trusted)]
        for made in _topmost(tops):
            await self._more(drafts, made.path, self.search.filter)
        new = [made for key, made in drafts.items() if key not in self.index]
        for wanted in self._settings.shape.lists(
            [(made.path, made.user) for made in new]
        ):
            await self._more(drafts, self._settings.base, wanted)
        for made in list(drafts.values()):
            number = made.number if made.kind is Kind.GROUP else None
            if number is not None and self.index.id(number) != made.id:
                people = self._settings.shape.people_of(number)
                await self._more(drafts, self._settings.base, people)
        return drafts

    async def _more(self, drafts: dict[str, Draft], base: str, wanted: str) -> None:
        """Read what did not come by itself."""
        search = Search(base, wanted, self.search.attributes)
        async for found in self._entries(search):
            key = self._settings.shape.identity(found)
            if key not in drafts:
                self._keep(drafts, key, found)

    def _took_along(self, made: Draft, trusted: bool) -> bool:  # noqa: FBT001 - private
        """Whether what stands below may have come with it."""
        before = self.index.place(made.id)
        if trusted and before == made.at:
            return False
        if made.kind is Kind.UNIT:
            return True
        return trusted and any(True for _ in self.index.below(made.id))

    async def _gone(self, said: Refresh, *, trusted: bool) -> list[Gone]:
        """Find out what became of everything that is not in scope any more."""
        missing = set(said.gone)
        if said.named_all:
            missing |= self.index.ids() - said.changed.keys() - said.there
        for key in list(missing):
            missing.update(self.index.below(key))
        return await self._fates(missing - said.changed.keys(), trusted=trusted)

    async def _fates(self, ids: set[str], *, trusted: bool) -> list[Gone]:
        """
        Look for what is not named any more. What is in scope after all is not gone.

        Without trust in the index, raises StartOver if others may have gone with it.
        """
        missing, inside = set(ids), self.search.filter
        missing -= (await self._found(self._settings.base, missing, inside)).keys()
        elsewhere = await self._found(await self._top(), missing) if missing else {}
        left_below = (each.text("hasSubordinates") for each in elsewhere.values())
        if not trusted and any(each.upper() == "TRUE" for each in left_below):
            raise StartOver  # who stood below is not known
        return [
            Gone(key, Fate.OUT_OF_SCOPE if key in elsewhere else Fate.DELETED)
            for key in sorted(missing)
        ]

    async def _found(
        self, base: str, ids: Iterable[str], also: str = ""
    ) -> dict[str, Found]:
        """Look for entries by id, wherever below a place they are."""
        found: dict[str, Found] = {}
        shape = self._settings.shape
        for text in _by_id(shape.id, sorted(ids)):
            wanted = f"(&{also}{text})" if also else text
            search = Search(base, wanted, (shape.id, "hasSubordinates"))
            async for each in self._entries(search):
                found[shape.identity(each)] = each
        return found

    async def _top(self) -> str:
        """Return the whole tree that the base is in."""
        root = await self._connection.root()
        contexts = (each for each in root.texts("namingContexts") if each)
        around = [each for each in contexts if self._base.within(dn(each))]
        return max(around, key=len, default=self._settings.base)

    def _told(self, reading: Reading, cookie: bytes) -> Reading:
        """Say from where to read on."""
        return replace(reading, cursor=self._settings.cursor(cookie) if cookie else b"")

    def _broken(self, why: str, entries: Sequence[Entry] = ()) -> Reading:
        name = self._settings.name
        return Reading(name, False, complete=False, why=why, entries=tuple(entries))


async def _aside(
    size: int, work: Callable[P, _Result], *args: P.args, **kwargs: P.kwargs
) -> _Result:
    """Do something in a thread if it is long, for messages not to wait for it."""
    if size < _LONG:
        return work(*args, **kwargs)
    return await asyncio.to_thread(work, *args, **kwargs)


def _settled(drafts: dict[str, Draft], index: Index) -> list[Entry]:
    """Put ids for names where an answer broke off: what cannot be told is left out."""
    for key, made in drafts.items():
        index.put(key, made.at, made.kind, made.other)
    told = [made for made in drafts.values() if settled(made, index)]
    return [finished(made, index) for made in told]


def _resolved(drafts: dict[str, Draft], index: Index) -> list[Entry]:
    """Put ids for names, when all names are known."""
    for key, made in drafts.items():
        index.put(key, made.at, made.kind, made.other)
        if made.ends_at is None:
            index.expiries.pop(key, None)
        else:
            index.expiries[key] = made.ends_at
    # Drafts go as entries come: together they would be twice as many.
    return [finished(drafts.pop(key), index) for key in list(drafts)]


def _topmost(made: Iterable[Draft]) -> Iterator[Draft]:
    """Leave out what stands below another one."""
    read: list[Dn] = []
    for each in sorted(made, key=lambda one: len(one.at.rdns)):
        if not any(each.at.within(top) for top in read):
            read.append(each.at)
            yield each


def _by_id(attribute: str, ids: Sequence[str]) -> Iterator[str]:
    """Write filters that find these ids, some at a time."""
    return any_of(f"({attribute}={filter_value(one)})" for one in ids)
