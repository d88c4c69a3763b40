"""Slash commands and clicks, in the bridge's words."""

from bots.slack.interactions import interaction, is_interaction
from bridge.messages import Channel, EventKind, Platform
from tests.slack_recorded import raw, recorded

FALCON = Channel(Platform.SLACK, "T01ACME", "C02FALCON")
NOW = 1_700_000_000_000_000


def test_slash_command_is_read_whole() -> None:
    command = interaction(recorded("slash_command"), raw("slash_command"), NOW)

    assert command.kind is EventKind.COMMAND
    assert (command.account, command.channel) == ("T01ACME", FALCON)
    assert (command.author.id, command.author.name) == ("U01ALICE", "alice")
    assert command.sent_us == NOW
    assert dict(command.detail) == {"command": "link K7-QM2"}


def test_slash_command_without_words_asks_for_help() -> None:
    body = recorded("slash_command") | {"text": "  "}

    assert dict(interaction(body, b"", NOW).detail) == {"command": "help"}


def test_two_commands_are_two_events_and_one_sent_twice_is_one() -> None:
    body = recorded("slash_command")
    later = body | {"trigger_id": "9.9.zzz"}

    keys = [interaction(b, b"", NOW).delivery_key for b in (body, body, later)]

    assert keys[0] == keys[1] != keys[2]


def test_click_runs_its_buttons_command() -> None:
    click = interaction(recorded("block_actions"), raw("block_actions"), NOW)

    assert click.kind is EventKind.ACTION
    assert click.channel == FALCON
    assert click.message == "1700000140.000100"
    assert dict(click.detail) == {"command": "status"}


def test_click_on_a_button_that_is_not_ours_runs_nothing() -> None:
    body = recorded("block_actions")
    body["actions"][0]["action_id"] = "delete_everything"

    assert interaction(body, b"", NOW).kind is EventKind.OTHER


def test_forms_are_kept_but_run_nothing() -> None:
    body = recorded("view_submission")

    assert is_interaction(body)
    assert interaction(body, b"", NOW).kind is EventKind.OTHER


def test_events_are_no_interactions() -> None:
    assert not is_interaction(recorded("message"))
