"""Messages in Teams have addresses that need no call."""

from bots.teams.addresses import TeamsAddresses
from bridge.places import Place
from tests.teams_world import FALCON, TEAM, TENANT, FakePlaces


async def test_an_address_names_channel_message_tenant_and_group() -> None:
    places = FakePlaces()
    await places.remember(Place(TENANT, TEAM, "", "https://x/", group_id="g-1"))

    found = await TeamsAddresses(places).of(FALCON, "1700000000123")

    assert found == (
        "https://teams.microsoft.com/l/message/19%3Afalcon%40thread.tacv2/1700000000123"
        f"?tenantId={TENANT}&groupId=g-1"
    )


async def test_a_channel_that_was_never_heard_of_has_none() -> None:
    assert await TeamsAddresses(FakePlaces()).of(FALCON, "1") == ""
