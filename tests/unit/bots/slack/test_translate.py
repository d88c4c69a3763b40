"""What Slack says, in the bridge's words."""

import json
from typing import Any

import pytest

from bots.slack.envelope import Ignored
from bots.slack.translate import EVENTS, OPENED, translate
from bridge.lifecycle import Change, change_of
from bridge.messages import Channel, Event, EventKind, PersonKind, Platform
from bridge.plain import plain_text
from tests.slack_recorded import FOLDER, raw, recorded

FALCON = Channel(Platform.SLACK, "T01ACME", "C02FALCON")
ROOT = "1700000000.000100"
OUR_BOT = "BATOM"


def translated(name: str) -> Event | Ignored:
    return translate(recorded(name), raw(name), OUR_BOT)


def event(name: str) -> Event:
    found = translated(name)
    assert isinstance(found, Event)
    return found


def variant(name: str, **changes: Any) -> Event | Ignored:
    body = recorded(name)
    body["event"] |= changes
    return translate(body, json.dumps(body).encode(), OUR_BOT)


def test_message_is_read_whole() -> None:
    message = event("message")

    assert message.kind is EventKind.MESSAGE_CREATE
    assert message.account == "T01ACME"
    assert message.event_id == recorded("message")["event_id"]
    assert message.channel == FALCON
    assert (message.message, message.thread) == (ROOT, "")
    assert message.author.id == "U01ALICE"
    assert message.author.kind is PersonKind.USER
    assert message.sent_us == 1_700_000_000_000_100
    assert message.version_us == 0
    assert plain_text(message.document) == "hi bob <3"
    assert message.raw == raw("message")


def test_reply_belongs_to_its_root() -> None:
    assert event("message_reply").thread == ROOT


def test_root_that_has_replies_is_no_reply() -> None:
    assert event("message_root_with_replies").thread == ""


def test_broadcast_reply_stays_in_its_thread_and_is_marked() -> None:
    reply = event("message_thread_broadcast")

    assert reply.kind is EventKind.MESSAGE_CREATE
    assert reply.thread == ROOT
    assert dict(reply.detail) == {"broadcast": "yes"}


def test_reply_under_our_own_copy_is_no_echo() -> None:
    body = recorded("message_thread_broadcast")
    assert body["event"]["root"]["bot_id"] == OUR_BOT

    assert event("message_thread_broadcast").author.id == "U01ALICE"


def test_files_come_along_without_those_that_are_deleted() -> None:
    shared = event("message_file_share")

    (file,) = shared.files
    assert shared.kind is EventKind.MESSAGE_CREATE
    assert (file.id, file.name, file.mime, file.size) == (
        "F01",
        "a.png",
        "image/png",
        1234,
    )
    assert file.url == "https://files.example/F01/download/a.png"


@pytest.mark.parametrize("name", ["message_bot_other", "message_bot_without_subtype"])
def test_bots_are_told_by_their_bot_id_and_not_by_the_subtype(name: str) -> None:
    author = event(name).author

    assert (author.id, author.name) == ("BDEPLOY", "Deploys")
    assert author.avatar == "https://avatars.example/deploy.png"
    assert author.kind is PersonKind.BOT


def test_people_of_another_company_are_external_and_bring_their_name() -> None:
    author = event("message_external_person").author

    assert author.kind is PersonKind.EXTERNAL
    assert author.name == "Zoe"


def test_slackbot_is_no_person() -> None:
    assert event("message_slackbot").author.kind is PersonKind.SYSTEM


@pytest.mark.parametrize(
    "name",
    [
        "own_message_with_username",
        "own_message_plain",
        "own_message_changed",
        "own_message_deleted",
        "own_reaction_added",
    ],
)
def test_what_we_did_ourselves_is_an_echo(name: str) -> None:
    assert translated(name) == Ignored("echo")


def test_trap_own_edit_with_nothing_but_a_nested_bot_id_is_an_echo() -> None:
    """Bolt's own filter looks at the top level only: one edit would loop for ever."""
    body = recorded("own_message_changed_bot_id_only")
    assert not {"bot_id", "user", "app_id"} & set(body["event"])

    assert translated("own_message_changed_bot_id_only") == Ignored("echo")


def test_own_message_is_known_by_its_app_before_the_bot_id_is_known() -> None:
    name = "own_message_with_username"

    assert translate(recorded(name), raw(name)) == Ignored("echo")


def test_what_is_marked_as_a_copy_is_a_message_that_says_not_how_it_came() -> None:
    marked = event("message_foreign_bridge")

    assert marked.kind is EventKind.MESSAGE_CREATE
    assert dict(marked.detail)["hops"] == "?"


def test_edit_states_when_it_was_made() -> None:
    edit = event("message_changed")

    assert edit.kind is EventKind.MESSAGE_EDIT
    assert edit.message == ROOT
    assert edit.version_us == 1_700_000_050_000_000
    assert edit.author.id == "U01ALICE"
    assert plain_text(edit.document) == "hi carol"


def test_second_edit_within_a_second_is_newer_than_the_first() -> None:
    first = event("message_changed")
    second = event("message_changed_again_within_a_second")

    assert second.fact_key != first.fact_key
    assert first.version_us < second.version_us < first.version_us + 1_000_000


@pytest.mark.parametrize(
    "name",
    [
        "message_changed_unfurl",
        "message_changed_unfurl_after_edit",
        "message_changed_reply_counter",
        "message_changed_reply_of_a_deleted_root",
    ],
)
def test_trap_message_changed_is_not_always_an_edit(name: str) -> None:
    assert isinstance(translated(name), Ignored)


def test_deletion_names_the_message_and_its_thread() -> None:
    deletion = event("message_deleted_reply")

    assert deletion.kind is EventKind.MESSAGE_DELETE
    assert (deletion.message, deletion.thread) == ("1700000020.000300", ROOT)
    assert deletion.author.id == "U01ALICE"


def test_root_with_replies_is_deleted_by_its_tombstone() -> None:
    deletion = event("message_changed_tombstone")

    assert deletion.kind is EventKind.MESSAGE_DELETE
    assert (deletion.message, deletion.thread) == (ROOT, "")
    assert deletion.author.id == "U01ALICE"


def test_tombstone_and_deletion_state_the_same_fact() -> None:
    tombstone = event("message_changed_tombstone")

    assert tombstone.fact_key == event("message_deleted").fact_key


def test_refreshed_tombstone_says_nothing_new() -> None:
    assert isinstance(translated("message_changed_tombstone_again"), Ignored)


@pytest.mark.parametrize("name", ["message_replied", "message_replied_without_subtype"])
def test_reply_counters_say_nothing_new(name: str) -> None:
    assert translated(name) == Ignored("reply counter")


@pytest.mark.parametrize(
    "name", ["message_me", "message_channel_join", "message_ekm_denied"]
)
def test_notices_are_kept_but_are_no_messages(name: str) -> None:
    assert event(name).kind is EventKind.OTHER


@pytest.mark.parametrize("subtype", ["huddle_thread", "invented_tomorrow"])
def test_unknown_subtypes_are_kept_but_are_no_messages(subtype: str) -> None:
    found = variant("message", subtype=subtype)

    assert isinstance(found, Event)
    assert found.kind is EventKind.OTHER
    assert dict(found.detail) == {"type": "message", "subtype": subtype}


def test_new_topic_changes_the_channel() -> None:
    assert event("message_channel_topic").kind is EventKind.CHANNEL_CHANGE


def test_message_that_begins_with_our_mention_is_a_command() -> None:
    command = event("message_command")

    assert command.kind is EventKind.COMMAND
    assert dict(command.detail) == {"command": "link K7-QM2"}
    assert (command.channel, command.message) == (FALCON, ROOT)


def test_command_comes_as_message_and_as_mention_and_counts_once() -> None:
    assert event("message_command").delivery_key == event("app_mention").delivery_key


def test_our_mention_alone_asks_for_help() -> None:
    found = variant("message_command", text="<@UATOM>")

    assert isinstance(found, Event)
    assert dict(found.detail) == {"command": "help"}


def test_mention_inside_a_sentence_is_chat() -> None:
    found = variant("message", text="ask <@UATOM> about it")

    assert isinstance(found, Event)
    assert found.kind is EventKind.MESSAGE_CREATE
    assert isinstance(translated("app_mention_in_passing"), Ignored)


def test_edited_command_is_kept_but_not_relayed() -> None:
    assert event("message_changed_command").kind is EventKind.OTHER


def test_other_bots_give_no_commands() -> None:
    found = variant("message_command", bot_id="BDEPLOY")

    assert isinstance(found, Event)
    assert found.kind is EventKind.MESSAGE_CREATE


def test_reactions_name_message_and_emoji() -> None:
    added, removed = event("reaction_added"), event("reaction_removed")

    assert added.kind is EventKind.REACTION_ADD
    assert removed.kind is EventKind.REACTION_REMOVE
    assert (added.channel, added.message) == (FALCON, ROOT)
    assert dict(added.detail) == {"added": "👋🏼"}
    assert dict(removed.detail) == {"removed": "👋🏼"}


def test_pins_name_the_message_and_who_pinned_it() -> None:
    added, removed = event("pin_added"), event("pin_removed")

    assert added.kind is EventKind.PIN_ADD
    assert removed.kind is EventKind.PIN_REMOVE
    assert (added.channel, added.message) == (FALCON, ROOT)
    assert (added.author.id, removed.author.id) == ("U02BOB", "U02BOB")
    assert event("pin_added_to_a_file").message == ""


def test_a_channel_is_made_by_who_made_it() -> None:
    made = event("channel_created")

    assert made.channel == FALCON
    assert made.author.id == "U02BOB"
    assert dict(made.detail)["name"] == "falcon"
    assert change_of(made) is Change.CREATED


def test_people_come_and_go() -> None:
    assert event("member_joined_channel").kind is EventKind.MEMBER_JOIN
    assert event("member_left_channel").kind is EventKind.MEMBER_LEAVE
    assert event("member_joined_channel").channel == FALCON


@pytest.mark.parametrize(
    "name", ["channel_rename", "channel_archive", "channel_id_changed"]
)
def test_channel_changes_name_the_channel(name: str) -> None:
    change = event(name)

    assert change.kind is EventKind.CHANNEL_CHANGE
    assert change.channel == FALCON
    assert dict(change.detail)["change"] == name


def test_uninstalling_is_stated_by_either_event() -> None:
    assert event("app_uninstalled").kind is EventKind.APP_UNINSTALL
    assert event("tokens_revoked").kind is EventKind.APP_UNINSTALL
    assert event("tokens_revoked_of_a_person").kind is EventKind.OTHER


def test_unknown_events_are_kept() -> None:
    assert event("emoji_changed").kind is EventKind.OTHER


def test_slack_dropping_events_is_kept_once_a_minute() -> None:
    notice = event("app_rate_limited")

    assert notice.kind is EventKind.OTHER
    assert notice.event_id == "app_rate_limited:1518467820"
    assert notice.account == "T01ACME"


def test_workspace_is_the_one_that_slack_delivers_for() -> None:
    body = recorded("message")
    body["team_id"] = "T99SOMEWHERE"

    found = translate(body, b"{}", OUR_BOT)

    assert isinstance(found, Event)
    assert found.account == "T01ACME"


def test_lone_surrogates_and_nul_harm_nothing_and_stay_in_the_raw_bytes() -> None:
    found = event("message_lone_surrogate_and_nul")

    assert "\0" not in found.author.name
    assert found.author.name.encode()
    assert plain_text(found.document).encode()
    assert found.raw == raw("message_lone_surrogate_and_nul")


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.json")), ids=lambda p: p.stem)
@pytest.mark.parametrize("junk", [None, 7, "x", [], {}, [7], {"x": 7}, True, -1, 2**70])
def test_no_shape_of_payload_raises(path: Any, junk: object) -> None:
    body = json.loads(path.read_bytes())
    inner = body.get("event", {})

    for key in inner:
        spoilt = body | {"event": inner | {key: junk}}
        translate(spoilt, b"{}", OUR_BOT)
    for key in body:
        translate(body | {key: junk}, b"{}", OUR_BOT)


def test_who_opens_a_record_at_the_side_does_so_in_a_channel_or_in_none() -> None:
    body = recorded("message")
    body["event"] = {
        "type": OPENED,
        "user": "U01ALICE",
        "channel": "C02FALCON",
        "message_ts": "1700000140.000100",
        "trigger_id": "1.2.def",
        "external_ref": {"id": "jira:acme/issue/1"},
    }
    found = translate(body, b"{}", OUR_BOT)
    for name in ("channel", "message_ts"):
        del body["event"][name]
    searched = translate(body, b"{}", OUR_BOT)

    assert isinstance(found, Event)
    assert isinstance(searched, Event)
    assert (found.kind, found.author.id) == (EventKind.OTHER, "U01ALICE")
    assert str(found.channel) == "slack:T01ACME/C02FALCON"
    assert found.message == "1700000140.000100"
    assert dict(found.detail) == {"type": OPENED}
    assert (searched.channel, searched.message) == (None, "")


@pytest.mark.parametrize("name", sorted(EVENTS - {OPENED, "link_shared"}))
def test_every_subscribed_event_is_understood(name: str) -> None:
    kind = name.partition(".")[0]
    body = recorded("message")
    if kind not in {"message", "app_mention"}:
        body["event"] = {"type": kind, "channel": "C02FALCON"}
    if kind == "tokens_revoked":
        body["event"]["tokens"] = {"bot": ["UATOM"]}

    found = translate(body, b"{}", OUR_BOT)

    assert not isinstance(found, Event) or found.kind is not EventKind.OTHER


@pytest.mark.parametrize(
    ("user", "kind"),
    [
        ({"id": "U01ALICE", "deleted": False}, EventKind.USER_PROFILE),
        ({"id": "U01ALICE", "deleted": True}, EventKind.USER_DEACTIVATE),
        ({"id": "U01ALICE", "deleted": "yes"}, EventKind.USER_PROFILE),
    ],
)
def test_what_changes_about_a_person_is_theirs(
    user: dict[str, object], kind: EventKind
) -> None:
    body = recorded("message")
    body["event"] = {"type": "user_change", "user": user}

    found = translate(body, b"{}", OUR_BOT)

    assert isinstance(found, Event)
    assert (found.kind, found.author.id, found.channel) == (kind, "U01ALICE", None)


def test_a_thousand_edits_of_a_copy_and_its_end_are_echoes() -> None:
    """Slack's own filter overlooks them: only the nested bot id tells whose they are."""
    body = recorded("message_changed")
    ours = {"bot_id": OUR_BOT, "subtype": "bot_message", "username": "Carol (Teams)"}
    for n in range(1_000):
        new = {**ours, "ts": ROOT, "text": f"edit {n}", "edited": {"ts": f"{n}.0"}}
        old = {**ours, "ts": ROOT, "text": f"edit {n - 1}"}
        body["event"] |= {"message": new, "previous_message": old}
        assert translate(body, b"{}", OUR_BOT) == Ignored("echo")
    gone = recorded("message_deleted")
    gone["event"]["previous_message"] = {**ours, "ts": ROOT, "text": "edit 999"}
    assert translate(gone, b"{}", OUR_BOT) == Ignored("echo")


def test_trap_a_deleted_file_is_an_edit_that_slack_does_not_call_one() -> None:
    cat = {"id": "F01", "name": "cat.png"}
    with_file = {"user": "U01ALICE", "text": "look", "ts": "1700000000.000100"}
    changed = {
        "subtype": "message_changed",
        "message": with_file | {"files": [{"id": "F01", "mode": "tombstone"}]},
        "previous_message": with_file | {"files": [cat]},
        "event_ts": "1700000050.000200",
        "ts": "1700000050.000200",
    }

    found = variant("message", **changed)

    assert isinstance(found, Event)
    assert (found.kind, found.files) == (EventKind.MESSAGE_EDIT, ())
    assert found.version_us == 1_700_000_050_000_200
