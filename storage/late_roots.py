"""Queue what was said before its channel was linked, when somebody replies to it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from bridge.delivery import Again, Delivery, Operation
from bridge.links import Link
from bridge.messages import Channel, EventKind, PersonKind
from storage.journal import Journal
from storage.ledger import is_deleted, kind_of, newest_content
from storage.log_reader import LogEntry, LogReader
from storage.rows import clean_id
from storage.writes import Entry, Origin, Write

_APPS = {PersonKind.BOT, PersonKind.SYSTEM}


@dataclass(frozen=True, slots=True)
class StoredLateRoots:
    """Implements `bridge.parents.LateRoots`."""

    journal: Journal
    reader: LogReader
    clock: Callable[[], int]

    async def queue(self, links: Sequence[Link], channel: Channel, root: str) -> int:
        tenant = links[0].tenant
        entries = await self.reader.revisions(tenant, channel.id, clean_id(root))
        if not entries or is_deleted(entries) or kind_of(entries[0]) in _APPS:
            return 0
        if any(entry.row["outcome"] == "deny" for entry in entries):
            return 0
        return sum([await self._queue(link, channel, root, entries) for link in links])

    async def _queue(
        self, link: Link, channel: Channel, root: str, entries: Sequence[LogEntry]
    ) -> int:
        begun = entries[0]
        if begun.etype != EventKind.MESSAGE_CREATE:
            return 0
        targets = [
            target
            for target in link.others(channel)
            if begun.row["cap_us"] < max(link.since_us(channel), link.since_us(target))
        ]
        deliveries = tuple(_again(link, channel, root, entries, targets))
        if not deliveries:
            return 0
        write = Write(
            link.tenant,
            keys=(f"late:{link.id}:{channel}:{clean_id(root)}",),
            entry=_entry(link, channel, root, begun, self.clock()),
            deliveries=deliveries,
        )
        receipt = await self.journal.write(write)
        return 0 if receipt.duplicate else len(deliveries)


def _again(
    link: Link,
    channel: Channel,
    root: str,
    entries: Sequence[LogEntry],
    targets: Sequence[Channel],
) -> Iterator[Delivery]:
    newest = newest_content([*entries])
    for target in targets:
        yield Delivery(
            tenant=link.tenant,
            seq=-1,
            n=-1,
            link=link.id,
            operation=Operation.POST,
            source=channel,
            target=target,
            message=root,
            thread="",
            version_us=newest.row["version_us"],
            created_us=0,
            again=Again(newest.seq),
        )


def _entry(
    link: Link, channel: Channel, root: str, begun: LogEntry, now_us: int
) -> Entry:
    return Entry(
        etype="bridge.late_root",
        platform=channel.platform,
        subject="atom|late_root",
        src_us=now_us,
        body={
            "text": "",
            "about": root,
            "reason": "somebody replied to it",
            "author": {"id": "atom", "name": "ATOM", "avatar": ""},
        },
        team=channel.team,
        conv=channel.id,
        via="self",
        link=link.id,
        origin=Origin(begun.seq, bytes(begun.row["leaf"])),
    )
