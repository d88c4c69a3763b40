"""An organisation's audit log and legal holds are on record: each once, none lost."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from slack_sdk.audit_logs.async_client import AsyncAuditLogsClient
from slack_sdk.web.async_client import AsyncWebClient

from bots.sandbox.slack.grid_seed import COMPLIANCE_TOKEN
from bots.slack.audit_logs import SlackAuditLogs
from bots.slack.clients import quiet
from bots.slack.legal_holds import SlackLegalHolds
from bridge.errors import CannotTell, Refused, ServiceUnavailable, StoreUnavailable
from bridge.legal_holds import HoldScope, LegalHold, Matter
from bridge.relay import unwatched
from storage.compliance.acts import Acts
from storage.compliance.grid.ingest import GridIngest
from storage.compliance.grid.mirroring import HoldMirror
from storage.log_reader import LogEntry
from tests.contract.conftest import TENANT, Store
from tests.contract.sides import Side, now_us, opened_side

HERE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
async def side() -> AsyncIterator[Side]:
    async with opened_side("slack") as made:
        made.world.settings.update({"slack.grid": True})
        yield made


@pytest.fixture
def ingest(store: Store) -> GridIngest:
    acts = Acts(store.journal, now_us)
    return GridIngest(store.database.hot, store.journal, acts, now_us)


def audit_logs(side: Side) -> SlackAuditLogs:
    async def sleep(seconds: float) -> None:
        side.waits.append(seconds)
        side.world.slack.audit.calls.clear()  # as if that much time had passed

    url = f"{side.world.base_url}/slack/audit/v1/"
    return SlackAuditLogs(side.session, url, COMPLIANCE_TOKEN, sleep)


def holds_of(side: Side, token: str = COMPLIANCE_TOKEN) -> SlackLegalHolds:
    async def sleep(seconds: float) -> None:
        side.waits.append(seconds)

    api = f"{side.world.base_url}/slack/api/"
    client = AsyncWebClient(
        token, api, session=side.session, logger=quiet(), retry_handlers=[]
    )
    return SlackLegalHolds(client, sleep)


def happen(side: Side, count: int, start: int) -> list[str]:
    """Let something stand in the audit log, three to a second; return the ids."""
    entity = {"type": "channel", "channel": {"id": "C02FALCON", "name": "falcon"}}
    return [
        side.world.slack.audit.note(
            "user_channel_join", "U01ALICE", entity, at=start + n // 3
        )["id"]
        for n in range(count)
    ]


async def entries(store: Store, etype: str) -> list[LogEntry]:
    found = await store.reader.entries(TENANT, -1, 9_999)
    return [entry for entry in found if entry.etype == etype]


async def ids(store: Store) -> list[str]:
    return [e.body["detail"]["id"] for e in await entries(store, "grid.audit")]


async def test_every_entry_is_on_record_once_and_in_order(
    side: Side, store: Store, ingest: GridIngest
) -> None:
    start = now_us() // 1_000_000 - 1_000
    made = happen(side, 20, start)

    assert await ingest.audit(TENANT, audit_logs(side)) == 20
    made += happen(side, 3, start + 990)
    assert await ingest.audit(TENANT, audit_logs(side)) == 3
    assert await ingest.audit(TENANT, audit_logs(side)) == 0

    assert sorted(await ids(store)) == sorted(made)
    told = await entries(store, "grid.audit")
    times = [entry.row["src_us"] for entry in told]
    assert times == sorted(times)
    assert (told[0].row["conv"], told[0].row["via"]) == ("C02FALCON", "grid")
    assert told[0].body["text"] == "user_channel_join"
    assert (await store.reader.verify(TENANT)).intact


@HERE
async def test_what_shows_late_is_found(
    side: Side, store: Store, ingest: GridIngest
) -> None:
    now = now_us() // 1_000_000
    happen(side, 1, now)
    await ingest.audit(TENANT, audit_logs(side))

    [late] = happen(side, 1, now - 200)
    await ingest.audit(TENANT, audit_logs(side))

    assert late in await ids(store)


async def test_dying_half_way_loses_nothing_and_doubles_nothing(
    side: Side, store: Store, ingest: GridIngest
) -> None:
    made = happen(side, 9, now_us() // 1_000_000 - 1_000)
    commits = 0

    def dying(_step: str) -> None:
        nonlocal commits
        commits += 1
        if commits > 4:
            raise RuntimeError("as if killed")

    store.journal.trace = dying
    with pytest.raises(StoreUnavailable):
        await ingest.audit(TENANT, audit_logs(side))
    store.journal.trace = unwatched
    assert len(await ids(store)) == 4
    assert await ingest.cursor(TENANT) == 0

    await ingest.audit(TENANT, audit_logs(side))

    assert sorted(await ids(store)) == sorted(made)


@HERE
async def test_limits_and_faults_are_waited_out_or_told(
    side: Side, store: Store, ingest: GridIngest
) -> None:
    side.world.settings.update({"slack.audit_per_minute": 1})
    happen(side, 1, now_us() // 1_000_000)
    logs = audit_logs(side)
    await logs.since(0)
    await ingest.audit(TENANT, logs)
    assert len(side.waits) == 1

    side.world.settings.update({"slack.audit_per_minute": 50})
    side.fault("slack.audit.logs", "500", times=1)
    with pytest.raises(ServiceUnavailable):
        await ingest.audit(TENANT, logs)
    side.world.settings.update({"slack.compliance_scopes": []})
    with pytest.raises(CannotTell, match="auditlogs:read"):
        await ingest.audit(TENANT, logs)


async def test_slacks_own_client_reads_the_sandbox_page_by_page(side: Side) -> None:
    made = happen(side, 5, 1_700_000_000)
    base = f"{side.world.base_url}/slack/audit/v1/"
    client = AsyncAuditLogsClient(COMPLIANCE_TOKEN, base_url=base)

    found, cursor = [], None
    for _ in range(3):
        page = (await client.logs(limit=2, cursor=cursor)).body or {}
        found += page["entries"]
        cursor = page.get("response_metadata", {}).get("next_cursor")

    assert cursor is None
    assert sorted(entry["id"] for entry in found) == sorted(made)
    dates = [entry["date_create"] for entry in found]
    assert dates == sorted(dates, reverse=True)
    assert "actions" in ((await client.actions()).body or {})
    assert "schemas" in ((await client.schemas()).body or {})
    stranger = AsyncAuditLogsClient("xoxp-other", base_url=base)
    assert (await stranger.logs()).status_code == 401


async def test_holds_are_mirrored_once_for_each_state(
    side: Side, store: Store, ingest: GridIngest
) -> None:
    holds = holds_of(side)
    made = await holds.create("Case 12", "Falcon", ["U01ALICE", "U02BOB"])
    await ingest.holds(TENANT, holds)
    await ingest.holds(TENANT, holds)
    await holds.release(made.id)
    await holds.release(made.id)

    [released] = await ingest.holds(TENANT, holds)

    told = [e.body["detail"] for e in await entries(store, "grid.hold")]
    assert [(t["name"], t["state"], t["people"]) for t in told] == [
        ("Case 12", "active", ["U01ALICE", "U02BOB"]),
        ("Case 12", "released", ["U01ALICE", "U02BOB"]),
    ]
    assert not released.active


async def test_a_hold_is_made_once_and_grows(side: Side) -> None:
    holds = holds_of(side)
    first = await holds.create("Case 12", "", ["U01ALICE"])
    people = [f"U{n:04}" for n in range(230)]

    again = await holds.create("Case 12", "", ["U01ALICE", *people])

    assert again.id == first.id
    assert {*again.people} == {"U01ALICE", *people}
    assert len(await holds.all()) == 1


async def test_without_the_right_it_is_said_what_is_missing(side: Side) -> None:
    side.world.settings.update({"slack.compliance_scopes": ["admin.legalHolds:read"]})

    assert await holds_of(side).all() == []
    with pytest.raises(Refused, match="legalHolds:write"):
        await holds_of(side).create("Case 12", "", ["U01ALICE"])
    with pytest.raises(Refused, match="Org Owner"):
        await holds_of(side, "xoxp-somebody").all()


@HERE
async def test_atoms_holds_over_people_stand_in_slack_until_their_grace_is_over(
    side: Side, store: Store
) -> None:
    person = HoldScope(people=frozenset({"slack:T01ACME/U01ALICE", "teams:t/29:bob"}))
    nobody = HoldScope(channels=frozenset({"slack:T01ACME/C02FALCON"}))
    begun = Matter("Hone", "Case 12", "cli:ada", 1)
    held = [
        LegalHold(begun, (person,)),
        LegalHold(Matter("Htwo", "x", "a", 1), (nobody,)),
    ]

    async def holds(_tenant: str) -> list[LegalHold]:
        return held

    mirror = HoldMirror(holds, Acts(store.journal, now_us), now_us)
    slack = holds_of(side)

    assert await mirror.mirror(TENANT, slack) == 1
    assert await mirror.mirror(TENANT, slack) == 0
    [made] = await slack.all()
    assert (made.name, made.people, made.active) == ("ATOM Hone", ("U01ALICE",), True)
    in_grace = replace(begun, released_us=2, until_us=now_us() + 3_600_000_000)
    held[0] = LegalHold(in_grace, (person,))
    assert await mirror.mirror(TENANT, slack) == 0
    held[0] = LegalHold(replace(begun, released_us=2, until_us=3), (person,))
    assert await mirror.mirror(TENANT, slack) == 1
    assert await mirror.mirror(TENANT, slack) == 0

    [released] = await slack.all()
    assert not released.active
    told = [e.body["detail"]["what"] for e in await entries(store, "grid.hold")]
    assert told == ["hold", "release"]
