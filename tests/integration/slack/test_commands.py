"""Commands, clicks and mentions are captured, run once, and answered to who asked."""

from typing import Any

from bots.slack.intake import SlackIntake
from bridge.messages import EventKind
from tests.integration.slack.conftest import Commands, Slack, Store, eventually


async def test_command_is_captured_and_answered_at_once(
    slack: Slack, atom: str, store: Store, commands: Commands
) -> None:
    answer = await slack.act(action="command", args="link a&b")

    assert answer["status"] == 200
    assert [event.kind for event in store.events] == [EventKind.COMMAND]
    (request,) = commands.asked
    assert (request.tenant, request.text) == ("acme", "link a&b")
    assert (request.channel.id, request.person.id) == ("C02FALCON", "U01ALICE")
    (whisper,) = slack.whispers
    assert "You said link a&amp;b" in whisper["text"]


async def test_slow_command_is_acknowledged_first_and_answered_later(
    slack: Slack, atom: str, commands: Commands, intake: SlackIntake
) -> None:
    intake.answers.ack_within = 0.05
    commands.free.clear()
    answer = await slack.act(action="command", args="status")
    assert (answer["status"], slack.whispers) == (200, [])

    commands.free.set()
    (whisper,) = await eventually(lambda: slack.whispers)

    assert "You said status" in whisper["text"]


async def test_command_is_not_run_when_it_cannot_be_captured(
    slack: Slack, atom: str, store: Store, commands: Commands
) -> None:
    store.down = True

    answer = await slack.act(action="command", args="status")

    assert answer["status"] == 503
    assert commands.asked == []


async def test_click_on_a_card_runs_its_command(
    slack: Slack, atom: str, store: Store, commands: Commands
) -> None:
    await slack.act(action="command", args="help")
    (whisper,) = slack.whispers
    await slack.act(action="click", ts=whisper["ts"], action_id="atom:status")

    await eventually(lambda: len(slack.whispers) == 2)

    assert [request.text for request in commands.asked] == ["help", "status"]
    assert len(store.of(EventKind.ACTION)) == 1


async def test_mention_is_a_command_answered_once_and_only_to_who_asked(
    slack: Slack, atom: str, store: Store, commands: Commands
) -> None:
    await slack.act(
        action="post",
        text="",
        blocks=[
            {
                "type": "rich_text",
                "elements": [
                    {
                        "type": "rich_text_section",
                        "elements": [
                            {"type": "user", "user_id": "UATOM"},
                            {"type": "text", "text": " status"},
                        ],
                    }
                ],
            }
        ],
    )

    (whisper,) = await eventually(lambda: slack.whispers)
    await eventually(lambda: len(slack.calls("deliver")) == 2)

    assert whisper["to"] == "U01ALICE"
    assert [request.text for request in commands.asked] == ["status"]
    assert [event.kind for event in store.events] == [EventKind.COMMAND]


async def test_workspace_of_no_company_is_told_so(
    slack: Slack, atom: str, commands: Commands
) -> None:
    await slack.act(
        action="command",
        args="help",
        workspace="T02GLOBEX",
        user="U11GRACE",
        channel="C11GENERAL",
    )

    (whisper,) = slack.whispers
    assert "not set up" in whisper["text"]
    assert commands.asked == []


async def test_command_that_never_ends_is_given_up(
    slack: Slack, atom: str, intake: SlackIntake, commands: Commands
) -> None:
    intake.answers.answering.within = 0.05
    commands.free.clear()

    await slack.act(action="command", args="status")

    (whisper,) = slack.whispers
    assert "too long" in whisper["text"]


async def test_failing_command_still_gets_an_answer(
    slack: Slack, atom: str, intake: SlackIntake
) -> None:
    class Broken:
        async def answer(self, _request: Any) -> Any:
            raise RuntimeError("a bug")

    intake.answers.answering.commands = Broken()
    await slack.act(action="command", args="help")

    (whisper,) = slack.whispers
    assert "did not work" in whisper["text"]
