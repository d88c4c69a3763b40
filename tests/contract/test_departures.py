"""Why somebody is not in a channel any more is kept, and is on record."""

from bridge.keeping import Ended
from storage.compliance.acts import Acts
from storage.people.departures import StoredDepartures
from tests.contract.conftest import TENANT, Store, ticking_clock
from tests.events import FALCON, PROJECT


def departures_of(store: Store) -> StoredDepartures:
    clock = ticking_clock()
    return StoredDepartures(store.database.hot, Acts(store.journal, clock), clock)


async def test_what_ended_a_membership_is_known_per_channel(store: Store) -> None:
    kept = departures_of(store)

    await kept.note(TENANT, FALCON, "U1", Ended.SYNC, "taken out")
    await kept.note(TENANT, FALCON, "U2", Ended.CHOICE, "left")
    await kept.note(TENANT, PROJECT, "U1", Ended.CHOICE, "left")

    assert await kept.ended(TENANT, FALCON) == {"U1": Ended.SYNC, "U2": Ended.CHOICE}
    assert await kept.ended("globex", FALCON) == {}
    entries = await store.reader.entries(TENANT, -1, 99)
    assert [(e.etype, e.body["text"]) for e in entries] == [
        ("member.kept", "taken out"),
        ("member.chose", "left"),
        ("member.chose", "left"),
    ]


async def test_what_the_platform_tells_later_does_not_make_it_a_choice(
    store: Store,
) -> None:
    kept = departures_of(store)
    await kept.note(TENANT, FALCON, "U1", Ended.SYNC, "taken out")

    await kept.note(TENANT, FALCON, "U1", Ended.CHOICE, "left")
    assert await kept.ended(TENANT, FALCON) == {"U1": Ended.SYNC}

    await kept.back(TENANT, FALCON, "U1", "in again")
    assert await kept.ended(TENANT, FALCON) == {}
    await kept.note(TENANT, FALCON, "U1", Ended.CHOICE, "left")
    assert await kept.ended(TENANT, FALCON) == {"U1": Ended.CHOICE}
