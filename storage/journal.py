"""
The compliance log and the outbox: written together, in group commits.

Writes that arrive while a commit is under way wait and share the next one, so the
busier it is, the fewer commits a message costs. A commit costs as much as the writes
of several messages: two that would follow at once are held apart for a moment, which
nobody notices who waits for one message, and everybody who waits for a thousand. The
more the last one had to write, the longer the moment.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import compress
from operator import not_
from time import monotonic

import structlog

from bridge.delivery import Delivery
from bridge.document import to_json
from bridge.errors import AtomError, BadInput, StoreUnavailable
from bridge.messages import Event
from bridge.plain import plain_text
from bridge.ports import Commitment, Receipt
from bridge.relay import unwatched
from bridge.unanswered import Claim
from storage.batch import Committed, Head, HeadMoved, group_commit, locked_head
from storage.claims import acting_for, noted
from storage.compliance.blobs.work import noted as files_noted
from storage.compliance.conflicts import PUSHED, conflict, differs, original_of
from storage.compliance.decided import as_json
from storage.compliance.events import entry_type
from storage.compliance.keys import Keyring
from storage.compliance.keys.subjects import KeysMoved, SubjectKeys, Supply
from storage.compliance.membership.changes import followed as members_followed
from storage.holds import follow
from storage.hot import HotStore, Program
from storage.just_captured import JustCaptured
from storage.leaving.entries import found_in, label_of, looked
from storage.rows import clean_text
from storage.sealed import Batch
from storage.writes import Entry, ErasedSince, Said, Write

log = structlog.get_logger()

_BATCH = 256
_BACKLOG = 20_000
_PATIENCE = 2.5  # seconds; Slack waits 3
_TRIES = 8
_APART = 0.001  # seconds between commits, for each write of the last one
_FARTHEST = 0.005
_MANY = 64  # writes that are not kept waiting
# When other processes append to the same log: a commit that finds the head elsewhere
# was for nothing, so there are fewer of them, and each locks the head first.
_SHARED_APART = 0.01
_SHARED_FOR = 1.0  # seconds after another one's commit was met

LeftOut = Callable[[str, Said], Awaitable[bool]]
OnCommit = Callable[[str, int, int, tuple[Delivery, ...]], None]


@dataclass(slots=True)
class _Queue:
    keys: SubjectKeys
    waiting: list[tuple[Write, asyncio.Future[Receipt]]] = field(default_factory=list)
    task: asyncio.Task[None] | None = None
    committed_at: float = -1.0
    committed: int = 0  # writes of the last commit
    head: Head | None = None
    shared_until: float = -1.0

    @property
    def shared(self) -> bool:
        """Whether others append to the log at present."""
        return monotonic() < self.shared_until


@dataclass(slots=True)
class Journal:
    """
    Implements `bridge.ports.Journal`, and writes everything else that is logged.

    `on_commit(tenant, first, size, deliveries)` is called after each commit with the
    range of log positions it took and what it queued. `trace` is told when everything
    is written and nothing committed yet, `on_conflict` the platform that contradicted
    itself. `owner` names the process that answers the commands it captures. `left_out` says of what was said before an erasure and is written after it
    whether it must not be: it counts as a duplicate then, without a place. An event waits `patience` seconds for the database: a platform that hears
    nothing sends it again, so nobody is served by waiting longer.
    """

    store: HotStore
    keys: Keyring
    clock: Callable[[], int]
    on_commit: list[OnCommit] = field(default_factory=list)
    trace: Callable[[str], None] = unwatched
    on_conflict: Callable[[str], None] = unwatched
    recent: JustCaptured = field(default_factory=JustCaptured)
    patience: float = _PATIENCE
    left_out: LeftOut | None = None
    owner: str = ""
    _queues: dict[str, _Queue] = field(default_factory=dict)

    async def append(self, commitment: Commitment) -> Receipt:
        event, entry = commitment.event, _entry_of(commitment)
        keys = (event.delivery_key, event.fact_key)
        write = Write(
            commitment.tenant,
            keys=tuple(clean_text(key) for key in keys if key),
            entry=entry,
            said=Said(entry.subject, event.sent_us, event.via, event.event_id),
            deliveries=commitment.deliveries,
            changes=(
                *(
                    statement
                    for consequence in commitment.consequences
                    for statement in follow(
                        commitment.tenant, consequence, self.clock()
                    )
                ),
                *files_noted(commitment.tenant, event, self.clock()),
                *members_followed(commitment.tenant, event),
                *noted(commitment.tenant, event, self.owner, self.clock()),
            ),
            others=found_in(commitment, self.clock()),
        )
        try:
            async with asyncio.timeout(self.patience):
                receipt = await self.write(write)
                if receipt.duplicate and event.via == PUSHED and receipt.seq >= 0:
                    await self._compare(commitment, write)
                return receipt
        except TimeoutError as error:
            raise StoreUnavailable("the database takes too long") from error

    async def _compare(self, commitment: Commitment, write: Write) -> None:
        """Keep what contradicts an event that has the same id, and say so aloud."""
        tenant, event, entry = commitment.tenant, commitment.event, write.entry
        original = await original_of(self.store, tenant, event)
        if original is None or entry is None:
            return  # the same fact under another id
        secrets = await self.keys.secrets(tenant, [original[3]])
        if not differs(event, _body(event), original, secrets.get(original[3])):
            return
        against = conflict(tenant, event, entry, original)
        receipt = await self.write(replace(against, said=write.said))
        if not receipt.duplicate:
            log.error("conflicting event", seq=receipt.seq, original=original[0])
            self.on_conflict(event.platform)

    async def write(self, write: Write) -> Receipt:
        """
        Write all of `write` or nothing. Raises `StoreUnavailable` or `Fenced`.

        A write one of whose keys was seen before changes nothing and returns a
        duplicate receipt; so does what is left out for an erasure, with no place. A
        cancelled caller's write may still be committed.
        """
        if claim := acting_for():
            write = replace(write, claim=claim)
        known = self._queue(write.tenant).keys.erased_us
        if all(said.via == PUSHED for said in write.words):
            known = 0  # it hardly ever is late, and may be there already
        while True:
            if write.may_be_erased(known):
                if await self._is_left_out(write):
                    return Receipt(seq=-1, duplicate=True)
                write = replace(write, asked_us=known)
            try:
                return await self._queued(write)
            except ErasedSince as error:
                known = error.erased_us

    async def _is_left_out(self, write: Write) -> bool:
        if self.left_out is None:
            return False
        for said in write.words:
            if await self.left_out(write.tenant, said):
                return True
        return False

    async def _queued(self, write: Write) -> Receipt:
        queue = self._queue(write.tenant)
        if len(queue.waiting) >= _BACKLOG:
            raise StoreUnavailable("the database does not keep up")
        answer: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()
        queue.waiting.append((write, answer))
        if queue.task is None:
            queue.task = asyncio.create_task(self._drain(queue))
        return await answer

    async def decide(
        self,
        tenant: str,
        subject: str,
        finding: Callable[[int], Program[Write | None]],
        others: Sequence[str] = (),
    ) -> Receipt | None:
        """
        Write what a program finds out while nobody else can append to the log.

        `finding` is given the position that its entry will have, and returns what to
        write about `subject` and the `others`, or None to write nothing. It may be run
        again. For what must not be decided on what was true a moment ago.
        """
        claim = acting_for()
        for _ in range(_TRIES):
            now = self.clock()
            # Keys of its own: what the queue believes is about its own head.
            supply = await SubjectKeys(self.keys, tenant).supply(
                [subject, *others], now
            )
            program = partial(_decided, tenant, finding, supply, now, claim)
            try:
                committed = await self.store.run(program)
            except KeysMoved:
                continue
            if committed is None:
                return None
            self._announce(tenant, committed)
            [answer] = committed.answers
            if isinstance(answer, AtomError):
                raise answer
            return answer
        raise StoreUnavailable("other processes keep changing the keys")

    def _queue(self, tenant: str) -> _Queue:
        if tenant not in self._queues:
            self._queues[tenant] = _Queue(SubjectKeys(self.keys, tenant))
        return self._queues[tenant]

    async def _drain(self, queue: _Queue) -> None:
        try:
            while queue.waiting:
                await self._hold_apart(queue)
                batch = _next_batch(queue)
                await self._commit(queue, batch)
                queue.committed_at, queue.committed = monotonic(), len(batch)
        finally:
            queue.task = None

    async def _hold_apart(self, queue: _Queue) -> None:
        apart = min(_APART * queue.committed, _FARTHEST)
        if queue.shared:
            apart = _SHARED_APART
        since = monotonic() - queue.committed_at
        if since < apart and len(queue.waiting) < _MANY:
            await asyncio.sleep(apart - since)

    async def _commit(
        self, queue: _Queue, batch: list[tuple[Write, asyncio.Future[Receipt]]]
    ) -> None:
        live = [pair for pair in batch if not pair[1].cancelled()]
        if not live:
            return
        try:
            committed = await self._group(queue, [write for write, _ in live])
        except _NoKeys as error:
            # Nothing was tried yet, so those whose keys are at hand can still go.
            at_hand = [self._has_key(queue, write) for write, _ in live]
            _fail([*compress(live, map(not_, at_hand))], error.reason)
            await self._commit(queue, [*compress(live, at_hand)])
            return
        except AtomError as error:
            _fail(live, error)
        except Exception:
            log.exception("group commit failed")
            queue.head = None
            if len(live) > 1:
                # One of them cannot be written; the others must not suffer for it.
                for pair in live:
                    await self._commit(queue, [pair])
                return
            _fail(live, StoreUnavailable("the commit failed"))
        else:
            self._announce(live[0][0].tenant, committed)
            if any(write.rekeys for write, _ in live):
                self._forget(queue, live[0][0].tenant)
            for (_, answer), result in zip(live, committed.answers, strict=True):
                _settle(answer, result)
            return
        queue.head = None

    async def _group(self, queue: _Queue, writes: list[Write]) -> Committed:
        for _ in range(_TRIES):
            head, now = None if queue.shared else queue.head, self.clock()
            if head is None:
                self.recent.others_wrote(writes[0].tenant)
                queue.keys.doubt()
            supply = await self._supply(queue, writes, now)
            try:
                batch = Batch.of(writes, supply, now)
                program = partial(self._watched, batch, now, head)
                committed = await self.store.run(program)
            except HeadMoved:
                queue.head, queue.shared_until = None, monotonic() + _SHARED_FOR
            except KeysMoved:
                self._forget(queue, writes[0].tenant)
            else:
                queue.head = committed.head
                if committed.head.frontier.size > committed.first:
                    queue.keys.committed(supply)
                return committed
        raise StoreUnavailable("other processes keep moving the log's head")

    async def _supply(self, queue: _Queue, writes: list[Write], now_us: int) -> Supply:
        subjects = [subject for write in writes for subject in write.subjects]
        try:
            return await queue.keys.supply(subjects, now_us)
        except BadInput as error:
            # A key file that is away comes back; until then nothing is kept.
            raise _NoKeys(StoreUnavailable(str(error))) from error
        except AtomError as error:
            raise _NoKeys(error) from error

    def _has_key(self, queue: _Queue, write: Write) -> bool:
        now = self.clock()
        return all(queue.keys.has(subject, now) for subject in write.subjects)

    def _forget(self, queue: _Queue, tenant: str) -> None:
        queue.head = None
        queue.keys.forget()
        self.recent.forget(tenant)

    def _watched(
        self, batch: Batch, now_us: int, head: Head | None
    ) -> Program[Committed]:
        committed = yield from group_commit(batch, now_us, head)
        self.trace("written")
        return committed

    def _announce(self, tenant: str, committed: Committed) -> None:
        size = committed.head.frontier.size
        if size > committed.first:
            self.recent.note(tenant, committed.told)
        for listener in self.on_commit:
            try:
                listener(tenant, committed.first, size, committed.deliveries)
            except Exception:
                # What is committed is committed, whoever fails to hear of it.
                log.exception("a listener broke")


def _decided(
    tenant: str,
    finding: Callable[[int], Program[Write | None]],
    supply: Supply,
    now_us: int,
    claim: Claim | None,
) -> Program[Committed | None]:
    head = yield from locked_head(tenant)
    write = yield from finding(head.frontier.size)
    if write is None:
        return None
    batch = Batch.of([replace(write, claim=claim)], supply, now_us)
    return (yield from group_commit(batch, now_us, head))


class _NoKeys(Exception):
    """Keys could not be found or made; nothing was written."""

    def __init__(self, reason: AtomError) -> None:
        super().__init__()
        self.reason = reason


def _next_batch(queue: _Queue) -> list[tuple[Write, asyncio.Future[Receipt]]]:
    """Take the writes that go together next; one that changes keys goes alone."""
    waiting = queue.waiting[:_BATCH]
    apart = [place for place, (write, _) in enumerate(waiting) if write.rekeys]
    count = max(apart[0], 1) if apart else len(waiting)
    batch, queue.waiting = queue.waiting[:count], queue.waiting[count:]
    return batch


def _fail(live: list[tuple[Write, asyncio.Future[Receipt]]], error: AtomError) -> None:
    for _, answer in live:
        if not answer.done():
            # Each waiter gets an error of its own: a traceback grows as it is raised.
            answer.set_exception(type(error)(*error.args))


def _settle(waiting: asyncio.Future[Receipt], result: Receipt | AtomError) -> None:
    if waiting.done():
        return
    if isinstance(result, AtomError):
        waiting.set_exception(result)
    else:
        waiting.set_result(result)


def _entry_of(commitment: Commitment) -> Entry:
    event, decisions = commitment.event, commitment.decisions
    denied = any(not decision.allowed for decision in decisions)
    outcome = "deny" if denied else "allow" if decisions else "none"
    return Entry(
        etype=entry_type(event),
        platform=event.platform,
        subject=f"{event.platform}|{event.author.id}",
        src_us=event.sent_us,
        body=_body(event)
        | {"decisions": [as_json(commitment.tenant, event, d) for d in decisions]}
        | looked(commitment.inspection),
        raw=event.raw,
        team=event.channel.team if event.channel else event.account,
        conv=event.channel.id if event.channel else "",
        thread=event.thread,
        msg=event.message,
        version_us=event.version_us,
        actor_kind=event.author.kind,
        via=event.via,
        outcome=outcome,
        label=label_of(commitment.inspection),
        dlp=",".join(commitment.inspection.detectors) or None,
        document=event.document,
    )


def _body(event: Event) -> dict[str, object]:
    return {
        "text": plain_text(event.document),
        "document": to_json(event.document),
        "author": {
            "id": event.author.id,
            "name": event.author.name,
            "avatar": event.author.avatar,
        },
        "files": [
            {
                "id": file.id,
                "name": file.name,
                "mime": file.mime,
                "size": file.size,
                "url": file.url,
                "page": file.page,
            }
            for file in event.files
        ],
        "detail": dict(event.detail),
    }
