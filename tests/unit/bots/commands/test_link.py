"""Linking two channels takes an admin on each side and a code between them."""

from bridge.cards import Tone
from bridge.errors import Refused
from bridge.links import Offer
from bridge.messages import Channel, Platform
from tests.unit.bots.commands.conftest import FALCON, RANDOM, TENANT, Office

SLACK, TEAMS = FALCON[Platform.SLACK], FALCON[Platform.TEAMS]


async def test_a_code_is_given_with_what_the_other_side_types(
    office: Office, here: Channel, there: Channel
) -> None:
    card = await office.type(here, "link")

    shown = {field.label: field.value for field in card.sections[0].fields}
    assert "CODE-0001" in card.title
    assert shown == {
        "In Slack": "`/atom link CODE-0001`",
        "In Teams": "`@ATOM link CODE-0001`",
    }
    assert next(iter(shown)) == f"In {there.platform.title()}"


async def test_the_code_typed_on_the_other_side_links_the_two(
    office: Office, here: Channel, there: Channel
) -> None:
    await office.type(here, "link")

    card = await office.type(there, "link code-0001")

    [link] = await office.links.all(TENANT)
    assert card.tone is Tone.GOOD
    assert link.channels == (here, there)
    assert link.created_by == f"{there.platform}:admin"


async def test_both_channels_are_told_what_they_hear_now(
    office: Office, here: Channel, there: Channel
) -> None:
    await office.type(here, "link")

    await office.type(there, "link CODE-0001")

    assert office.titles(here) == ["This channel is linked now"]
    assert office.titles(there) == ["This channel is linked now"]


async def test_only_an_admin_gets_a_code(office: Office, here: Channel) -> None:
    card = await office.type(here, "link", who="somebody")

    assert card.title == "You may not do that"
    assert office.links.offers == {}


async def test_only_an_admin_may_use_a_code_and_it_stays_good(
    office: Office, here: Channel, there: Channel
) -> None:
    await office.type(here, "link")

    card = await office.type(there, "link CODE-0001", who="somebody")

    assert card.title == "You may not do that"
    assert await office.links.all(TENANT) == []
    assert len(office.links.offers) == 1


async def test_nobody_is_an_admin_while_the_platform_does_not_answer(
    office: Office, here: Channel
) -> None:
    office.rights[here.platform].down = True

    card = await office.type(here, "link")

    assert card.tone is Tone.BAD
    assert "does not answer" in card.text
    assert office.links.offers == {}


async def test_a_code_does_not_link_a_channel_with_itself(
    office: Office, here: Channel
) -> None:
    await office.type(here, "link")

    card = await office.type(here, "link CODE-0001")

    assert card.tone is Tone.BAD
    assert await office.links.all(TENANT) == []


async def test_an_unknown_code_is_refused_with_the_reason(
    office: Office, here: Channel
) -> None:
    card = await office.type(here, "link CODE-9999")

    assert (card.title, card.tone) == ("That did not work", Tone.BAD)
    assert "unknown" in card.text


async def test_a_code_of_another_company_is_unknown(
    office: Office, here: Channel, there: Channel
) -> None:
    await office.links.offer("globex", Offer(here), "slack:other")

    card = await office.type(there, "link CODE-0001")

    assert card.tone is Tone.BAD
    assert await office.links.all(TENANT) == []


async def test_the_same_pair_is_not_linked_twice(
    office: Office, here: Channel, there: Channel
) -> None:
    await office.link(here, there)
    await office.type(there, "link")

    card = await office.type(here, "link CODE-0001")

    assert "linked already" in card.text
    assert len(await office.links.all(TENANT)) == 1


async def test_a_link_that_closes_a_circle_is_refused(office: Office) -> None:
    far = RANDOM[Platform.TEAMS]
    await office.link(SLACK, TEAMS)
    await office.link(TEAMS, far)
    await office.type(SLACK, "link")

    card = await office.type(far, "link CODE-0001")

    assert "circle" in card.text
    assert len(await office.links.all(TENANT)) == 2


async def test_a_channel_that_cannot_be_posted_to_is_not_linked(
    office: Office, here: Channel, there: Channel
) -> None:
    office.announcers[there.platform].failures[there] = Refused("not_in_channel")
    await office.type(here, "link")

    card = await office.type(there, "link CODE-0001")

    assert "cannot post" in card.text
    assert "not_in_channel" in card.text
    assert await office.links.all(TENANT) == []


async def test_who_was_told_of_a_link_is_told_when_it_failed(
    office: Office, here: Channel, there: Channel
) -> None:
    office.announcers[there.platform].failures[there] = Refused("not_in_channel")
    await office.type(here, "link")

    await office.type(there, "link CODE-0001")

    assert office.titles(here) == [
        "This channel is linked now",
        "Not linked after all",
    ]


async def test_a_channel_of_a_platform_that_is_off_is_not_linked(
    office: Office,
) -> None:
    await office.type(SLACK, "link")
    del office.announcers[Platform.SLACK]

    card = await office.type(TEAMS, "link CODE-0001")

    assert "Slack is switched off" in card.text
    assert await office.links.all(TENANT) == []


async def test_two_channels_of_one_platform_can_be_linked(
    office: Office, platform: Platform
) -> None:
    await office.type(FALCON[platform], "link")

    card = await office.type(RANDOM[platform], "link CODE-0001")

    assert card.title == "Linked"


async def test_more_than_one_word_is_no_code(office: Office, here: Channel) -> None:
    card = await office.type(here, "link CODE 0001")

    assert "one word" in card.text
