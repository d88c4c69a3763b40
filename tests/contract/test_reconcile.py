"""Whatever was not heard is found, read in late, and attested; never more is claimed."""

import asyncio
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import pytest

from bots.slack.recent import SlackRecent
from bridge.catchup import CatchUp
from bridge.errors import CannotTell, ServiceUnavailable
from bridge.links import Link
from bridge.messages import Channel, EventKind, Platform
from bridge.reconcile import Attested, Calls, OutOfBudget, Reconciler, said_us
from bridge.relay import Relay
from policy.default import MembershipPolicy
from storage.compliance.acts import Acts
from storage.compliance.completeness.attestations import (
    StoredAttestations,
    ids_hash,
)
from storage.compliance.completeness.coverage import Coverage, Day, days
from storage.compliance.proofs.notes import opened
from storage.compliance.proofs.signers import Signers
from storage.compliance.proofs.signing_keys import SigningKeys
from storage.links import StoredLinks
from storage.log_reader import LogEntry
from storage.record import StoredRecord
from storage.watermarks import StoredWatermarks
from tests.contract.conftest import TENANT, Store
from tests.contract.sides import SIDES, SPOKEN, Side, now_us, opened_side
from tests.e2e.world import FALCON, PROJECT

# The statements are few; once on PostgreSQL is enough for them.
HERE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
IN_SLACK = pytest.mark.parametrize("side", ["slack"], indirect=True)
HOUR = 3600 * 1_000_000


class OneCompany:
    async def tenant_of(self, _platform: Platform, _account: str) -> str:
        return TENANT


async def no_wait(_seconds: float) -> None:
    return


@dataclass
class Bench:
    """A platform, ATOM's log, and what compares the two."""

    side: Side
    store: Store
    relay: Relay
    reconciler: Reconciler
    signers: Signers
    link: Link
    heard: int = 0

    async def hear(self, *dropped: str) -> None:
        """Let ATOM hear all that happened since, but for some messages' events."""
        events = [*self.side.heard.events.values()][self.heard :]
        self.heard += len(events)
        for event in events:
            if event.kind in SPOKEN and event.fact_key not in dropped:
                await self.relay.receive(event)

    async def reconcile(self, budget: Calls | None = None) -> Attested:
        found = await self.reconciler.channel(
            TENANT, self.side.channel, budget or Calls(no_wait)
        )
        assert found
        return found

    async def log(self, *etypes: str) -> list[LogEntry]:
        entries = await self.store.reader.entries(TENANT, -1, 9_999)
        return [e for e in entries if e.etype in etypes]

    async def today(self) -> list[Day]:
        coverage = Coverage(self.store.database.hot)
        windows = await coverage.windows(TENANT)
        since, now = self.link.created_us, later()
        return days(self.side.channel, windows, since, now - 60_000_000)


def later() -> int:
    """Say that what was just said has settled."""
    return now_us() + HOUR


@pytest.fixture(params=[*SIDES])
async def side(request: pytest.FixtureRequest) -> AsyncIterator[Side]:
    async with opened_side(request.param) as made:
        yield made


@pytest.fixture
async def bench(side: Side, store: Store) -> Bench:
    hot, journal = store.database.hot, store.journal
    journal.clock = now_us
    links = StoredLinks(hot, journal, store.ring, now_us)
    link = await links.add(TENANT, (FALCON, PROJECT), "slack:U01ALICE")
    record, marks = StoredRecord(hot, store.reader), StoredWatermarks(hot)
    relay = Relay(OneCompany(), links, MembershipPolicy(), journal)
    side.recent = replace(side.recent, page=100) if is_slack(side) else side.recent  # type: ignore[type-var]  # both are dataclasses
    recent = {side.platform: side.recent}
    catch_up = CatchUp(recent, relay, record, marks, links, later)
    signers = Signers(hot, SigningKeys(store.keys.folder), now_us)
    attestations = StoredAttestations(hot, Acts(journal, now_us), signers, later)
    reconciler = Reconciler(catch_up, record, attestations, later, 24 * HOUR)
    return Bench(side, store, relay, reconciler, signers, link)


def is_slack(side: Side) -> bool:
    return isinstance(side.recent, SlackRecent)


async def fact_of(side: Side, message: str, kind: EventKind) -> str:
    def found() -> list[str]:
        events = side.heard.facts().values()
        return [e.fact_key for e in events if (e.message, e.kind) == (message, kind)]

    async with asyncio.timeout(15):
        while not (facts := found()):
            await asyncio.sleep(0.01)
    return facts[0]


async def said(side: Side, count: int) -> list[str]:
    """Let people say so much, every third time in a thread; return the ids."""
    ids: list[str] = []
    for n in range(count):
        thread = {"thread": ids[n - n % 10]} if n % 3 == 1 and n % 10 else {}
        action = "reply" if thread else "post"
        ids.append(await side.act(action, text=f"message {n}", **thread))
    await side.until_heard(count)
    return ids


async def test_all_of_what_was_dropped_is_found_read_in_and_attested(
    bench: Bench,
) -> None:
    ids = await said(bench.side, 100)
    chance = random.Random(18)
    dropped = {chance.choice(ids), *ids[40:60]}  # 1 % at random, and a whole stretch
    facts = [await fact_of(bench.side, m, EventKind.MESSAGE_CREATE) for m in dropped]
    await bench.hear(*facts)

    found = await bench.reconcile()

    assert {*found.before.missing} == dropped
    assert {*found.filled} == dropped
    assert found.after.shown == found.after.held == tuple(sorted(ids))
    late = await bench.log("message.create")
    by_via = {e.row["msg"]: e.row["via"] for e in late}
    assert {m for m, via in by_via.items() if via == "reconcile"} == dropped
    kinds = [e.etype for e in await bench.log("gap.detected", "gap.filled",
                                              "recon.attest")]  # fmt: skip
    assert kinds == ["gap.detected", "gap.filled", "recon.attest"]
    [day, *_] = await bench.today()
    assert (day.shown, day.held, day.lost) == (100, 100, 0)
    assert day.covered == day.compared > 0


@HERE
async def test_a_gap_is_said_before_anything_is_done_about_it(bench: Bench) -> None:
    [one, _] = await said(bench.side, 2)
    await bench.hear(await fact_of(bench.side, one, EventKind.MESSAGE_CREATE))

    await bench.reconcile()

    [gap] = await bench.log("gap.detected")
    read_in = [e for e in await bench.log("message.create") if e.row["msg"] == one]
    assert gap.seq < read_in[0].seq
    assert gap.body["detail"]["missing"] == [one]


@HERE
async def test_an_attestation_is_signed_and_has_both_sides_hashed(
    bench: Bench,
) -> None:
    ids = await said(bench.side, 3)
    await bench.hear()

    await bench.reconcile()

    [entry] = await bench.log("recon.attest")
    keys = [known.key for known in await bench.signers.known(TENANT)]
    text = opened(entry.body["detail"]["note"], keys).text
    assert f"shown 3 {ids_hash(ids)}\n" in text
    assert f"held 3 {ids_hash(ids)}\n" in text
    assert "missing 0 filled 0\n" in text
    pages = entry.body["detail"]["pages"]
    assert pages
    assert all(call for call, _cursor, _request in pages)


@HERE
async def test_a_deletion_that_was_not_heard_is_noted_by_nobody_known(
    bench: Bench,
) -> None:
    kept, gone = await said(bench.side, 2)
    await bench.side.act("delete", message=gone)
    delete = await fact_of(bench.side, gone, EventKind.MESSAGE_DELETE)
    await bench.hear(delete)

    found = await bench.reconcile()

    assert found.before.vanished == (gone,)
    assert found.after.held == found.after.shown == (kept,)
    [deletion] = await bench.log("message.delete")
    assert (deletion.row["msg"], deletion.row["via"]) == (gone, "reconcile")
    if bench.side.platform is Platform.SLACK:
        assert deletion.body["detail"]["actor"] == "unknown"


@HERE
async def test_what_was_deleted_before_anybody_read_it_is_not_hidden(
    bench: Bench,
) -> None:
    _kept, gone = await said(bench.side, 2)
    await bench.side.act("delete", message=gone)
    create = await fact_of(bench.side, gone, EventKind.MESSAGE_CREATE)
    await fact_of(bench.side, gone, EventKind.MESSAGE_DELETE)
    await bench.hear(create)

    found = await bench.reconcile()

    assert found.before.lost == (gone,)
    [day, *_] = await bench.today()
    if bench.side.platform is Platform.SLACK:
        assert (day.shown, day.held, day.lost) == (1, 1, 1)
        assert day.covered == pytest.approx(day.compared / 2)
    [gap] = await bench.log("gap.detected")
    assert gap.body["detail"]["unrecoverable"] == [gone]


@HERE
async def test_reconciling_again_finds_nothing_and_writes_no_gap(
    bench: Bench,
) -> None:
    [one, *_] = await said(bench.side, 4)
    await bench.hear(await fact_of(bench.side, one, EventKind.MESSAGE_CREATE))
    await bench.reconcile()

    again = await bench.reconcile()

    assert again.before.whole
    assert len(await bench.log("gap.detected")) == 1
    assert len(await bench.log("message.create")) == 4
    assert (await bench.store.reader.verify(TENANT)).intact


@HERE
async def test_a_window_that_was_not_read_to_its_end_is_behind(bench: Bench) -> None:
    await said(bench.side, 12)
    await bench.hear()

    with pytest.raises(OutOfBudget):
        await bench.reconcile(Calls(no_wait, most=1))

    [day, *_] = await bench.today()
    assert (day.compared, day.covered) == (0, 0)
    [window] = await Coverage(bench.store.database.hot).windows(TENANT)
    assert (window.attested, window.reason) == (False, "OutOfBudget")
    assert await bench.log("recon.attest") == []
    await bench.reconcile()
    assert (await bench.today())[0].compared > 0


@HERE
@IN_SLACK
async def test_fifteen_at_a_time_and_a_minute_apart_are_kept_to(
    bench: Bench,
) -> None:
    bench.side.world.settings.update({"slack.history_limited": True})
    waits: list[float] = []

    async def noted(seconds: float) -> None:
        waits.append(seconds)

    ids = [await bench.side.act("post", text=f"{n}") for n in range(40)]
    await bench.side.until_heard(40)
    missed = await fact_of(bench.side, ids[7], EventKind.MESSAGE_CREATE)
    await bench.hear(missed)

    found = await bench.reconcile(Calls(noted, apart=60))

    histories = [p for p in found.pages if p.call == "conversations.history"]
    assert len(histories) == 3  # 15, 15 and 10
    assert len({p.cursor for p in histories}) == 3
    assert all(p.request for p in histories)
    assert waits == [60.0] * (len(found.pages) - 1)
    assert found.filled == (ids[7],)


@HERE
async def test_a_platform_that_is_away_leaves_the_window_behind(
    bench: Bench,
) -> None:
    await said(bench.side, 1)
    await bench.hear()
    bench.side.fault(bench.side.listing, "500", times=999)

    with pytest.raises((CannotTell, ServiceUnavailable)):
        await bench.reconcile()

    assert (await bench.today())[0].covered == 0


@pytest.mark.parametrize(
    ("platform", "message", "at"),
    [
        (Platform.SLACK, "1700000000.000100", 1_700_000_000_000_100),
        (Platform.SLACK, "1700000000", 1_700_000_000_000_000),
        (Platform.SLACK, "no time", 0),
        (Platform.TEAMS, "1700000000123", 1_700_000_000_123_000),
        (Platform.TEAMS, "abc", 0),
    ],
)
def test_ids_tell_when(platform: Platform, message: str, at: int) -> None:
    assert said_us(platform, message) == at


@HERE
async def test_a_channel_in_no_link_is_not_read(bench: Bench) -> None:
    stranger = Channel(Platform.SLACK, "T01ACME", "C09NOBODY")

    assert (
        await bench.reconciler.channel(TENANT, stranger, Calls(no_wait, most=1)) is None
    )
