"""Who could read a message is known for the time at which it was said."""

import asyncio

import pytest

from bots.slack.members import SlackMembers
from bots.slack.recent import SlackRecent
from bots.teams.members import TeamsMembers
from bots.teams.recent import TeamsRecent
from bridge.errors import CannotTell, ServiceUnavailable
from bridge.membership import Members
from bridge.messages import Event, EventKind, Person, Platform
from bridge.ports import Commitment
from storage.compliance.acts import Acts
from storage.compliance.membership.changes import forgotten
from storage.compliance.membership.intervals import Membership
from storage.hot import Program
from tests.contract.conftest import TENANT, Store
from tests.contract.sides import SIDES, Side, opened_side
from tests.events import FALCON, PROJECT, message

NOON = 1_800_000_000_000_000
HOUR = 3600 * 1_000_000


@pytest.fixture
def membership(store: Store) -> Membership:
    acts = Acts(store.journal, lambda: NOON)
    return Membership(store.database.hot, acts, lambda: NOON)


def moved(kind: EventKind, who: str, at_us: int) -> Event:
    return message(
        ts="",
        kind=kind,
        event_id=f"{kind}{who}{at_us}",
        sent_us=at_us,
        author=Person(Platform.SLACK, who),
    )


async def heard(store: Store, *events: Event) -> None:
    for event in events:
        await store.journal.append(Commitment(TENANT, event, (), ()))


async def test_events_open_and_close_intervals_at_their_own_times(
    store: Store, membership: Membership
) -> None:
    join, leave = EventKind.MEMBER_JOIN, EventKind.MEMBER_LEAVE
    await heard(
        store,
        moved(join, "U1", NOON),
        moved(join, "U1", NOON),  # sent again
        moved(join, "U1", NOON + 5),  # said again, of somebody who is in
        moved(join, "U2", NOON + HOUR),
        moved(leave, "U1", NOON + 2 * HOUR),
        moved(join, "U1", NOON + 4 * HOUR),
    )

    async def at(hours: int) -> list[str]:
        return await membership.visible_to(TENANT, FALCON, NOON + hours * HOUR)

    assert [await at(hours) for hours in (-1, 0, 1, 2, 4)] == [
        [],
        ["U1"],
        ["U1", "U2"],
        ["U2"],
        ["U1", "U2"],
    ]
    assert await membership.conversations(TENANT, FALCON, "U1") == [
        (NOON, NOON + 2 * HOUR),
        (NOON + 4 * HOUR, None),
    ]
    assert await membership.visible_to("globex", FALCON, NOON + HOUR) == []


async def test_those_who_came_in_teams_are_not_who_let_them_in(
    store: Store, membership: Membership
) -> None:
    event = moved(EventKind.MEMBER_JOIN, "29:owner", NOON)
    told = (("joined", "29:ann 29:bob"),)
    event = message(
        ts="",
        platform=Platform.TEAMS,
        channel=PROJECT,
        kind=event.kind,
        event_id="added",
        sent_us=NOON,
        author=Person(Platform.TEAMS, "29:owner"),
        detail=told,
    )

    await heard(store, event)

    seen = await membership.visible_to(TENANT, PROJECT, NOON)
    assert seen == ["29:ann", "29:bob"]


async def test_a_list_brings_intervals_into_line_and_says_that_it_was_found(
    store: Store, membership: Membership
) -> None:
    await heard(store, moved(EventKind.MEMBER_JOIN, "U1", NOON - HOUR))

    assert await membership.found(TENANT, FALCON, ["U2", "U3"]) == (
        frozenset({"U2", "U3"}),
        frozenset({"U1"}),
    )
    assert await membership.found(TENANT, FALCON, ["U2", "U3"]) == (
        frozenset(),
        frozenset(),
    )

    entries = await store.reader.entries(TENANT, -1, 99)
    told = [(e.etype, e.body["detail"].get("members")) for e in entries[1:]]
    assert told == [("member.join", ["U2", "U3"]), ("member.leave", ["U1"])]
    assert await membership.visible_to(TENANT, FALCON, NOON) == ["U2", "U3"]


async def test_an_erasure_takes_somebody_out_of_all_intervals(
    store: Store, membership: Membership
) -> None:
    await membership.found(TENANT, FALCON, ["U2", "U3"])

    def program() -> Program[None]:
        [statement] = forgotten(TENANT, "slack", "U2")
        yield statement

    await store.database.hot.run(program)

    assert await membership.visible_to(TENANT, FALCON, NOON) == ["U3"]


def members_of(side: Side) -> Members:
    if isinstance(side.recent, SlackRecent):
        return SlackMembers(side.recent.clients, asyncio.sleep)
    assert isinstance(side.recent, TeamsRecent)
    return TeamsMembers(side.recent.connector, side.recent.places, asyncio.sleep)


@pytest.mark.parametrize("name", [*SIDES])
async def test_everybody_in_a_channel_is_listed_or_nobody(name: str) -> None:
    async with opened_side(name) as side:
        listed = await members_of(side).of(side.channel)
        calls = {
            "slack": "slack.conversations.members",
            "teams": "teams.members",
        }
        side.fault(calls[name], "500", times=99)

        with pytest.raises((CannotTell, ServiceUnavailable)):
            await members_of(side).of(side.channel)

    who = {"slack": "U01ALICE", "teams": "29:carol"}[name]
    assert who in listed
    assert len(listed) > 1
