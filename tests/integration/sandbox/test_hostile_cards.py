"""Cards of hostile records, posted and changed through the vendors' own clients."""

import asyncio
import random

import pytest
from botbuilder.schema import Activity
from slack_sdk.web.async_client import AsyncWebClient

from bots.slack.record_drawing import message_of
from bots.teams import record_cards as teams
from bridge.records.cards import RecordCard
from tests.record_hostility import hostile
from tests.record_rendering import ALONE, FLOOR, card
from tests.sandbox import Sandbox
from tests.sandbox_teams import FALCON, Bot, teams_messages

_IN_SLACK = "C02FALCON"
_EACH = 15


def shown(number: int) -> RecordCard:
    """Return one of the ten thousand of the unit tests."""
    return card(hostile(random.Random(number)), ALONE if number % 2 else FLOOR)


@pytest.mark.parametrize("start", range(0, 60, _EACH))
async def test_slack_takes_sixty_cards_and_their_changes(
    sandbox: Sandbox, slack: AsyncWebClient, start: int
) -> None:
    # The least that people were refused for was some 11,000 characters.
    await sandbox.set({"slack.rate_limits": False, "slack.blocks_limit": 10_000})
    for number in range(start, start + _EACH):
        posted = await slack.chat_postMessage(
            channel=_IN_SLACK, **message_of(shown(number))
        )
        changed = await slack.chat_update(
            channel=_IN_SLACK, ts=posted["ts"], **message_of(shown(number + 60))
        )

        assert posted["ok"]
        assert changed["ok"]
        assert changed["ts"] == posted["ts"]


@pytest.mark.parametrize("start", range(0, 60, _EACH))
async def test_teams_takes_sixty_cards_and_their_changes(
    sandbox: Sandbox, bot: Bot, start: int
) -> None:
    await sandbox.set({"teams.size_limit": 28_000})  # the smallest limit there is
    for number in range(start, start + _EACH):
        sent = await bot.send(FALCON, **activity(number))
        again = Activity(type="message", id=sent, **activity(number + 60))
        await asyncio.to_thread(
            bot.connector.conversations.update_activity, FALCON, sent, again
        )

    messages = await teams_messages(sandbox)
    assert len(messages) == _EACH
    assert all(message["attachments"] for message in messages)


def activity(number: int) -> dict[str, object]:
    made = teams.activity(shown(number), ["29:alice"])
    return {"attachments": made["attachments"]}
