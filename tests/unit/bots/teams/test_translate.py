"""Activities become events."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bots.teams.translate import (
    Ignored,
    command_in,
    people_named_in,
    translate,
)
from bridge.errors import BadInput
from bridge.messages import Event, EventKind, Person, PersonKind, Platform
from bridge.plain import plain_text
from tests.teams_world import APP, FALCON, TENANT, recorded

NOW = 1_800_000_000_000_000
SENT = 1_700_000_000_123_456


def heard(name: str, **changes: Any) -> Event:
    event = translate(recorded(name, **changes), b"{}", app_id=APP, now_us=NOW)
    assert isinstance(event, Event)
    return event


def test_message_in_a_channel_is_read() -> None:
    event = heard("channel_message")

    assert event.kind is EventKind.MESSAGE_CREATE
    assert (event.account, event.channel) == (TENANT, FALCON)
    assert (event.message, event.thread) == ("1700000000123", "")
    assert event.author == Person(Platform.TEAMS, "29:carol", "Carol Díaz")
    assert (event.sent_us, event.version_us) == (SENT, 0)
    assert "bold" in plain_text(event.document)


def test_trap_raw_body_is_kept_byte_for_byte() -> None:
    body = b'{ "unknown":  "field" }'
    event = translate(recorded("thread_reply"), body, app_id=APP, now_us=NOW)

    assert isinstance(event, Event)
    assert event.raw == body


def test_reply_knows_its_root() -> None:
    event = heard("thread_reply")

    assert (event.message, event.thread) == ("1700000000999", "1700000000123")


def test_edit_is_a_version_of_its_message() -> None:
    event = heard("message_edited")

    assert event.kind is EventKind.MESSAGE_EDIT
    assert event.message == "1700000000123"
    assert event.version_us == event.sent_us == 1_700_000_400_500_000
    assert plain_text(event.document).strip() == "hi all"


def test_delete_has_no_content() -> None:
    event = heard("message_deleted")

    assert event.kind is EventKind.MESSAGE_DELETE
    assert (event.message, event.thread) == ("1700000000123", "")
    assert not event.document.blocks


def test_undelete_restores() -> None:
    assert heard("message_undeleted").kind is EventKind.MESSAGE_RESTORE


def test_same_activity_sent_again_has_the_same_key_and_an_edit_another() -> None:
    first, again = heard("channel_message"), heard("channel_message")
    edits = [heard("message_edited"), heard("message_undeleted")]
    later = heard("message_edited", timestamp="2023-11-14T22:21:00Z")

    keys = {event.delivery_key for event in [first, *edits, later]}

    assert first.delivery_key == again.delivery_key
    assert len(keys) == 4


def test_activities_without_an_id_are_told_apart_by_their_content() -> None:
    nameless = recorded("channel_renamed", id=None, timestamp=None)
    one = translate(nameless, b"one", app_id=APP, now_us=NOW)
    two = translate(nameless, b"two", app_id=APP, now_us=NOW)

    assert isinstance(one, Event)
    assert isinstance(two, Event)
    assert one.event_id != two.event_id


def test_trap_only_the_leading_mention_is_cut_off_a_command() -> None:
    event = heard("command")

    assert event.kind is EventKind.COMMAND
    assert dict(event.detail)["command"] == "link ATOM docs"


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("<at>ATOM</at>", ""),
        ("<at>ATOM</at>&nbsp;status", "status"),
        ("  <at>ATOM</at> \n link\xa0A&amp;B ", "link A&B"),
        ("ask <at>ATOM</at> for status", None),
        ("<at>ATOM", None),
        ("ATOM status", None),
    ],
)
def test_command_starts_with_the_mention(text: str, command: str | None) -> None:
    assert command_in(recorded("command", text=text), APP) == command


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("<at>ATOM</at> contact <at>Gus</at>", "contact <@29:gus>"),
        ("<at>ATOM</at> who <at>Gus</at> is <at>Gus</at>", "who <@29:gus> is <@29:2>"),
        ("<at>ATOM</at> find <at>Eve</at>", "find <at>Eve</at>"),
        ("<at>ATOM</at> find &lt;at&gt;Gus&lt;/at&gt;", "find <at>Gus</at>"),
        ("<at>ATOM</at> find <at>Bad</at>", "find <at>Bad</at>"),
    ],
)
def test_a_command_names_others_by_their_ids(text: str, command: str) -> None:
    named = [
        ("ATOM", f"28:{APP}"),
        ("Gus", "29:gus"),
        ("Gus", "29:2"),
        ("Bad", "29:x y>"),
    ]
    entities = [
        {
            "type": "mention",
            "text": f"<at>{name}</at>",
            "mentioned": {"id": id_, "name": name},
        }
        for name, id_ in named
    ]

    assert command_in(recorded("command", text=text, entities=entities), APP) == command


def test_typed_tag_without_a_mention_is_no_command() -> None:
    typed = recorded("channel_message", text="<at>ATOM</at> unlink", entities=[])

    assert command_in(typed, APP) is None


def test_mention_of_somebody_called_atom_is_no_command() -> None:
    namesake = [
        {
            "type": "mention",
            "text": "<at>ATOM</at>",
            "mentioned": {"id": "29:mallory", "name": "ATOM"},
        }
    ]

    assert command_in(recorded("command", entities=namesake), APP) is None


def test_everything_said_in_a_personal_chat_is_a_command() -> None:
    event = heard("personal_message")

    assert event.kind is EventKind.COMMAND
    assert dict(event.detail)["command"] == "help"


def test_own_activities_are_ignored() -> None:
    own = recorded("channel_message")
    own["from"] = {"id": f"28:{APP.upper()}", "name": "ATOM"}

    assert translate(own, b"", app_id=APP, now_us=NOW) == Ignored("own")


def test_typing_is_ignored() -> None:
    typing = recorded("channel_message", type="typing")

    assert translate(typing, b"", app_id=APP, now_us=NOW) == Ignored("typing")


@pytest.mark.parametrize(
    ("account", "kind"),
    [
        ("28:another", PersonKind.BOT),
        ("29:carol", PersonKind.USER),
        ("8:live:guest", PersonKind.EXTERNAL),
        ("19:acme@thread.tacv2", PersonKind.SYSTEM),
        ("", PersonKind.SYSTEM),
    ],
)
def test_who_speaks_shows_in_the_id(account: str, kind: PersonKind) -> None:
    event = heard("channel_message", **{"from": {"id": account, "name": "X"}})

    assert event.author.kind is kind


def test_reaction_names_the_message_and_its_thread() -> None:
    event = heard("reaction_added")

    assert event.kind is EventKind.REACTION_ADD
    assert (event.message, event.thread) == ("1700000000999", "1700000000123")
    assert dict(event.detail)["added"] == "👍"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("channel_renamed", EventKind.CHANNEL_CHANGE),
        ("member_added", EventKind.MEMBER_JOIN),
        ("installed", EventKind.APP_INSTALL),
        ("card_button", EventKind.ACTION),
    ],
)
def test_what_happens_around_messages_is_kept(name: str, kind: EventKind) -> None:
    assert heard(name).kind is kind


@pytest.mark.parametrize(
    ("action", "kind"),
    [
        ("remove", EventKind.APP_UNINSTALL),
        ("add-upgrade", EventKind.APP_INSTALL),
        ("something-new", EventKind.OTHER),
    ],
)
def test_installations_and_removals_are_kept(action: str, kind: EventKind) -> None:
    assert heard("installed", action=action).kind is kind


def test_unknown_activity_types_are_kept_as_other() -> None:
    event = heard("channel_message", type="brandNew")

    assert event.kind is EventKind.OTHER
    assert dict(event.detail)["type"] == "brandNew"


def test_only_atoms_own_buttons_carry_a_command() -> None:
    foreign = recorded("card_button")["value"]
    foreign["action"]["verb"] = "somebody"

    assert dict(heard("card_button").detail)["command"] == "help"
    assert "command" not in dict(heard("card_button", value=foreign).detail)


@pytest.mark.parametrize("missing", ["type", "channelData"])
def test_what_is_no_activity_of_a_tenant_is_bad_input(missing: str) -> None:
    activity = recorded("channel_message")
    del activity[missing]
    activity["conversation"].pop("tenantId")

    with pytest.raises(BadInput):
        translate(activity, b"", app_id=APP, now_us=NOW)


def test_time_that_is_not_told_is_now() -> None:
    event = heard("message_edited", timestamp="?", localTimestamp=None)

    assert event.version_us == NOW


def test_names_in_an_activity_are_learned_for_free() -> None:
    people = people_named_in(recorded("channel_message"))

    assert [person.name for person in people] == ["Carol Díaz", "Dave O'Neil"]


def test_surrogates_and_nul_do_not_get_through() -> None:
    event = heard("channel_message", **{"from": {"id": "29:x", "name": "A\ud800\x00"}})

    assert event.author.name.encode() == "A��".encode()


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["id", "type", "text", "tenant", "mentioned", "action", "data", "team"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(deadline=None)
@given(
    name=st.sampled_from(["channel_message", "command", "card_button", "installed"]),
    changes=st.dictionaries(
        st.sampled_from(
            [
                "type",
                "id",
                "timestamp",
                "from",
                "conversation",
                "text",
                "entities",
                "attachments",
                "value",
                "replyToId",
                "channelData",
            ]
        ),
        _JSON,
    ),
)
def test_no_shape_of_json_raises_anything_but_bad_input(
    name: str, changes: dict[str, Any]
) -> None:
    try:
        translate(recorded(name, **changes), b"", app_id=APP, now_us=NOW)
    except BadInput:
        return
