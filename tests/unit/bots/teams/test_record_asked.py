"""What is asked of records is read from whatever Teams sends, without ever failing."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.teams.record_asked import CREATE, SEARCH, Kind, Surface, asked_in
from bots.teams.translate import Ignored, translate
from bridge.messages import EventKind
from tests.teams_world import APP, recorded

NAMES = [
    "adaptiveCard/action",
    "task/fetch",
    "task/submit",
    "composeExtension/query",
    "composeExtension/queryLink",
    "composeExtension/anonymousQueryLink",
    "composeExtension/selectItem",
    "composeExtension/fetchTask",
    "composeExtension/submitAction",
    "signin/verifyState",
]
keys = st.sampled_from(
    [
        *("action", "verb", "data", "t", "w", "trigger", "commandId", "parameters"),
        *("value", "url", "messagePayload", "id", "body", "content", "contentType"),
        *("from", "user", "in.line.reason", "in.choices.x", "in.check.y"),
    ]
)
words = st.sampled_from(
    ["rec.view", "rec.submit", "rec.redraw", "rec.wait", "rec.", SEARCH, CREATE, "html"]
)
anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner),
    max_leaves=20,
)


def invoke(name: str, value: Any) -> dict[str, Any]:
    return {"type": "invoke", "name": name, "value": value}


def executed(verb: str, trigger: str = "manual", **data: Any) -> dict[str, Any]:
    action = {"type": "Action.Execute", "verb": verb, "data": data}
    return invoke("adaptiveCard/action", {"action": action, "trigger": trigger})


@given(st.sampled_from(NAMES), anything)
def test_nothing_that_teams_may_send_makes_it_fail(name: str, value: Any) -> None:
    asked_in(invoke(name, value))
    asked_in({"type": "message", "value": value})
    activity = recorded("card_button") | {"name": name, "value": value}

    event = translate(activity, b"{}", app_id=APP, now_us=1)

    assert not isinstance(event, Ignored)
    assert event.kind is EventKind.ACTION


def test_a_client_that_draws_a_card_anew_is_no_click() -> None:
    refresh = asked_in(executed("rec.view", "automatic", t="act_1"))
    click = asked_in(executed("rec.view", t="act_1"))

    assert refresh is not None
    assert click is not None
    assert (refresh.kind, click.kind) == (Kind.REFRESH, Kind.CLICK)
    assert refresh.token == click.token == "act_1"


def test_an_automatic_trigger_makes_no_other_act_a_mere_look() -> None:
    asked = asked_in(executed("rec.approve", "automatic", t="act_1"))

    assert asked is not None
    assert asked.kind is Kind.CLICK


def test_a_form_says_what_was_entered() -> None:
    data = {"t": "form_1", "in.line.reason": "late", "in.check.urgent": "true"}

    asked = asked_in(executed("rec.submit", **data))

    assert asked is not None
    assert (asked.kind, asked.surface) == (Kind.SUBMIT, Surface.CARD)
    assert asked.values == {"reason": "late", "urgent": "true"}


def test_an_old_clients_button_is_a_message_that_says_nothing() -> None:
    value = {"verb": "rec.approve", "t": "act_1"}

    asked = asked_in({"type": "message", "value": value})
    spoken = asked_in({"type": "message", "value": value, "text": "hello"})

    assert asked is not None
    assert (asked.kind, asked.surface) == (Kind.CLICK, Surface.MESSAGE)
    assert spoken is None


def test_the_log_says_what_was_asked_and_holds_no_token() -> None:
    activity = recorded("card_button") | executed("rec.approve", t="act_1")

    event = translate(activity, b"{}", app_id=APP, now_us=1)

    assert not isinstance(event, Ignored)
    detail = dict(event.detail)
    assert (detail["record"], detail["act"]) == ("click", "approve")
    assert "act_1" not in str(event.detail)


@pytest.mark.parametrize(
    "value", [{}, None, {"commandId": SEARCH, "parameters": "x"}, {"commandId": "y"}]
)
def test_a_search_without_words_or_of_another_command_asks_nothing(value: Any) -> None:
    asked = asked_in(invoke("composeExtension/query", value))

    assert asked is not None
    assert asked.kind is Kind.MALFORMED or asked.words == ""


def test_a_message_is_read_as_text_with_who_said_it_and_where() -> None:
    payload = {
        "id": "1700000000001",
        "replyToId": "1700000000000",
        "body": {"contentType": "html", "content": "<p>It is &lt;down&gt;</p>"},
        "from": {"user": {"id": "oid", "displayName": "Ada"}},
        "linkToMessage": "https://teams.example/l/message/1",
    }
    value = {"commandId": CREATE, "messagePayload": payload}

    asked = asked_in(invoke("composeExtension/fetchTask", value))

    assert asked is not None
    assert asked.source is not None
    assert (asked.kind, asked.source.text) == (Kind.FROM_MESSAGE, "It is <down>")
    assert (asked.source.name, asked.source.thread) == ("Ada", "1700000000000")
