"""Where Slack takes an answer is read from its own words, whatever they are."""

import json
from urllib.parse import urlencode

from hypothesis import given
from hypothesis import strategies as st

from bots.slack.late import ephemeral, response_url
from bridge.cards import Card, Section

URL = "https://hooks.slack.example/commands/T1/2/x"
NOTE = "You asked at 12:03 UTC: this answer is late."


def test_a_command_and_a_click_say_where_answers_go() -> None:
    typed = urlencode({"command": "/atom", "text": "status", "response_url": URL})
    clicked = urlencode({"payload": json.dumps({"response_url": URL})})

    assert response_url(typed.encode()) == URL
    assert response_url(clicked.encode()) == URL
    assert response_url(json.dumps({"response_url": URL}).encode()) == URL


def test_a_mention_does_not() -> None:
    assert response_url(b'{"type":"event_callback","event":{}}') == ""
    assert response_url(b"") == ""


@given(
    st.binary()
    | st.text().map(lambda text: text.encode("utf-8", "replace"))
    | st.text().map(lambda text: urlencode({"payload": text}).encode())
    | st.recursive(st.none() | st.text(), st.lists).map(
        lambda value: json.dumps({"response_url": value}).encode()
    )
)
def test_whatever_was_said_is_read_without_failing(raw: bytes) -> None:
    assert isinstance(response_url(raw), str)


def test_a_late_answer_says_when_it_was_asked_for_and_stays_within_slacks_limit() -> (
    None
):
    card = Card("Status", sections=tuple(Section(f"S{n}", "x") for n in range(90)))

    told = ephemeral(card, NOTE)

    assert told["response_type"] == "ephemeral"
    assert told["text"].startswith(NOTE)
    assert NOTE in json.dumps(told["blocks"][0])
    assert len(told["blocks"]) <= 50
