"""The log and the outbox are written together, once, and in order."""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

import pytest

from bridge.access import Action, Asked, Decision
from bridge.delivery import AttemptState, Copy, Operation
from bridge.errors import Fenced, StoreUnavailable
from bridge.links import Link
from bridge.messages import Event, EventKind
from bridge.ports import Commitment, Lease, Outcome
from bridge.relay import planned
from policy.default import MembershipPolicy
from storage.compliance.decided import commitment as commitment_to
from storage.compliance.tree import Frontier
from storage.hot import Address, HotStore, Program, Rows, Statement
from tests.contract.conftest import PATIENCE, TENANT, Store
from tests.events import FALCON, PROJECT, message, words

T = TypeVar("T")
YES = Decision(allowed=True, rule="default", policy="p1", directory="none")
LINK = Link(TENANT, "L1", (FALCON, PROJECT))


def commitment(event: Event, operation: Operation = Operation.POST) -> Commitment:
    deliveries = planned(TENANT, event, operation, FALCON, [LINK])
    return Commitment(TENANT, event, (YES,), tuple(deliveries))


async def claimed(store: Store) -> dict[int, Lease]:
    return {lease.shard: lease for lease in await store.shards.claim(256)}


@dataclass(frozen=True)
class Counted:
    """A store that counts the transactions it is asked for."""

    store: HotStore
    tries: Counter[int]
    number: int

    @property
    def address(self) -> Address:
        return self.store.address

    async def run(self, program: Callable[[], Program[T]]) -> T:
        self.tries[self.number] += 1
        return await self.store.run(program)

    async def fetch(self, statement: Statement) -> Rows:
        return await self.store.fetch(statement)

    async def close(self) -> None:
        await self.store.close()


async def test_an_event_is_in_the_log_and_its_delivery_in_the_outbox(
    store: Store,
) -> None:
    receipt = await store.journal.append(commitment(message(text="hello")))

    [entry] = await store.reader.entries(TENANT, -1, 10)
    [delivery] = await store.queue.newer(TENANT, 0, 1, range(256))
    assert (receipt.seq, receipt.duplicate) == (0, False)
    assert entry.body["text"] == "hello"
    assert entry.body["decisions"][0]["policy"] == "p1"
    assert (delivery.seq, delivery.target, delivery.message) == (
        0,
        PROJECT,
        "1700000000.000100",
    )


async def test_a_decision_is_on_record_with_all_that_explains_it(store: Store) -> None:
    policy, event = MembershipPolicy(), message()
    taken = await policy.decide(Asked(TENANT, event.author, Action.POST, FALCON))
    await store.journal.append(Commitment(TENANT, event, (taken,), ()))

    [entry] = await store.reader.entries(TENANT, -1, 10)
    [told] = entry.body["decisions"]
    assert (told["allowed"], told["rule"]) == (True, taken.rule)
    assert (told["policy"], told["directory"]) == (taken.policy, "none")
    assert (told["action"], entry.row["outcome"]) == ("bridge.post", "allow")
    asked = {
        "tenant": TENANT,
        "person": f"slack|{event.author.id}",
        "kind": "user",
        "action": "bridge.post",
        "channel": str(FALCON),
    }
    salt = bytes.fromhex(told["inputs"]["salt"])
    assert commitment_to(salt, asked) == told["inputs"]["cmt"]
    for name in asked:
        other = asked | {name: "another"}
        assert commitment_to(salt, other) != told["inputs"]["cmt"]


async def test_the_same_event_again_is_a_duplicate_and_changes_nothing(
    store: Store,
) -> None:
    first = await store.journal.append(commitment(message()))

    again = await store.journal.append(commitment(message()))

    assert (again.seq, again.duplicate) == (first.seq, True)
    assert (await store.reader.head(TENANT)).size == 1


async def test_the_same_fact_under_another_event_id_is_a_duplicate(
    store: Store,
) -> None:
    await store.journal.append(commitment(message()))

    again = await store.journal.append(commitment(message(event_id="EvOther")))

    assert again.duplicate


@dataclass(frozen=True, slots=True)
class Blocked:
    """A database that does not begin anything before the way is free."""

    hot: HotStore
    free: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, program: Callable[[], Program[T]]) -> T:
        await self.free.wait()
        return await self.hot.run(program)

    @property
    def address(self) -> Address:
        return self.hot.address

    async def fetch(self, statement: Statement) -> Rows:
        return await self.hot.fetch(statement)

    async def close(self) -> None:
        await self.hot.close()


async def test_what_takes_too_long_is_refused_and_captured_once_when_sent_again(
    store: Store,
) -> None:
    blocked = Blocked(store.journal.store)
    store.journal.store, store.journal.patience = blocked, 0.05

    with pytest.raises(StoreUnavailable, match="takes too long"):
        await store.journal.append(commitment(message()))

    blocked.free.set()
    store.journal.patience = PATIENCE
    again = await store.journal.append(commitment(message()))
    assert again.seq == 0
    assert len(await store.reader.entries(TENANT, -1, 10)) == 1


async def test_events_at_once_get_gapless_positions_and_share_commits(
    store: Store,
) -> None:
    texts = [f"{n} \t\\N ä😀" for n in range(300)]
    events = [message(ts=f"17.{n:06}", text=text) for n, text in enumerate(texts)]

    receipts = await asyncio.gather(
        *(store.journal.append(commitment(e)) for e in events)
    )

    assert sorted(r.seq for r in receipts) == list(range(300))
    entries = await store.reader.entries(TENANT, -1, 300)
    assert [entries[r.seq].body["text"] for r in receipts] == texts
    assert len(await store.queue.newer(TENANT, 0, 300, range(256))) == 300
    assert (await store.reader.verify(TENANT)).intact


async def test_two_processes_append_to_one_gapless_log(store: Store) -> None:
    other = store.another_process("two")

    await asyncio.gather(
        *(
            process.journal.append(commitment(message(ts=f"{name}.{n:06}")))
            for n in range(60)
            for name, process in (("1", store), ("2", other))
        )
    )

    verdict = await store.reader.verify(TENANT)
    assert (verdict.size, verdict.fault) == (120, "")


async def test_processes_that_share_a_log_do_not_commit_in_vain(store: Store) -> None:
    processes = (store, store.another_process("two"))
    tries, commits = Counter[int](), Counter[int]()
    for n, process in enumerate(processes):
        process.journal.store = Counted(process.journal.store, tries, n)
        process.journal.on_commit.append(lambda *_, n=n: commits.update([n]))

    async def speak(n: int) -> None:
        for at in range(40):
            said = message(ts=f"{n}.{at:06}")
            await processes[n].journal.append(commitment(said))

    await asyncio.gather(speak(0), speak(1))

    assert [commits[n] for n in (0, 1)] == [40, 40]
    # One of them finds out now and then that the other one is there.
    assert tries.total() - commits.total() <= 8


async def test_one_event_at_two_processes_is_captured_once(store: Store) -> None:
    other = store.another_process("two")
    events = [message(ts=f"17.{n:06}") for n in range(40)]

    receipts = await asyncio.gather(
        *(p.journal.append(commitment(e)) for e in events for p in (store, other))
    )

    assert sum(not r.duplicate for r in receipts) == 40
    assert (await store.reader.head(TENANT)).size == 40


async def test_an_edit_points_to_what_it_revises(store: Store) -> None:
    await store.journal.append(commitment(message()))
    edit = message(kind=EventKind.MESSAGE_EDIT, version_us=5, document=words("new"))

    await store.journal.append(commitment(edit, Operation.EDIT))

    [_, entry] = await store.reader.entries(TENANT, -1, 10)
    assert (entry.row["prev_seq"], entry.row["rev"]) == (0, 1)


async def test_the_frontier_in_the_head_is_the_tree_over_the_leaves(
    store: Store,
) -> None:
    for n in range(5):
        await store.journal.append(commitment(message(ts=f"17.{n:06}")))

    entries = await store.reader.entries(TENANT, -1, 10)
    head = await store.reader.head(TENANT)
    assert Frontier().extend([e.row["leaf"] for e in entries]).root() == head.root


COLUMNS = [
    ("etype", "'message.edit'"),
    ("platform", "'teams'"),
    ("team", "'T9'"),
    ("conv", "'C9'"),
    ("thread", "'9'"),
    ("msg", "'9'"),
    ("rev", "9"),
    ("version_us", "9"),
    ("actor_kind", "'guest'"),
    ("src_us", "9"),
    ("cap_us", "cap_us + 1"),
    ("via", "'import'"),
    ("link", "'L9'"),
    ("outcome", "'deny'"),
    ("origin_seq", "9"),
    ("prev_seq", "9"),
    ("eid", "'9'"),
    ("key_ref", "'tenant:1:9'"),
    ("actor_tok", "leaf"),
    ("cmt", "leaf"),
    ("origin_leaf", "leaf"),
    ("ct", "leaf"),
]


@pytest.mark.parametrize(("column", "value"), COLUMNS, ids=[c for c, _ in COLUMNS])
async def test_changing_any_column_is_found(
    store: Store, column: str, value: str
) -> None:
    for n in range(3):
        await store.journal.append(commitment(message(ts=f"17.{n:06}")))

    def tamper() -> Program[None]:
        yield Statement(f"UPDATE log SET {column} = {value} WHERE seq = 1")  # noqa: S608

    await store.database.hot.run(tamper)

    assert (await store.reader.verify(TENANT)).fault.startswith("entry 1")


async def test_removing_an_entry_is_found(store: Store) -> None:
    for n in range(3):
        await store.journal.append(commitment(message(ts=f"17.{n:06}")))

    def tamper() -> Program[None]:
        yield Statement("DELETE FROM log WHERE seq = 1")

    await store.database.hot.run(tamper)

    assert (await store.reader.verify(TENANT)).fault == "entry 1 is missing"


async def test_no_message_text_stands_in_the_database_in_the_clear(
    store: Store,
) -> None:
    await store.journal.append(commitment(message(text="xyzzy-secret")))

    rows = await store.database.hot.fetch(Statement("SELECT ct, raw_ct FROM log"))
    assert all(b"xyzzy" not in bytes(value) for value in rows[0])


async def test_text_that_no_database_takes_is_captured_all_the_same(
    store: Store,
) -> None:
    odd = message(text="a\ud800b\0c", event_id="Ev\0\ud800", thread="t\0")

    receipt = await store.journal.append(commitment(odd))

    assert receipt.seq == 0
    assert (await store.reader.verify(TENANT)).intact


async def test_an_outcome_is_written_once_with_its_copy(store: Store) -> None:
    await store.journal.append(commitment(message()))
    leases = await claimed(store)
    [delivery] = await store.queue.unfinished(range(256), {TENANT: 1})
    history = await store.ledger.history(delivery)
    noted = await store.ledger.intend(delivery, leases[delivery.shard])
    copy = Copy(
        TENANT, "L1", FALCON, delivery.message, PROJECT, "1700", "", history.version_us
    )
    outcome = Outcome(AttemptState.DELIVERED, copy=copy)

    for _ in range(2):
        await store.ledger.conclude(noted, leases[delivery.shard], outcome, history)

    assert await store.queue.unfinished(range(256), {TENANT: 9}) == []
    assert (
        await store.copies.copy_of(TENANT, "L1", FALCON, delivery.message, PROJECT)
        == copy
    )
    entries = await store.reader.entries(TENANT, -1, 10)
    assert [e.etype for e in entries] == ["message.create", "bridge.delivered"]
    told = entries[1]
    assert told.row["origin_seq"] == entries[0].seq
    assert told.row["origin_leaf"] == entries[0].row["leaf"]
    there = (told.row["platform"], told.row["team"], told.row["conv"], told.row["msg"])
    assert there == (PROJECT.platform, PROJECT.team, PROJECT.id, "1700")
    assert told.body["transform"] == "markdown"


async def test_an_intent_without_outcome_is_found_as_unknown(store: Store) -> None:
    await store.journal.append(commitment(message()))
    leases = await claimed(store)
    [delivery] = await store.queue.unfinished(range(256), {TENANT: 1})

    await store.ledger.intend(delivery, leases[delivery.shard])

    [again] = await store.queue.unfinished(range(256), {TENANT: 1})
    assert again.unknown_since_us > 0
    assert again.attempts == 1


async def test_a_worker_that_lost_its_shard_writes_nothing(store: Store) -> None:
    await store.journal.append(commitment(message()))
    leases = await claimed(store)
    [delivery] = await store.queue.unfinished(range(256), {TENANT: 1})
    history = await store.ledger.history(delivery)
    lease = leases[delivery.shard]
    await store.shards.release([delivery.shard])
    await store.another_process("two").shards.claim(256)

    with pytest.raises(Fenced):
        await store.ledger.intend(delivery, lease)
    with pytest.raises(Fenced):
        await store.ledger.conclude(
            delivery, lease, Outcome(AttemptState.DELIVERED), history
        )

    assert (await store.reader.head(TENANT)).size == 1


async def test_a_clock_that_goes_back_does_not_turn_the_log_around(
    store: Store,
) -> None:
    now = store.journal.clock()
    for n, behind in enumerate((0, 3_600_000_000, 7_200_000_000)):
        store.journal.clock = lambda behind=behind: now - behind  # type: ignore[misc]
        await store.journal.append(commitment(message(ts=f"17.{n:06}")))

    entries = await store.reader.entries(TENANT, -1, 10)
    captured = [entry.row["cap_us"] for entry in entries]
    assert captured == sorted(set(captured))
    assert (await store.reader.verify(TENANT)).intact


async def test_the_log_tells_since_when_a_message_says_what_it_says(
    store: Store,
) -> None:
    for version, text in enumerate(("a", "b", "b", "a", "a", "a")):
        kind = EventKind.MESSAGE_EDIT if version else EventKind.MESSAGE_CREATE
        event = message(text=text, kind=kind, version_us=version)
        await store.journal.append(commitment(event))
    deliveries = await store.queue.unfinished(range(256), {TENANT: 9})

    history = await store.another_process("two").ledger.history(deliveries[0])

    assert (history.version_us, history.same_since_us) == (5, 3)
