"""Places are remembered, and silence changes nothing."""

from bridge.messages import Channel, Platform
from bridge.places import Place
from storage.places import StoredPlaces
from tests.contract.conftest import Store, ticking_clock

URL = "https://smba.example/amer/"
TEAM = Place("tenant", "19:team", "", URL, "Acme", "group-1")
CHANNEL = Place("tenant", "19:team", "19:falcon", URL, "Falcon", "", "standard")
FALCON = Channel(Platform.TEAMS, "19:team", "19:falcon")


def places(store: Store) -> StoredPlaces:
    return StoredPlaces(store.database.hot, ticking_clock())


async def test_an_unknown_team_has_no_place(store: Store) -> None:
    assert await places(store).find(FALCON) is None


async def test_a_channel_takes_from_its_team_what_it_does_not_say(
    store: Store,
) -> None:
    for place in (TEAM, CHANNEL):
        await places(store).remember(place)

    found = await places(store).find(FALCON)

    assert found is not None
    assert (found.name, found.group_id) == ("Falcon", "group-1")


async def test_an_unknown_channel_of_a_known_team_is_reached(store: Store) -> None:
    await places(store).remember(TEAM)

    found = await places(store).find(FALCON)

    assert found is not None
    assert (found.channel, found.service_url, found.name) == ("19:falcon", URL, "")


async def test_what_is_left_empty_stays_as_it_was(store: Store) -> None:
    book = places(store)
    await book.remember(CHANNEL)

    await book.remember(Place("tenant", "19:team", "19:falcon", "https://new/"))

    found = await places(store).find(FALCON)
    assert found is not None
    assert (found.service_url, found.name) == ("https://new/", "Falcon")


async def test_what_is_heard_anew_counts_at_once(store: Store) -> None:
    book = places(store)
    for place in (TEAM, CHANNEL):
        await book.remember(place)
    await book.find(FALCON)

    await book.remember(Place("tenant", "19:team", "", "https://new/", "", "group-2"))

    found = await book.find(FALCON)
    assert found is not None
    assert found.group_id == "group-2"


async def test_a_tenant_is_reached_where_it_was_heard_of_last(store: Store) -> None:
    made = places(store)
    chat = Place("tenant", "a:1", "a:1", "https://smba.example/emea/", kind="chat")
    other = Place("other", "a:2", "a:2", URL, kind="chat")
    for place in (TEAM, chat, other, Place("tenant", "19:new", "", "")):
        await made.remember(place)

    found = await made.of_account("tenant")

    assert found == chat
    assert await made.of_account("nobody") is None
