"""What is asked of records is read from whatever Slack sends, without ever failing."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.slack.interactions import interaction, is_interaction
from bots.slack.record_asked import (
    AGAIN,
    FROM_MESSAGE,
    NEW,
    Kind,
    asked_in,
    kept_in_view,
)
from bots.slack.record_cards import ACTION_PREFIX
from bots.slack.record_forms import FORM_VIEW
from bridge.messages import Channel, EventKind, Platform
from tests.slack_recorded import recorded

FALCON = Channel(Platform.SLACK, "T01ACME", "C02FALCON")
NOW = 1_700_000_000_000_000

names = st.sampled_from(
    [
        *("type", "actions", "action_id", "value", "view", "state", "values", "id"),
        *("private_metadata", "callback_id", "channel", "user", "team", "message"),
        *("container", "selected_options", "selected_option", "trigger_id", "hash"),
    ]
)
words = st.sampled_from(
    [
        *("block_actions", "view_submission", "view_closed", "message_action"),
        *("shortcut", FROM_MESSAGE, NEW, FORM_VIEW, AGAIN, "in.choice.x", "checkboxes"),
        *("{", "[]", '{"channel": 1}', '{"channel": "/"}', "\0", "\ud800", ""),
    ]
)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner),
    max_leaves=20,
)


@given(st.dictionaries(names, anything))
def test_nothing_that_slack_may_send_makes_it_fail(body: dict[str, Any]) -> None:
    asked_in(body)
    event = interaction(body, b"{}", NOW)

    assert event.kind in {EventKind.ACTION, EventKind.OTHER}


def test_a_button_of_a_card_says_its_act_and_its_token() -> None:
    body = recorded("block_actions")
    body["actions"][0] |= {"action_id": f"{ACTION_PREFIX}approve.3", "value": "act_1"}

    asked = asked_in(body)

    assert asked is not None
    assert (asked.kind, asked.act, asked.token) == (Kind.CLICK, "approve", "act_1")
    assert (asked.channel, asked.trigger) == (FALCON, "1.2.def")


def test_the_log_says_what_was_asked_and_holds_no_token() -> None:
    body = recorded("block_actions")
    body["actions"][0] |= {"action_id": f"{ACTION_PREFIX}approve", "value": "act_1"}

    event = interaction(body, json.dumps(body).encode(), NOW)

    assert event.kind is EventKind.ACTION
    assert dict(event.detail) == {"record": "click", "act": "approve"}


def test_a_button_in_a_modal_is_of_the_channel_that_the_modal_was_opened_from() -> None:
    body = recorded("block_actions")
    del body["channel"], body["container"], body["message"]
    body["view"] = {
        "id": "V1",
        "private_metadata": kept_in_view(FALCON, "form_1"),
    }
    body["actions"][0] |= {"action_id": f"{ACTION_PREFIX}approve", "value": "act_1"}

    asked = asked_in(body)

    assert asked is not None
    assert asked.channel == FALCON
    assert asked.view is not None
    assert asked.view.token == "form_1"


def test_a_button_in_the_pane_at_the_side_is_of_its_channel_and_no_modal() -> None:
    body = recorded("block_actions")
    del body["channel"], body["message"]
    body["container"] = {
        "type": "entity_detail",
        "channel_id": "C02FALCON",
        "message_ts": "1700000140.000100",
        "thread_ts": "1700000100.000100",
    }
    body["view"] = {"id": "V1", "type": "entity_detail"}
    body["actions"][0] |= {"action_id": f"{ACTION_PREFIX}comment", "value": "act_1"}

    asked = asked_in(body)

    assert asked is not None
    assert (asked.channel, asked.token) == (FALCON, "act_1")
    assert (asked.thread, asked.view) == ("1700000100.000100", None)


def test_a_form_that_was_closed_is_an_interaction_though_it_has_no_trigger() -> None:
    body = recorded("view_submission") | {"type": "view_closed"}
    body["view"] |= {"callback_id": FORM_VIEW}
    del body["trigger_id"]

    assert is_interaction(body)
    assert dict(interaction(body, b"", NOW).detail) == {"record": "closed"}


@pytest.mark.parametrize("callback", ["", "somebody_elses"])
def test_other_apps_forms_are_not_ours(callback: str) -> None:
    body = recorded("view_submission")
    body["view"] |= {"callback_id": callback}

    assert asked_in(body) is None
