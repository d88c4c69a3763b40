"""Socket Mode runs through the same intake as HTTP."""

from collections.abc import AsyncIterator

import pytest

from bots.sandbox.slack import seed
from bots.slack.intake import SlackIntake
from bots.slack.socket import SlackSocket
from bridge.messages import EventKind
from bridge.plain import plain_text
from tests.integration.slack.conftest import Commands, Slack, Store, eventually


@pytest.fixture(autouse=True)
async def socket(slack: Slack, intake: SlackIntake) -> AsyncIterator[SlackSocket]:
    socket = SlackSocket(intake.app, seed.APP_TOKEN, slack.api)
    await socket.start()
    yield socket
    await socket.aclose()


async def test_message_comes_over_the_socket(slack: Slack, store: Store) -> None:
    await slack.act(action="post", text="hello")

    (event,) = await eventually(lambda: store.events)

    assert event.kind is EventKind.MESSAGE_CREATE
    assert plain_text(event.document) == "hello"
    assert event.event_id.encode() in event.raw


async def test_trap_envelope_is_not_acknowledged_before_it_is_captured(
    slack: Slack, store: Store
) -> None:
    slack.world.settings.update({"slack.answer_timeout": 0.2})
    store.down = True
    await slack.act(action="post", text="hello")
    await eventually(lambda: slack.calls("deliver"))

    store.down = False
    await eventually(lambda: store.events)

    assert slack.calls("deliver")[0]["status"] == 0
    assert len(store.events) == 1


async def test_command_is_answered_over_the_socket(
    slack: Slack, store: Store, commands: Commands
) -> None:
    await slack.act(action="command", args="help")

    (whisper,) = await eventually(lambda: slack.whispers)

    assert "You said help" in whisper["text"]
    assert [event.kind for event in store.events] == [EventKind.COMMAND]


async def test_events_come_again_after_the_socket_was_dropped(
    slack: Slack, store: Store
) -> None:
    slack.world.settings.update(
        {"slack.delivery": "socket", "slack.retry_delays": [0.2] * 40}
    )
    await slack.act(action="disconnect", reason="refresh_requested")

    await slack.act(action="post", text="hello")

    await eventually(lambda: store.events)
