"""Another content under the same event id is kept, told, and goes no further."""

import asyncio
from dataclasses import replace

import orjson
import pytest

from bridge.messages import Event
from bridge.ports import Commitment
from tests.contract.conftest import TENANT, Store
from tests.contract.letters import YES
from tests.events import message, words

SAID = message(raw=b'{"text": "pay 100", "ts": "17"}', text="pay 100")
FORGED = message(raw=b'{"text": "pay 900", "ts": "17"}', text="pay 900")


async def heard(store: Store, event: Event) -> int:
    receipt = await store.journal.append(Commitment(TENANT, event, (YES,), ()))
    return receipt.seq


async def kinds(store: Store) -> list[str]:
    return [e.etype for e in await store.reader.entries(TENANT, -1, 99)]


@pytest.mark.parametrize(
    "again",
    [
        SAID,
        replace(SAID, raw=b'{"ts": "17", "text": "pay 100"}'),
        replace(SAID, raw=b'{"text": "pay 100", "ts": "17", "retry": 2}'),
    ],
)
async def test_retries_are_one_entry_and_no_conflict(
    store: Store, again: Event
) -> None:
    await heard(store, SAID)
    for _ in range(3):
        await heard(store, again)

    assert await kinds(store) == ["message.create"]


async def test_another_content_is_kept_once_beside_the_first(store: Store) -> None:
    told: list[str] = []
    store.journal.on_conflict = told.append
    first = await heard(store, SAID)

    assert await heard(store, FORGED) == first
    assert await heard(store, FORGED) == first

    original, second = await store.reader.entries(TENANT, -1, 99)
    assert (second.etype, second.row["outcome"]) == ("conflict", "conflict")
    assert second.body["text"] == "pay 900"
    assert second.row["origin_seq"] == first
    assert second.row["origin_leaf"] == original.row["leaf"]
    assert told == ["slack"]
    revisions = await store.reader.revisions(TENANT, "C02FALCON", SAID.message)
    assert [r.body["text"] for r in revisions] == ["pay 100"]
    assert (await store.reader.verify(TENANT)).intact


async def test_contradictions_at_once_from_two_processes_are_all_kept(
    store: Store,
) -> None:
    other = store.another_process("two")

    await asyncio.gather(heard(store, SAID), heard(other, FORGED))

    assert sorted(await kinds(store)) == ["conflict", "message.create"]


async def test_the_same_fact_from_another_event_is_no_conflict(store: Store) -> None:
    await heard(store, SAID)
    mention = replace(SAID, event_id="EvMention", raw=orjson.dumps({"type": "mention"}))

    await heard(store, replace(mention, document=words("pay 100 ")))

    assert await kinds(store) == ["message.create"]
