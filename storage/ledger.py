"""What is written down about a delivery, before and after the platform is called."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from bridge.delivery import AttemptState, Copy, Delivery, Operation
from bridge.document import Document
from bridge.errors import BadInput, StoreUnavailable
from bridge.messages import HISTORY, Channel, EventKind, Person, PersonKind
from bridge.ports import History, Lease, Outcome
from bridge.reactions import Spot
from storage.compliance.keys import SealBroken
from storage.copies import StoredCopies
from storage.files import entry_type, files_in
from storage.files import word_as_json as file_as_json
from storage.hot import Statement
from storage.journal import Journal
from storage.leaving.entries import inspected
from storage.log_reader import LATE_US, LogEntry, LogReader, late_us
from storage.months import since_us
from storage.reactions import word_as_json
from storage.rows import clean_id
from storage.writes import Attempt, Entry, Fence, Letter, Origin, Said, Write

_APPLIED = {
    Operation.POST: "bridge.delivered",
    Operation.DIGEST: "bridge.delivered",
    Operation.EDIT: "bridge.edit_applied",
    Operation.DELETE: "bridge.delete_applied",
    Operation.REACT: "bridge.reactions_applied",
    Operation.FILE: "bridge.file_applied",
}
_TOLD = {_APPLIED[Operation.POST], _APPLIED[Operation.EDIT]}
_ENDED = {
    AttemptState.DROPPED: "bridge.dropped",
    AttemptState.DEAD: "bridge.failed",
    AttemptState.PARKED: "bridge.parked",
}


_SAID = ("document", "files")
# What an outcome tells of a copy, and not of what it says.
_ABOUT_THE_COPY = frozenset(
    {"operation", "marker", "reason", "version_us", "transform", "parts", "segment"}
)


@dataclass(frozen=True, slots=True)
class StoredLedger:
    """Implements `bridge.ports.Ledger`."""

    journal: Journal
    reader: LogReader
    copies: StoredCopies
    owner: str
    clock: Callable[[], int]

    async def history(self, delivery: Delivery) -> History:
        try:
            if delivery.operation is Operation.REACT:
                return await self._reaction(delivery)
            told = _told(delivery, await self._revisions(delivery))
        except BadInput as error:
            # No fault of the entry's: it opens again once the key file is back.
            raise StoreUnavailable(str(error)) from error
        except (SealBroken, LookupError, TypeError, ValueError) as error:
            leaf = await self.reader.leaf(delivery.tenant, delivery.entry)
            return _untold(delivery, leaf, error)
        # An edit may have to post parts of its own, and one of them may stand there.
        doubtful = delivery.again or delivery.operation is Operation.EDIT
        if doubtful and await self._in_doubt(delivery):
            return replace(told, in_doubt=True)
        return told

    async def _in_doubt(self, delivery: Delivery) -> bool:
        message = clean_id(delivery.message)
        asked = (
            "SELECT 1 FROM dead_letter d JOIN outbox o "
            "ON o.tenant = d.tenant AND o.seq = d.seq AND o.n = d.n "
            "WHERE d.tenant = :tenant AND d.link = :link AND d.unknown_us > 0 "
            f"AND o.operation <> '{Operation.FILE}' "
            "AND o.source = :source AND o.target = :target "
            "AND o.message = :message "
        )
        rows = await self.reader.store.fetch(
            Statement(
                f"{asked}LIMIT 1",
                {
                    "tenant": delivery.tenant,
                    "link": delivery.link,
                    "source": str(delivery.source),
                    "target": str(delivery.target),
                    "message": message,
                    "since": since_us(message),
                },
                postgres=f"{asked}AND o.created_us >= :since LIMIT 1",
            )
        )
        return bool(rows)

    async def _revisions(self, delivery: Delivery) -> list[LogEntry]:
        tenant, conv = delivery.tenant, clean_id(delivery.source.id)
        message = clean_id(delivery.message)
        if delivery.fresh:
            only = self.journal.recent.get(tenant, conv, message)
            if only and only.seq == delivery.entry:
                return [only]
        if message.startswith(HISTORY):
            kinds = EventKind.HISTORY_POST
            return await self.reader.about(tenant, conv, message, kinds)
        return await self.reader.revisions(tenant, conv, message)

    async def _reaction(self, delivery: Delivery) -> History:
        """Return who reacted. What the message says, its own history tells."""
        tenant, about = delivery.tenant, clean_id(delivery.message)
        entry = self.journal.recent.at(tenant, delivery.entry)
        if entry is None:
            entry = await self.reader.entry(tenant, delivery.entry, about)
        if entry is None:
            raise LookupError
        leaf, author = bytes(entry.row["leaf"]), _author(delivery.source, entry)
        return History(
            entry.seq,
            leaf,
            author,
            Document(),
            0,
            deleted=False,
            erased=entry.erased,
        )

    async def intend(self, delivery: Delivery, lease: Lease) -> Delivery:
        noted = replace(
            delivery,
            attempts=delivery.attempts + 1,
            unknown_since_us=self.clock(),
        )
        attempt = _attempt(noted, lease, AttemptState.INTENT)
        receipt = await self.journal.write(
            Write(
                delivery.tenant,
                keys=(_attempt_key(noted, "i"),),
                attempts=(attempt,),
                fence=self._fence(lease),
            )
        )
        if receipt.duplicate and noted.joined:
            # The answer to an earlier commit was lost, and other messages were meant.
            return await self.intend(noted, lease)
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
        write = self._concluded(noted, delivery, lease, outcome, origin)
        others = tuple(
            self._concluded(
                replace(other.delivery, attempts=other.delivery.attempts + 1),
                other.delivery,
                lease,
                other.outcome,
                other.origin,
            )
            for other in outcome.others
        )
        write = replace(
            write,
            keys=(_attempt_key(noted, "o"),),
            fence=self._fence(lease),
            others=others,
        )
        receipt = await self.journal.write(write)
        if receipt.seq < 0:
            # Its author is erased: that a copy stands there is on record, not its words.
            await self.journal.write(_wordless(write))
        return replace(noted, joined=())

    def _concluded(
        self,
        noted: Delivery,
        delivery: Delivery,
        lease: Lease,
        outcome: Outcome,
        origin: History,
    ) -> Write:
        attempt = _attempt(noted, lease, outcome.state, outcome)
        etype = _etype(delivery, outcome)
        entry = None
        if etype:
            entry = _entry(delivery, outcome, origin, etype, self.clock())
        return Write(
            delivery.tenant,
            entry=entry,
            said=_said(delivery, entry),
            attempts=(attempt, *_folded(delivery, lease, outcome)),
            copies=(*([outcome.copy] if outcome.copy else []), *outcome.more),
            letter=_letter(delivery, outcome),
            deliveries=outcome.then,
        )

    async def known(
        self, tenant: str, target: Channel, since_us: int
    ) -> Collection[str]:
        return await self.copies.known(tenant, target, since_us)

    def _fence(self, lease: Lease) -> Fence:
        return Fence(lease.shard, self.owner, lease.epoch)


def _told(delivery: Delivery, entries: list[LogEntry]) -> History:
    own = [entry for entry in entries if entry.seq == delivery.entry]
    if delivery.operation is Operation.FILE:
        # It was queued by what became of the message, and is about the message.
        own = entries[-1:]
    if not own:
        raise LookupError
    newest = newest_content(entries)
    if newest.erased:
        return _gone(delivery, own[0], entries)
    earlier = [
        entry
        for entry in entries
        if entry is not newest
        and entry.etype != EventKind.MESSAGE_DELETE
        and not entry.erased
    ]
    return History(
        seq=own[0].seq,
        leaf=bytes(own[0].row["leaf"]),
        author=_author(delivery.source, newest),
        document=newest.document,
        version_us=newest.row["version_us"],
        deleted=is_deleted(entries),
        earlier=tuple(entry.document for entry in earlier),
        late_us=late_us(entries) or _old_us(delivery, entries),
        told=entries[0].body.get("detail") or {},
        alone=len(entries) == 1,
        files=files_in(newest),
        former_files=tuple(file for entry in earlier for file in files_in(entry)),
        same_since_us=_same_since(entries, newest),
        inspection=inspected(newest.body),
    )


def _gone(delivery: Delivery, own: LogEntry, entries: list[LogEntry]) -> History:
    """Say that the content was erased, and its author with it."""
    return History(
        seq=own.seq,
        leaf=bytes(own.row["leaf"]),
        author=_author(delivery.source, own),
        document=Document(),
        version_us=newest_content(entries).row["version_us"],
        deleted=is_deleted(entries),
        erased=True,
    )


def _untold(delivery: Delivery, leaf: bytes | None, error: Exception) -> History:
    """Say why the log cannot tell what to bring across; whose it was is not known."""
    if leaf is None:
        fault = f"log entry {delivery.entry} is missing"
    elif isinstance(error, SealBroken):
        fault = f"log entry {delivery.entry} does not open with its key"
    else:
        fault = f"log entry {delivery.entry} cannot be understood"
    nobody = Person(delivery.source.platform, "")
    return History(
        delivery.entry, leaf or b"", nobody, Document(), 0, deleted=False, fault=fault
    )


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


def _same_since(entries: list[LogEntry], newest: LogEntry) -> int:
    """Return the version from which on the message said what it says now."""
    since: int = newest.row["version_us"]
    said = [e for e in entries if e.etype != EventKind.MESSAGE_DELETE and not e.erased]
    for entry in sorted(said, key=lambda e: e.row["version_us"], reverse=True):
        if any(entry.body[part] != newest.body[part] for part in _SAID):
            break
        since = entry.row["version_us"]
    return since


def is_deleted(entries: list[LogEntry]) -> bool:
    """Whether the message is gone, by the platform's own clock."""
    return gone((e.row["src_us"], e.row["seq"], e.etype) for e in entries)


def gone(told: Iterable[tuple[int, int, str]]) -> bool:
    """Whether the last deletion or restoring was a deletion: time, position, kind."""
    switches = [
        each
        for each in told
        if each[2] in {EventKind.MESSAGE_DELETE, EventKind.MESSAGE_RESTORE}
    ]
    return bool(switches) and max(switches)[2] == EventKind.MESSAGE_DELETE


def _old_us(delivery: Delivery, entries: list[LogEntry]) -> int:
    """Return when a message was said that is brought across long after it was heard."""
    said = entries[0].row["src_us"]
    if delivery.again is None or delivery.created_us - said < LATE_US:
        return 0
    return int(said) if entries[0].etype == EventKind.MESSAGE_CREATE else 0


def _author(source: Channel, entry: LogEntry) -> Person:
    if entry.erased:
        return Person(source.platform, "")
    author: Mapping[str, Any] = entry.body["author"]
    kind = kind_of(entry)
    return Person(source.platform, author["id"], author["name"], author["avatar"], kind)


def kind_of(entry: LogEntry) -> PersonKind:
    """Return what stands behind an entry's author."""
    kind = entry.row["actor_kind"]
    return PersonKind(kind) if kind in set(PersonKind) else PersonKind.USER


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


async def brought(reader: LogReader, tenant: str, at: Channel, remote: str) -> str:
    """
    Return what was last brought to a place, as far as people may read it there.

    Nothing if nothing was, or if it was erased.
    """
    place = clean_id(at.id), clean_id(remote)
    for entry in reversed(await reader.about(tenant, *place, "bridge.%")):
        if entry.etype in _TOLD and (said := entry.body.get("text")):
            return str(said)
    return ""


def folded_into(seq: int) -> str:
    """Return the reason with which what a digest tells ends."""
    return f"in the digest of entry {seq}"


def _folded(delivery: Delivery, lease: Lease, outcome: Outcome) -> Iterator[Attempt]:
    reason = folded_into(delivery.seq)
    for line in outcome.folded:
        number, state = line.attempts + 1, AttemptState.DROPPED
        yield Attempt(line, number, state, line.tries, lease.epoch, reason=reason)


def _letter(delivery: Delivery, outcome: Outcome) -> Letter | None:
    """Return what goes on the dead-letter list, if a person has to decide."""
    if outcome.state not in {AttemptState.DEAD, AttemptState.PARKED}:
        return None
    parked = outcome.state is AttemptState.PARKED
    unknown = delivery.unknown_since_us if parked else 0
    return Letter(delivery, outcome.state, outcome.reason, unknown)


def _attempt_key(delivery: Delivery, kind: str) -> str:
    return f"{kind}:{delivery.seq}.{delivery.n}.{delivery.attempts}"


def _etype(delivery: Delivery, outcome: Outcome) -> str:
    if outcome.file:
        return entry_type(outcome.file)
    if outcome.state is AttemptState.DELIVERED:
        return _APPLIED[delivery.operation]
    return _ENDED.get(outcome.state, "")


def _entry(
    delivery: Delivery, outcome: Outcome, origin: History, etype: str, now_us: int
) -> Entry:
    copy: Copy | None = outcome.copy
    shown, file = outcome.shown, outcome.file
    place = _place(delivery, outcome)
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
            **({"file": file_as_json(file)} if file else {}),
            **({"transform": _transform(delivery, origin)} if copy else {}),
            **({"parts": copy.parts} if copy and copy.parts > 1 else {}),
            **({"segment": copy.segment} if copy and copy.segment else {}),
        },
        team=delivery.target.team,
        conv=delivery.target.id,
        thread=place.thread,
        msg=place.message,
        actor_kind="system",
        via="self",
        link=delivery.link,
        outcome=outcome.state,
        origin=Origin(origin.seq, origin.leaf) if origin.leaf else None,
    )


def _said(delivery: Delivery, entry: Entry | None) -> Said | None:
    """Say whose words an outcome has: they came when their delivery was queued."""
    if entry is None:
        return None
    key = f"{delivery.seq}:{delivery.n}"
    return Said(entry.subject, delivery.created_us, entry.via, key)


def _wordless(write: Write) -> Write:
    """Return what is left of outcomes without what was said, and who said it."""
    entry = write.entry
    if entry:
        nobody = {"id": "", "name": "", "avatar": ""}
        kept = {k: v for k, v in entry.body.items() if k in _ABOUT_THE_COPY}
        entry = replace(entry, body={**kept, "text": "", "author": nobody})
    others = tuple(_wordless(other) for other in write.others)
    return replace(write, entry=entry, said=None, others=others)


def _transform(delivery: Delivery, origin: History) -> str:
    """Say what was done to what was said: the other platform has another markup."""
    if origin.verdict.hide or origin.verdict.withholds:
        return f"redact:{', '.join(origin.verdict.rules)}"
    alike = delivery.source.platform is delivery.target.platform
    return "identity" if alike else "markdown"


def _place(delivery: Delivery, outcome: Outcome) -> Spot:
    """Return which message on the target's platform an outcome is about, if any."""
    if copy := outcome.copy:
        return Spot(delivery.target, copy.remote, copy.remote_thread)
    if word := outcome.shown or outcome.file:
        return Spot(delivery.target, word.message, word.thread)
    return Spot(delivery.target, "")
