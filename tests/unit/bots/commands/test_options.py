"""Seeing and changing a link's options, from either side."""

from bridge.cards import Tone
from bridge.messages import Channel
from bridge.options import Files, LinkOptions
from tests.unit.bots.commands.conftest import Office


async def test_an_admin_changes_options_and_the_other_side_hears_of_it(
    office: Office, here: Channel, there: Channel
) -> None:
    await office.link(here, there)

    card = await office.type(here, "options files=link")

    assert card.tone is Tone.GOOD
    assert office.links.links[0].options.files is Files.LINK
    assert office.titles(there) == ["Options changed"]
    assert office.titles(here) == []


async def test_anybody_may_look_and_only_admins_may_change(
    office: Office, here: Channel, there: Channel
) -> None:
    await office.link(here, there)

    seen = await office.type(here, "options", "somebody")
    refused = await office.type(here, "options files=link", "somebody")

    assert {field.label for field in seen.sections[0].fields} >= {"files", "bots"}
    assert refused.title == "You may not do that"
    assert office.links.links[0].options == LinkOptions()
