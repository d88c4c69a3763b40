"""What is missing on the other side of a link, by what the log and the copies say."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

import orjson

from bridge.delivery import Again, Delivery, Operation
from bridge.links import Link
from bridge.messages import Channel, EventKind, PersonKind
from storage.hot import HotStore, Row, Statement
from storage.ledger import gone
from storage.outbox import Outbox
from storage.rows import clean_id

# Every entry about a message of which something was captured since. Without bodies:
# what to bring across is looked up again when it is delivered.
_TOUCHED = (
    "SELECT l.msg, l.seq, l.etype, l.thread, l.version_us, l.src_us, l.actor_kind, "
    "l.cap_us, l.via "
    "FROM log l WHERE l.tenant = :tenant AND l.conv = :conv AND l.team = :team "
    "AND l.etype LIKE 'message.%' AND l.msg IN ("
    "SELECT t.msg FROM log t WHERE t.tenant = :tenant AND t.conv = :conv "
    "AND t.team = :team AND t.etype LIKE 'message.%' AND t.cap_us >= :since) "
    "ORDER BY l.msg, l.seq"
)
_COPIES = (
    "SELECT message, version_us, deleted FROM copy WHERE tenant = :tenant "
    "AND source = :source AND target = :target AND link = :link AND part = 1 "
    "AND message IN "
)
_SILENT = {PersonKind.BOT, PersonKind.SYSTEM}


@dataclass(frozen=True, slots=True)
class Missing:
    """Deliveries that would close the gaps, and how many are under way already."""

    deliveries: Sequence[Delivery]
    under_way: int


@dataclass(frozen=True, slots=True)
class _Said:
    """A message as the log has it."""

    message: str
    thread: str
    entry: int
    begun: int
    begun_us: int
    version_us: int
    deleted: bool
    silent: bool
    before: bool


@dataclass(frozen=True, slots=True)
class Gaps:
    """Compares what was said with what stands on the other side."""

    store: HotStore
    queue: Outbox

    async def since(self, link: Link, since_us: int) -> Missing:
        """
        Return what is missing of what was said over this link, in that order.

        Something counts from its last change on.
        """
        found: list[tuple[int, Delivery]] = []
        for source in link.channels:
            said = await self._said(link.tenant, source, since_us)
            for target in link.others(source):
                copies = await self._copies(link, source, target, said)
                found += _gaps(link, source, target, said, copies)
        # Read after the log: whatever was said then and is under way is seen here.
        sizes = await self.queue.sizes()
        shards = {delivery.shard for _, delivery in found}
        size = {link.tenant: sizes.get(link.tenant, 0)}
        open_ = {_of(d) for d in await self.queue.unfinished(shards, size)}
        missing = [
            d for _, d in sorted(found, key=itemgetter(0)) if _of(d) not in open_
        ]
        return Missing(missing, len(found) - len(missing))

    async def _said(
        self, tenant: str, source: Channel, since_us: int
    ) -> Mapping[str, _Said]:
        rows = await self.store.fetch(
            Statement(
                _TOUCHED,
                {
                    "tenant": tenant,
                    "conv": clean_id(source.id),
                    "team": clean_id(source.team),
                    "since": since_us,
                },
            )
        )
        grouped = groupby(rows, key=itemgetter(0))
        return {message: _summed(message, [*entries]) for message, entries in grouped}

    async def _copies(
        self, link: Link, source: Channel, target: Channel, said: Mapping[str, _Said]
    ) -> Mapping[str, tuple[int, bool]]:
        rows = await self.store.fetch(
            Statement(
                f"{_COPIES} (SELECT value FROM json_each(:messages)) "
                "ORDER BY created_us",
                {
                    "tenant": link.tenant,
                    "source": str(source),
                    "target": str(target),
                    "link": link.id,
                    "messages": orjson.dumps([*said]).decode(),
                },
                postgres=f"{_COPIES} (SELECT jsonb_array_elements_text("
                ":messages::text::jsonb)) ORDER BY created_us",
            )
        )
        return {message: (version, bool(deleted)) for message, version, deleted in rows}


def _summed(message: str, entries: Sequence[Row]) -> _Said:
    newest = max(entries, key=lambda e: (e[2] != EventKind.MESSAGE_DELETE, e[4], e[1]))
    return _Said(
        message=message,
        thread=next((e[3] for e in entries if e[3]), ""),
        entry=newest[1],
        begun=entries[0][1],
        begun_us=entries[0][7],
        version_us=newest[4],
        deleted=gone((e[5], e[1], e[2]) for e in entries),
        silent=newest[6] in _SILENT,
        before=entries[0][8] == "backfill",
    )


def _gaps(
    link: Link,
    source: Channel,
    target: Channel,
    said: Mapping[str, _Said],
    copies: Mapping[str, tuple[int, bool]],
) -> Iterator[tuple[int, Delivery]]:
    # What was said before the channels were linked is nobody's on the other side.
    linked_us = max(link.since_us(source), link.since_us(target))
    for one in said.values():
        if one.silent or one.before or one.begun_us < linked_us:
            continue
        if operation := _needed(one, copies.get(one.message)):
            yield (
                one.begun,
                Delivery(
                    tenant=link.tenant,
                    seq=-1,
                    n=-1,
                    link=link.id,
                    operation=operation,
                    source=source,
                    target=target,
                    message=one.message,
                    thread=one.thread,
                    version_us=one.version_us,
                    created_us=0,
                    again=Again(one.entry),
                ),
            )


def _needed(said: _Said, copy: tuple[int, bool] | None) -> Operation | None:
    version_us, deleted = copy or (0, True)
    if said.deleted:
        return None if deleted else Operation.DELETE
    if deleted:
        return Operation.POST
    return Operation.EDIT if version_us < said.version_us else None


def _of(delivery: Delivery) -> tuple[str, str, str, str]:
    return (
        delivery.link,
        str(delivery.source),
        str(delivery.target),
        delivery.message,
    )
