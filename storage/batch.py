"""
One group commit: many writes of one tenant, in one transaction, as one program.

The tenant's head row is the fence between processes. It is moved by compare-and-set
before anything is inserted, so whatever was read before it still holds after it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bridge.delivery import Copy, Delivery
from bridge.errors import Fenced
from bridge.ports import Receipt
from bridge.unanswered import Claim
from storage.batch_reads import latest, looked_up
from storage.claims import effect
from storage.compliance.keys.subjects import confirmed
from storage.compliance.leaf import NEWEST, leaf_of
from storage.compliance.tree import Frontier
from storage.hot import Guarded, Insert, Program, Statement
from storage.just_captured import Captured, Told, at_position, captured
from storage.rows import (
    attempt_row,
    clean_id,
    copy_row,
    letter_row,
    outbox_row,
    requeued_row,
)
from storage.sealed import Batch, Sealed
from storage.writes import Entry, ErasedSince, Fence, Write

_SAME_COPY = (
    "ON CONFLICT (tenant, target, remote, segment) DO UPDATE SET "
    "version_us = excluded.version_us, deleted = excluded.deleted, "
    "parts = excluded.parts, budget = excluded.budget"
)


class HeadMoved(Exception):
    """Another process appended to this tenant's log; start over from its head."""


@dataclass(frozen=True, slots=True)
class Head:
    """Where a tenant's log ends."""

    frontier: Frontier
    root: bytes
    last_us: int
    epoch: int = 1


@dataclass(frozen=True, slots=True)
class Committed:
    """
    What a group commit did: an answer per write, and the deliveries it queued.

    `told` are the messages that it has entries about, each with its entry if nothing
    was known of the message before, and the entries of reactions by their positions.
    """

    head: Head
    answers: tuple[Receipt | Fenced | ErasedSince, ...]
    first: int
    deliveries: tuple[Delivery, ...]
    told: Mapping[Told, Captured | None]


@dataclass(slots=True)
class _Draft:
    """The rows of a group commit while they are put together."""

    head: Head
    now_us: int
    log: list[dict[str, Any]] = field(default_factory=list)
    seen: list[dict[str, Any]] = field(default_factory=list)
    outbox: list[dict[str, Any]] = field(default_factory=list)
    attempts: list[dict[str, Any]] = field(default_factory=list)
    copies: list[Copy] = field(default_factory=list)
    changes: list[Statement] = field(default_factory=list)
    letters: list[dict[str, Any]] = field(default_factory=list)
    requeued: list[dict[str, Any]] = field(default_factory=list)
    keys: list[dict[str, Any]] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)
    known: dict[str, int] = field(default_factory=dict)
    latest: dict[Told, tuple[int, int]] = field(default_factory=dict)
    heard_of: frozenset[Told] = frozenset()
    erased_us: int = 0
    told: dict[Told, Captured | None] = field(default_factory=dict)

    @property
    def next_seq(self) -> int:
        return self.head.frontier.size + len(self.log)

    def moment(self) -> int:
        """Return a capture time that is later than every earlier one."""
        last = self.log[-1]["cap_us"] if self.log else self.head.last_us
        return max(self.now_us, last + 1)


def group_commit(batch: Batch, now_us: int, head: Head | None) -> Program[Committed]:
    """
    Write a batch of one tenant's writes.

    `head` is what this process believes the log's end to be, None to read it under a
    lock. Raises `HeadMoved` when the belief was wrong, and `KeysMoved` when its keys
    are no longer what to seal with; nothing is written then.
    """
    writes, supply = batch.writes, batch.supply
    tenant = writes[0].tenant
    draft = _Draft(head or (yield from locked_head(tenant)), now_us)
    yield from confirmed(tenant, supply)
    draft.erased_us = supply.erased_us
    if guard := writes[0].guard:
        yield from guard()
    draft.known, owned, draft.heard_of = yield from looked_up(
        tenant, writes, draft.head.last_us
    )
    draft.latest = yield from latest(tenant, writes, draft.head.last_us)

    answers = tuple(
        _add(draft, write, sealed, owned)
        for write, sealed in zip(writes, batch.sealed, strict=True)
    )

    first, leaves = draft.next_seq - len(draft.log), [r["leaf"] for r in draft.log]
    moved = _moved(draft, leaves)
    draft.keys = [*supply.fresh.values()] if draft.log else []
    yield from _written(tenant, draft, moved)
    deliveries = tuple(draft.deliveries)
    return Committed(moved, answers, first, deliveries, draft.told)


def _add(
    draft: _Draft,
    write: Write,
    sealed: Sequence[Sealed | None],
    owned: frozenset[Fence | Claim],
) -> Receipt | Fenced | ErasedSince:
    if write.fence and write.fence not in owned:
        return Fenced(f"shard {write.fence.shard} has another owner")
    if write.claim and write.claim not in owned:
        return Fenced("another process sees to that command")
    for seen in write.keys:
        if seen in draft.known:
            return Receipt(draft.known[seen], duplicate=True)
    if write.may_be_erased(draft.erased_us):
        return ErasedSince(draft.erased_us)
    seq = draft.next_seq
    for one, its in zip(write.together, sealed, strict=True):
        _put(draft, one, its)
    return Receipt(seq)


def _put(draft: _Draft, write: Write, sealed: Sealed | None) -> None:
    seq, moment = draft.next_seq, draft.moment()
    if write.entry and sealed:
        draft.log.append(_log_row(draft, write, write.entry, sealed, moment))
        if write.claim:
            draft.changes += effect(write.claim, write.entry.etype, seq)
    for text in write.keys:
        draft.known[text] = seq
        draft.seen.append(
            {"tenant": write.tenant, "key": text, "seq": seq, "at_us": moment}
        )
    for n, delivery in enumerate(write.deliveries):
        placed = replace(delivery, seq=seq, n=n, created_us=moment)
        draft.deliveries.append(placed)
        draft.outbox.append(outbox_row(placed))
        if placed.again:
            draft.requeued.append(requeued_row(placed, placed.again))
    draft.attempts += [attempt_row(a, moment) for a in write.attempts]
    draft.copies += write.copies
    draft.changes += write.changes
    if write.letter:
        draft.letters.append(letter_row(write.letter, moment))


def _log_row(
    draft: _Draft, write: Write, entry: Entry, sealed: Sealed, moment: int
) -> dict[str, Any]:
    conv, msg = clean_id(entry.conv), clean_id(entry.msg)
    prev_seq, rev = None, 0
    if entry.revises and (before := draft.latest.get((conv, msg))):
        prev_seq, rev = before[0], before[1] + (entry.etype == "message.edit")
    row: dict[str, Any] = {
        "tenant": write.tenant,
        "seq": draft.next_seq,
        "eid": sealed.eid,
        "etype": entry.etype,
        "platform": entry.platform,
        "team": clean_id(entry.team),
        "conv": conv,
        "thread": clean_id(entry.thread),
        "msg": msg,
        "rev": rev,
        "version_us": entry.version_us,
        "actor_tok": sealed.key.token,
        "actor_kind": entry.actor_kind,
        "src_us": entry.src_us,
        "via": entry.via,
        "link": entry.link,
        "outcome": entry.outcome,
        "origin_seq": entry.origin.seq if entry.origin else None,
        "origin_leaf": entry.origin.leaf if entry.origin else None,
        "prev_seq": prev_seq,
        "key_ref": sealed.key.ref,
        "cmt": sealed.cmt,
        "cap_us": moment,
        "leaf_v": NEWEST,
        "raw_cmt": sealed.raw_cmt,
        "label": entry.label,
        "dlp": entry.dlp,
    }
    row["leaf"] = leaf_of(row)
    row["ct"], row["raw_ct"] = sealed.ct, sealed.raw_ct
    if entry.etype.startswith("message."):
        draft.latest[(conv, msg)] = (row["seq"], rev)
        message = (conv, msg)
        old = message in draft.heard_of or message in draft.told
        new = write.queues_first and not old
        document = entry.document if sealed.exact else None
        draft.told[message] = captured(row, sealed.body, document) if new else None
    elif entry.etype.startswith("reaction.") and write.deliveries:
        draft.told[at_position(row["seq"])] = captured(row, sealed.body)
    return row


def _moved(draft: _Draft, leaves: Sequence[bytes]) -> Head:
    if not leaves:
        return draft.head
    frontier = draft.head.frontier.extend(leaves)
    last = draft.log[-1]["cap_us"]
    return Head(frontier, frontier.root(), last, draft.head.epoch)


def locked_head(tenant: str) -> Program[Head]:
    """Return where the log ends; nobody else appends until the transaction does."""
    sql = "SELECT size, root, frontier, last_us, epoch FROM head WHERE tenant = :tenant"
    parameters = {"tenant": tenant}
    locked = Statement(sql, parameters, postgres=f"{sql} FOR UPDATE")
    rows = yield locked
    if not rows:
        yield _first_head(tenant)
        rows = yield locked
    size, root, packed, last_us, epoch = rows[0]
    return Head(Frontier.unpack(size, bytes(packed)), bytes(root), last_us, epoch)


def _first_head(tenant: str) -> Statement:
    """Begin a log, unless another process begins it at the same moment."""
    empty = Frontier()
    return Statement(
        "INSERT INTO head (tenant, size, root, frontier, epoch, last_us) VALUES "
        "(:tenant, :size, :root, :frontier, :epoch, :last_us) ON CONFLICT DO NOTHING",
        _head_row(tenant, Head(empty, empty.root(), 0)),
    )


def _head_row(tenant: str, head: Head) -> dict[str, Any]:
    return {
        "tenant": tenant,
        "size": head.frontier.size,
        "root": head.root,
        "frontier": head.frontier.pack(),
        "epoch": head.epoch,
        "last_us": head.last_us,
    }


def _move_head(tenant: str, old: Head, new: Head) -> Statement:
    return Statement(
        "UPDATE head SET size = :size, root = :root, frontier = :frontier, "
        "last_us = :last_us WHERE tenant = :tenant AND epoch = :epoch "
        "AND size = :old_size AND root = :old_root RETURNING size",
        _head_row(tenant, new) | {"old_size": old.frontier.size, "old_root": old.root},
    )


def _written(tenant: str, draft: _Draft, moved: Head) -> Program[None]:
    inserts = (
        Insert("seen", draft.seen),
        Insert("subject_key", draft.keys),
        Insert("log", draft.log),
        Insert("outbox", draft.outbox),
        Insert("attempt", draft.attempts),
        Insert("copy", _copy_rows(draft), _SAME_COPY),
        Insert("dead_letter", draft.letters),
        Insert("requeued", draft.requeued),
    )
    if draft.log:
        rows = yield Guarded(inserts, _move_head(tenant, draft.head, moved))
        if not rows:
            raise HeadMoved
    else:
        yield Guarded(inserts)
    for change in draft.changes:  # noqa: UP028 - a tuple cannot be sent rows
        yield change


def _copy_rows(draft: _Draft) -> list[dict[str, Any]]:
    """Return a row a copy: the last word of the batch, if there are several."""
    last = {(c.tenant, c.target, c.remote, c.segment): c for c in draft.copies}
    moment = draft.moment()
    return [copy_row(copy, moment) for copy in last.values()]
