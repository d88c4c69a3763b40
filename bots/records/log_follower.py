"""
Follow the compliance log for what concerns records: nothing that is on record is missed.

Messages that name records, webhooks' changes, and whatever changes who may see what.
One process does it for a company. What it took in is noted after it was done, so after a
crash some of it is done again, which changes nothing.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import structlog

from bridge.errors import AtomError, BadInput, StoreUnavailable
from bridge.messages import Channel, EventKind, Person, PersonKind, Platform
from bridge.records.amending import Amending
from bridge.records.carrying import Carrying
from bridge.records.entries import changes_in
from bridge.records.hints import Unnaming
from bridge.records.live import Live
from bridge.records.mentions import Mentions, Named
from bridge.records.model import RecordChange, RecordRef
from bridge.records.posting import Posting
from bridge.records.remarking import Remarking
from bridge.records.subscribing import Subscribing
from storage.log_reader import LogEntry, LogReader

log = structlog.get_logger()

_SAID = frozenset({EventKind.MESSAGE_CREATE, EventKind.MESSAGE_EDIT})
_MOVES = frozenset({EventKind.MEMBER_JOIN, EventKind.MEMBER_LEAVE, "member.kept"})
_RIGHTS = frozenset(
    {"directory.change", "policy.publish", "account.link", "account.doubt"}
)
_WRITTEN = frozenset({"record.update", "record.create", "record.approve"})
_HEARD = "record.heard"
_GONE = EventKind.MESSAGE_DELETE
KINDS = frozenset({*_SAID, *_MOVES, *_RIGHTS, *_WRITTEN, _HEARD})

_AT_ONCE = 200  # entries
_SIDE_BY_SIDE = 16  # channels
_REST = 2.0
_LEASE = 20.0
_OLD_US = 60 * 60 * 1_000_000  # what was said longer ago gets no card any more
_LEFT_US = 20 * 1_000_000  # what was begun so long ago is taken up again
_RESUME = 10.0
_TICK = 30.0
_LOOK = 3.0  # within which a channel's choice counts
_WITHIN = 60.0  # seconds for one message

AccountOf = Callable[[Person, Channel], Awaitable[str]]
"""Return the account that vouches for somebody in a channel, empty if not known."""


class Holding(Protocol):
    """Whose turn something is among processes: `storage.records.following`."""

    async def hold(
        self, tenant: str, name: str, owner: str, seconds: float
    ) -> bool: ...


class Following(Holding, Protocol):
    """How far the log was followed."""

    async def position(self, tenant: str) -> int | None: ...

    async def began(self, tenant: str, seq: int) -> int:
        """Note where it begins, if it never did; returns up to where it was followed."""
        ...

    async def reached(self, tenant: str, seq: int) -> None: ...


class Stirs(Protocol):
    """What reads systems anew after a change: `bots.records.bookkeeping`."""

    def heard(self, tenant: str, change: RecordChange) -> None: ...

    async def keep(self, tenant: str) -> None:
        """Return when whatever was heard is certain to be read."""
        ...


@dataclass(slots=True)
class LogFollower:
    """
    Runs until cancelled, and wakes at every commit that it is told of.

    `owner` names this process. `steady` is a clock in seconds. `moved` is told of
    channels where others are now, `stirs` of changes. What is `unnaming` is not opened.
    """

    reader: LogReader
    following: Following
    tenants: Callable[[], Awaitable[Sequence[str]]]
    owner: str
    mentions: Mentions
    live: Live
    subscribing: Subscribing
    posting: Posting
    account_of: AccountOf
    clock: Callable[[], int]
    steady: Callable[[], float]
    moved: Callable[[Channel], None]
    unnaming: Unnaming = field(default_factory=Unnaming)
    stirs: Stirs | None = None
    carrying: Carrying | None = None
    amending: Amending | None = None
    remarking: Remarking | None = None
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _holding: set[str] = field(default_factory=set)
    _resumed: float = float("-inf")
    _ticked: float = float("-inf")
    _looked: dict[str, float] = field(default_factory=dict)

    def committed(self, *_: object) -> None:
        """Somebody wrote to the log."""
        self._news.set()

    def holds(self, tenant: str) -> bool:
        """Whether this process follows a company's log."""
        return tenant in self._holding

    async def begin(self) -> None:
        """
        Note where a log is now that was never followed. To be called before anybody is
        listened to: what is said while `run` still starts is not left out.
        """
        for tenant in await self.tenants():
            await self._position(tenant)

    async def run(self) -> None:
        while True:
            self._news.clear()
            try:
                for tenant in await self.tenants():
                    await self.turn(tenant)
            except AtomError as error:
                log.warning("records do not follow the log", reason=str(error))
                await asyncio.sleep(1)
            try:
                async with asyncio.timeout(_REST):
                    await self._news.wait()
            except TimeoutError:
                continue
            await asyncio.sleep(0.05)  # what comes together is taken in together

    async def turn(self, tenant: str) -> None:
        """Take in what a company's log has by now, if it is this process's to do."""
        if not await self.following.hold(tenant, "log", self.owner, _LEASE):
            self._holding.discard(tenant)
            return
        if tenant not in self._holding:
            self._holding.add(tenant)
            # Nobody knows what was missed while another process had it.
            self.live.everything(tenant)
            if self.remarking:
                self.remarking.everything(tenant)
        await self.catch_up(tenant)
        await self._tend(tenant)

    async def catch_up(self, tenant: str) -> int:
        """Take in what the log has; returns up to where. Begins at its end."""
        looked = self._looked.get(tenant, float("-inf"))
        if self.carrying and self.steady() - looked >= _LOOK:
            self._looked[tenant] = self.steady()
            await self.carrying.look(tenant)
        after = await self._position(tenant)
        size = (await self.reader.head(tenant)).size
        while after < size:
            upto = min(after + _AT_ONCE, size)
            plain = self.unnaming.among(tenant, after, upto)
            kinds = KINDS
            if self.carrying and self.carrying.listens(tenant):
                plain = []  # what names no record may be said below one
                kinds = KINDS | {_GONE}
            entries = await self.reader.between(tenant, after, upto, kinds, plain)
            await self._take_in(tenant, entries)
            if self.stirs:
                await self.stirs.keep(tenant)
            await self.following.reached(tenant, upto)
            await self.following.hold(tenant, "log", self.owner, _LEASE)
            after = upto
        return after

    async def _position(self, tenant: str) -> int:
        after = await self.following.position(tenant)
        if after is None:
            size = (await self.reader.head(tenant)).size
            return await self.following.began(tenant, size)
        return after

    async def _take_in(self, tenant: str, entries: Sequence[LogEntry]) -> None:
        """Take entries in: those of one channel in order, channels side by side."""
        lanes: dict[str, list[LogEntry]] = defaultdict(list)
        for entry in entries:
            if not entry.erased:
                lanes[f"{entry.row['platform']}:{entry.row['conv']}"].append(entry)
        room = asyncio.Semaphore(_SIDE_BY_SIDE)

        async def lane(own: Sequence[LogEntry]) -> None:
            async with room:
                for entry in own:
                    await self._one(tenant, entry)

        try:
            async with asyncio.TaskGroup() as group:
                for own in lanes.values():
                    group.create_task(lane(own))
        except ExceptionGroup as broken:
            # One reason is enough, and it is the store's: see `_one`.
            raise broken.exceptions[0] from broken

    async def _one(self, tenant: str, entry: LogEntry) -> None:
        """One entry that cannot be taken in does not hold up those behind it."""
        try:
            async with asyncio.timeout(_WITHIN):
                await self._follow(tenant, entry)
        except StoreUnavailable:
            raise
        except (AtomError, TimeoutError) as error:
            kind = type(error).__name__
            log.warning("entry not followed", seq=entry.seq, reason=kind)
        except Exception:
            log.exception("entry not followed", seq=entry.seq)

    async def _follow(self, tenant: str, entry: LogEntry) -> None:
        if entry.etype in _SAID:
            if (said := await self._said(tenant, entry)) is not None:
                await self.mentions.noticed(said)
                await self._carried(said, entry)
        elif entry.etype == _GONE:
            await self._deleted(tenant, entry)
        elif entry.etype in _MOVES:
            if (channel := channel_of(entry.row)) is not None:
                self.moved(channel)
                self.live.room_changed(tenant, channel)
        elif entry.etype in _RIGHTS:
            self.live.rights_changed(tenant)
        elif entry.etype in _WRITTEN:
            detail: Mapping[str, Any] = entry.body.get("detail") or {}
            self.live.stir(tenant, RecordRef.parse(str(detail.get("record", ""))))
        else:
            await self._heard(tenant, entry)

    async def _carried(self, said: Named, entry: LogEntry) -> None:
        if self.carrying and entry.etype == EventKind.MESSAGE_CREATE:
            await self.carrying.noticed(said)
        elif self.amending:
            await self.amending.edited(said)

    async def _deleted(self, tenant: str, entry: LogEntry) -> None:
        channel = channel_of(entry.row)
        if self.amending and channel is not None:
            message = str(entry.row["msg"])
            await self.amending.deleted(tenant, channel, message, entry.seq)

    async def _heard(self, tenant: str, entry: LogEntry) -> None:
        detail: Mapping[str, Any] = entry.body.get("detail") or {}
        if detail.get("refused"):
            return
        changes = changes_in(detail)
        for change in changes:
            self.live.heard(tenant, change)
            if self.remarking:
                self.remarking.heard(tenant, change)
            if self.stirs:
                self.stirs.heard(tenant, change)
        await self.subscribing.heard(tenant, *changes)

    async def _said(self, tenant: str, entry: LogEntry) -> Named | None:
        row, body = entry.row, entry.body
        channel = channel_of(row)
        old = self.clock() - int(row["src_us"]) > _OLD_US
        if channel is None or row["via"] in {"backfill", "import"}:
            return None
        if old and entry.etype == EventKind.MESSAGE_CREATE:
            return None
        told: Mapping[str, Any] = body.get("author") or {}
        try:
            kind = PersonKind(row["actor_kind"])
        except ValueError:
            kind = PersonKind.SYSTEM
        author = Person(
            channel.platform,
            str(told.get("id", "")),
            str(told.get("name", "")),
            kind=kind,
        )
        account = await self.account_of(author, channel)
        return Named(
            tenant,
            channel,
            str(row["msg"]),
            author,
            account,
            str(body.get("text", "")),
            str(row["thread"]),
            entry.seq,
        )

    async def _tend(self, tenant: str) -> None:
        """Take up what was left, and tell what waited."""
        now = self.steady()
        if now - self._resumed >= _RESUME:
            self._resumed = now
            await self.posting.resume(tenant, self.clock() - _LEFT_US)
        if self.carrying and self.amending and self.carrying.listens(tenant):
            await self.amending.settle(tenant)
        if self.remarking:
            await self.remarking.tend(tenant)
        if now - self._ticked >= _TICK:
            self._ticked = now
            await self.subscribing.tick(tenant)


def channel_of(row: Mapping[str, Any]) -> Channel | None:
    """Return where an entry happened; None for what happened in no channel."""
    if not row["conv"] or row["platform"] not in set(Platform):
        return None
    try:
        return Channel.parse(f"{row['platform']}:{row['team']}/{row['conv']}")
    except BadInput:
        return None
