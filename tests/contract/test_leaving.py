"""What was found stands in the log with the message; rules and reviews are kept."""

from dataclasses import replace

import orjson
import pytest

from bridge.access import Label
from bridge.delivery import AttemptState
from bridge.errors import Conflict
from bridge.leaving.findings import Confidence, Finding, Inspection, Part
from bridge.leaving.rules import Deed, Taken, Verdict
from bridge.links import Link
from bridge.ports import Commitment
from storage.compliance.acts import Acts
from storage.leaving.desk import StoredFindings, StoredReleases, StoredReviews
from storage.leaving.rules import Preview, StoredRules
from tests.contract.conftest import TENANT, Store, ticking_clock
from tests.contract.letters import ended, open_now, said
from tests.contract.test_journal import commitment
from tests.events import FALCON, PROJECT, message

ADMIN = "slack:U01ALICE"
CARD = Finding("credit_card", 4, 23, Confidence.HIGH, "aa" * 16)
MAIL = Finding("email", 30, 39, Confidence.MEDIUM, "bb" * 16)
FOUND = Inspection("hash", (CARD, MAIL), Label.CONFIDENTIAL)
REDACTS = Verdict(Deed.REDACT, ("cards",), (CARD,))
HELD = Verdict(Deed.QUARANTINE, ("cards",))


@pytest.fixture
async def link(store: Store) -> Link:
    return await store.links.add(TENANT, (FALCON, PROJECT), ADMIN)


def with_findings(text: str = "hello") -> Commitment:
    plain = commitment(message(text=text))
    taken = (Taken(REDACTS, "L1", PROJECT),)
    return replace(plain, inspection=FOUND, taken=taken)


async def test_findings_are_written_with_their_message_and_once(store: Store) -> None:
    await store.journal.append(with_findings())
    await store.journal.append(with_findings())

    log = await store.reader.entries(TENANT, -1, 99)

    assert [entry.etype for entry in log] == [
        "message.create",
        "dlp.finding",
        "dlp.finding",
        "dlp.action",
    ]
    assert (log[0].row["label"], log[0].row["dlp"]) == (
        "confidential",
        "credit_card,email",
    )
    assert log[1].body["detail"] == {
        "detector": "credit_card",
        "findings": [CARD.told],
    }
    assert log[3].body["detail"]["action"] == "redact"
    assert {entry.row["msg"] for entry in log} == {message().message}
    assert (await store.reader.verify(TENANT)).intact


async def test_what_was_found_is_told_with_what_is_to_be_delivered(
    store: Store, link: Link
) -> None:
    plain = commitment(message())
    deliveries = tuple(replace(d, link=link.id) for d in plain.deliveries)
    await store.journal.append(replace(plain, deliveries=deliveries, inspection=FOUND))

    [delivery] = await open_now(store)
    story = await store.ledger.history(delivery)

    assert story.inspection == FOUND


async def test_a_message_without_findings_leaves_columns_empty(store: Store) -> None:
    await store.journal.append(commitment(message()))

    [entry] = await store.reader.entries(TENANT, -1, 99)

    assert (entry.row["label"], entry.row["dlp"]) == (None, None)
    assert "leaving" not in entry.body


async def test_findings_in_a_file_are_noted_once(store: Store, link: Link) -> None:
    await said(store, link, "17.1")
    [delivery] = await open_now(store)
    delivery = replace(delivery, file="F1")
    found = replace(FOUND, findings=(replace(CARD, part=Part.FILE, about="F1"),))
    noted = StoredFindings(store.journal, ticking_clock())

    for _ in range(2):
        await noted.note(delivery, "slack|U01ALICE", found, HELD)

    log = await store.reader.entries(TENANT, -1, 99)
    assert [e.etype for e in log][-2:] == ["dlp.finding", "dlp.action"]
    assert orjson.dumps(log[-1].body["detail"]["file"]) == b'"F1"'


def reviews(store: Store) -> StoredReviews:
    clock = ticking_clock()
    acts = Acts(store.journal, clock)
    return StoredReviews(store.letters, store.ledger, acts, clock)


async def test_what_is_held_waits_until_it_is_let_go(store: Store, link: Link) -> None:
    await said(store, link, "17.1")
    await ended(store, AttemptState.DEAD, HELD.held)
    await said(store, link, "17.2")
    await ended(store, AttemptState.DEAD, "no such channel")
    desk, releases = reviews(store), StoredReleases(store.database.hot)

    [waiting] = await desk.waiting(TENANT)
    delivery = waiting.letter.delivery
    assert not await releases.released(delivery, waiting.version_us)
    await desk.release(waiting, ADMIN)

    assert await desk.waiting(TENANT) == []
    [again] = await open_now(store)
    assert again.message == "17.1"
    assert await releases.released(again, waiting.version_us)
    assert not await releases.released(again, waiting.version_us + 1)
    assert not await releases.released(
        replace(again, target=FALCON), waiting.version_us
    )
    assert not await releases.released(
        replace(again, tenant="globex"), waiting.version_us
    )


async def test_what_is_refused_is_off_the_list_and_two_decide_once(
    store: Store, link: Link
) -> None:
    await said(store, link, "17.1")
    await ended(store, AttemptState.DEAD, HELD.held)
    desk = reviews(store)
    [waiting] = await desk.waiting(TENANT)

    await desk.refuse(waiting, ADMIN)
    with pytest.raises(Conflict):
        await desk.release(waiting, ADMIN)

    assert await desk.waiting(TENANT) == []
    assert await open_now(store) == []
    acts = await store.reader.entries(TENANT, -1, 99)
    assert [e.body["detail"]["action"] for e in acts if e.etype == "dlp.action"] == [
        "refused"
    ]


async def test_rules_have_versions_and_none_is_lost(store: Store) -> None:
    clock = ticking_clock()
    rules = StoredRules(store.database.hot, Acts(store.journal, clock), clock)

    assert await rules.version(TENANT) is None
    assert await rules.publish(TENANT, "rules: []", "h1", ADMIN) == 1
    assert await rules.publish(TENANT, "rules: []", "h1", ADMIN) == 1
    looked = Preview(1, "ab12")
    assert await rules.publish(TENANT, "version: 1", "h2", ADMIN, looked) == 2
    with pytest.raises(Conflict):  # what was looked at was in place of version 1
        await rules.publish(TENANT, "rules: []", "h1", ADMIN, looked)

    newest, first = await rules.version(TENANT), await rules.version(TENANT, 1)
    assert newest is not None
    assert (newest.number, newest.text) == (2, "version: 1")
    assert first is not None
    assert (first.hash, first.actor) == ("h1", ADMIN)
    assert [each.number for each in await rules.versions(TENANT)] == [2, 1]
    assert await rules.newest() == {TENANT: 2}
    assert await rules.versions("globex") == []
    told = await store.reader.entries(TENANT, -1, 99)
    assert [e.etype for e in told] == ["admin.config", "admin.config"]
    assert [e.body["detail"]["preview"] for e in told] == ["", "ab12"]
