"""What is written down about a delivery, before and after the platform is called."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from bridge.delivery import AttemptState, Copy, Delivery, Operation
from bridge.document import Document, from_json
from bridge.errors import NotFound
from bridge.messages import Channel, EventKind, Person
from bridge.ports import History, Lease, Outcome
from storage.copies import StoredCopies
from storage.journal import Journal
from storage.log_reader import LogEntry, LogReader
from storage.reactions import word_as_json
from storage.rows import clean_id
from storage.writes import Attempt, Entry, Fence, Origin, Write

_APPLIED = {
    Operation.POST: "bridge.delivered",
    Operation.EDIT: "bridge.edit_applied",
    Operation.DELETE: "bridge.delete_applied",
    Operation.REACT: "bridge.reactions_applied",
}
_ENDED = {
    AttemptState.DROPPED: "bridge.dropped",
    AttemptState.DEAD: "bridge.failed",
    AttemptState.PARKED: "bridge.parked",
}


@dataclass(frozen=True, slots=True)
class StoredLedger:
    """Implements `bridge.ports.Ledger`."""

    journal: Journal
    reader: LogReader
    copies: StoredCopies
    owner: str
    clock: Callable[[], int]

    async def history(self, delivery: Delivery) -> History:
        if delivery.operation is Operation.REACT:
            return await self._reaction(delivery)
        entries = await self.reader.revisions(
            delivery.tenant, delivery.source.id, clean_id(delivery.message)
        )
        own = [entry for entry in entries if entry.seq == delivery.seq]
        if not own:
            raise NotFound(f"log entry {delivery.seq} is missing")
        newest = newest_content(entries)
        return History(
            seq=delivery.seq,
            leaf=bytes(own[0].row["leaf"]),
            author=_author(delivery.source, newest),
            document=from_json(newest.body["document"]),
            version_us=newest.row["version_us"],
            deleted=is_deleted(entries),
            earlier=tuple(
                from_json(entry.body["document"])
                for entry in entries
                if entry is not newest and entry.etype != EventKind.MESSAGE_DELETE
            ),
        )

    async def _reaction(self, delivery: Delivery) -> History:
        """Return who reacted. What the message says, its own history tells."""
        found = await self.reader.entries(delivery.tenant, delivery.seq - 1, 1)
        if not found or found[0].seq != delivery.seq:
            raise NotFound(f"log entry {delivery.seq} is missing")
        [entry] = found
        leaf, author = bytes(entry.row["leaf"]), _author(delivery.source, entry)
        return History(entry.seq, leaf, author, Document(), 0, deleted=False)

    async def intend(self, delivery: Delivery, lease: Lease) -> Delivery:
        noted = replace(
            delivery,
            attempts=delivery.attempts + 1,
            unknown_since_us=self.clock(),
        )
        attempt = _attempt(noted, lease, AttemptState.INTENT)
        await self.journal.write(
            Write(
                delivery.tenant,
                keys=(_attempt_key(noted, "i"),),
                attempts=(attempt,),
                fence=self._fence(lease),
            )
        )
        return noted

    async def conclude(
        self, delivery: Delivery, lease: Lease, outcome: Outcome, origin: History
    ) -> Delivery:
        noted = replace(
            delivery,
            attempts=delivery.attempts + 1,
            not_before_us=outcome.until_us,
            unknown_since_us=0,
        )
        attempt = _attempt(noted, lease, outcome.state, outcome)
        etype = _etype(delivery, outcome)
        await self.journal.write(
            Write(
                delivery.tenant,
                keys=(_attempt_key(noted, "o"),),
                entry=_entry(delivery, outcome, origin, etype, self.clock())
                if etype
                else None,
                attempts=(attempt,),
                copies=(outcome.copy,) if outcome.copy else (),
                fence=self._fence(lease),
            )
        )
        return noted

    async def known(
        self, tenant: str, target: Channel, since_us: int
    ) -> Collection[str]:
        return await self.copies.known(tenant, target, since_us)

    def _fence(self, lease: Lease) -> Fence:
        return Fence(lease.shard, self.owner, lease.epoch)


def newest_content(entries: list[LogEntry]) -> LogEntry:
    """
    Return the entry whose content counts.

    Events may arrive in any order; among those with content the latest edit wins,
    whichever came first.
    """
    with_content = [e for e in entries if e.etype != EventKind.MESSAGE_DELETE]
    return max(
        with_content or entries, key=lambda e: (e.row["version_us"], e.row["seq"])
    )


def is_deleted(entries: list[LogEntry]) -> bool:
    """Whether the message is gone, by the platform's own clock."""
    switches = [
        (entry.row["src_us"], entry.row["seq"], entry.etype)
        for entry in entries
        if entry.etype in {EventKind.MESSAGE_DELETE, EventKind.MESSAGE_RESTORE}
    ]
    return bool(switches) and max(switches)[2] == EventKind.MESSAGE_DELETE


def _author(source: Channel, entry: LogEntry) -> Person:
    author: Mapping[str, Any] = entry.body["author"]
    return Person(source.platform, author["id"], author["name"], author["avatar"])


def _attempt(
    delivery: Delivery,
    lease: Lease,
    state: AttemptState,
    outcome: Outcome | None = None,
) -> Attempt:
    return Attempt(
        delivery,
        delivery.attempts,
        state,
        delivery.tries,
        lease.epoch,
        until_us=outcome.until_us if outcome else 0,
        reason=outcome.reason if outcome else "",
    )


def _attempt_key(delivery: Delivery, kind: str) -> str:
    return f"{kind}:{delivery.seq}.{delivery.n}.{delivery.attempts}"


def _etype(delivery: Delivery, outcome: Outcome) -> str:
    if outcome.state is AttemptState.DELIVERED:
        return _APPLIED[delivery.operation]
    return _ENDED.get(outcome.state, "")


def _entry(
    delivery: Delivery, outcome: Outcome, origin: History, etype: str, now_us: int
) -> Entry:
    copy: Copy | None = outcome.copy
    shown = outcome.shown
    return Entry(
        etype=etype,
        platform=delivery.target.platform,
        subject=f"{origin.author.platform}|{origin.author.id}",
        src_us=now_us,
        body={
            "operation": delivery.operation,
            "marker": delivery.marker,
            "reason": outcome.reason,
            "text": outcome.text,
            "version_us": copy.version_us if copy else 0,
            "author": {
                "id": origin.author.id,
                "name": origin.author.name,
                "avatar": "",
            },
            **({"shown": word_as_json(shown)} if shown else {}),
        },
        team=delivery.target.team,
        conv=delivery.target.id,
        thread=copy.remote_thread if copy else shown.thread if shown else "",
        msg=copy.remote if copy else shown.message if shown else "",
        actor_kind="system",
        via="self",
        link=delivery.link,
        outcome=outcome.state,
        origin=Origin(origin.seq, origin.leaf),
    )
