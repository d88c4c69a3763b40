"""What people type for channels and people is found in the organisation."""

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bots.sandbox.slack.grid_seed import ADMIN_TOKEN
from bots.slack.admin_book import SlackChannelBook, find_person
from bridge.errors import Conflict, NotFound
from tests.integration.slack.conftest import Slack


@pytest.fixture
async def admin(slack: Slack) -> AsyncWebClient:
    slack.world.settings.update({"slack.grid": True})
    return AsyncWebClient(ADMIN_TOKEN, base_url=slack.api, session=slack.session)


@pytest.mark.parametrize(
    "word",
    [
        "<@U02BOB|bob>",
        "<@U02BOB>",
        "U02BOB",
        "@bob",
        "bob@acme.example",
        "<mailto:bob@acme.example|bob@acme.example>",
    ],
)
async def test_a_person_is_found_however_they_are_written(
    admin: AsyncWebClient, word: str
) -> None:
    assert (await find_person(admin, word)).id == "U02BOB"


@pytest.mark.parametrize(
    "word",
    ["<#C02FALCON|project-falcon>", "<#C02FALCON>", "C02FALCON", "#project-falcon"],
)
async def test_a_channel_is_found_however_it_is_written(
    admin: AsyncWebClient, word: str
) -> None:
    assert (await SlackChannelBook(admin).channel(word)).id == "C02FALCON"


async def test_a_name_that_several_channels_have_is_not_guessed(
    admin: AsyncWebClient, slack: Slack
) -> None:
    slack.world.slack.channels["C21LAB"].name = "general"

    with pytest.raises(Conflict, match=r"C01GENERAL .*C21LAB|C21LAB .*C01GENERAL"):
        await SlackChannelBook(admin).channel("general")


async def test_a_list_that_never_ends_is_left(
    admin: AsyncWebClient, slack: Slack
) -> None:
    slack.world.settings.update({"slack.longest_page": 1})

    with pytest.raises(NotFound):
        await find_person(admin, "nobody")

    assert len(slack.calls("admin.users.list")) <= 60
