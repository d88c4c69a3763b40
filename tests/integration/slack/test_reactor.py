"""ATOM reacts in Slack, under the names that Slack knows."""

from dataclasses import replace

import pytest

from bots.slack.clients import Clients
from bots.slack.reactor import SlackReactor
from bots.slack.sender import SlackSender
from bridge.errors import Ambiguous, Refused, Throttled
from bridge.messages import Channel, Platform
from bridge.reactions import Reaction, Spot
from tests.integration.slack.conftest import Slack
from tests.integration.slack.test_sender import POST

FALCON = Channel(Platform.SLACK, "T01ACME", "C02FALCON")


@pytest.fixture
def reactor(clients: Clients) -> SlackReactor:
    return SlackReactor(clients)


@pytest.fixture
async def spot(slack: Slack) -> Spot:
    said = await slack.act(action="post", text="hello")
    return Spot(FALCON, said["ts"])


def names(slack: Slack, spot: Spot) -> set[str]:
    return set(slack.world.slack.channels[FALCON.id].messages[spot.message].reactions)


async def test_a_reaction_comes_and_goes_and_repeating_is_harmless(
    slack: Slack, reactor: SlackReactor, spot: Spot
) -> None:
    assert await reactor.react(spot, "👋🏼", standing=True)
    assert await reactor.react(spot, "👋🏼", standing=True)
    assert names(slack, spot) == {"wave::skin-tone-3"}

    assert await reactor.react(spot, "👋🏼", standing=False)
    assert await reactor.react(spot, "👋🏼", standing=False)
    assert names(slack, spot) == set()


async def test_another_name_is_tried_where_one_is_not_known(
    slack: Slack, reactor: SlackReactor, spot: Spot
) -> None:
    slack.world.settings.update({"slack.unknown_emoji": ["+1"]})

    assert await reactor.react(spot, "👍", standing=True)

    assert names(slack, spot) == {"thumbsup"}


async def test_an_emoji_that_slack_does_not_know_is_not_taken(
    slack: Slack, reactor: SlackReactor, spot: Spot
) -> None:
    slack.world.settings.update({"slack.unknown_emoji": ["parrot"]})

    assert not await reactor.react(spot, ":parrot:", standing=True)
    assert await reactor.react(spot, ":parrot:", standing=False)


async def test_without_room_for_more_it_is_not_taken(
    slack: Slack, reactor: SlackReactor, spot: Spot
) -> None:
    slack.world.settings.update({"slack.reactions_per_user": 1})
    assert await reactor.react(spot, "👍", standing=True)

    assert not await reactor.react(spot, "🎉", standing=True)


@pytest.mark.parametrize(
    ("fault", "error"),
    [("429", Throttled), ("500_after", Ambiguous), ("reset_after", Ambiguous)],
)
async def test_what_may_be_repeated_says_so(
    slack: Slack, reactor: SlackReactor, spot: Spot, fault: str, error: type[Exception]
) -> None:
    slack.fault("slack.reactions.add", fault)

    with pytest.raises(error):
        await reactor.react(spot, "👍", standing=True)


async def test_a_message_that_is_not_there_is_refused(reactor: SlackReactor) -> None:
    with pytest.raises(Refused, match="message_not_found"):
        await reactor.react(Spot(FALCON, "1.000001"), "👍", standing=True)


async def test_the_line_below_a_copy_is_text_and_block(
    slack: Slack, clients: Clients
) -> None:
    sender = SlackSender(clients)
    ts = await sender.post(POST)
    line = (Reaction("👍", 2), Reaction(":<!here>:", 1))

    await sender.edit(ts, replace(POST, reactions=line))

    (message,) = slack.messages()
    assert message["text"] == "hello\n👍 2 · :&lt;!here&gt;: 1"
    (note,) = message["blocks"][-1]["elements"]
    assert (note["type"], note["text"]) == ("plain_text", "👍 2 · :<!here>: 1")
