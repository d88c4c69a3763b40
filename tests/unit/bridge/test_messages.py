"""Channels have addresses, people have names, and events know what they repeat."""

from dataclasses import replace

import pytest

from bridge.errors import BadInput
from bridge.messages import Channel, Event, EventKind, Person, Platform
from tests.events import FALCON, PROJECT, message


def test_each_platform_lies_across_from_the_other() -> None:
    assert Platform.SLACK.other is Platform.TEAMS
    assert Platform.TEAMS.other is Platform.SLACK


@pytest.mark.parametrize("channel", [FALCON, PROJECT])
def test_a_channel_is_found_by_its_address(channel: Channel) -> None:
    assert Channel.parse(str(channel)) == channel


@pytest.mark.parametrize(
    "address",
    [
        "",
        "slack",
        "slack:",
        "slack:T1",
        "slack:T1/",
        "slack:/C1",
        "irc:T1/C1",
        ":T1/C1",
    ],
)
def test_what_is_no_address_is_answered_with_what_one_looks_like(address: str) -> None:
    with pytest.raises(BadInput, match="write slack:TEAM_ID/CHANNEL_ID") as refused:
        Channel.parse(address)

    assert f"'{address}'" in str(refused.value)


def test_what_an_event_says_of_a_person_outweighs_what_was_known() -> None:
    known = Person(Platform.SLACK, "U1", "Old Name", "old face")

    assert Person(Platform.SLACK, "U1").named(known) == known
    assert Person(Platform.SLACK, "U1", "New Name").named(known) == replace(
        known, name="New Name"
    )


def test_a_delivery_of_the_same_event_has_the_same_key() -> None:
    first = message(event_id="Ev1", text="as sent at first")
    again = message(event_id="Ev1", text="as sent again")

    assert first.delivery_key == again.delivery_key
    assert first.delivery_key != message(event_id="Ev2").delivery_key
    assert first.delivery_key != replace(first, account="T02GLOBEX").delivery_key


def test_two_events_that_say_the_same_have_the_same_fact() -> None:
    assert message(event_id="Ev1").fact_key == message(event_id="Ev2").fact_key


@pytest.mark.parametrize(
    "different",
    [
        message(kind=EventKind.MESSAGE_DELETE),
        message(version_us=7),
        message("1700000000.000200"),
        message(channel=None),
        message(channel=PROJECT),
    ],
)
def test_another_message_change_or_place_is_another_fact(different: Event) -> None:
    assert different.fact_key != message().fact_key


@pytest.mark.parametrize(
    "event",
    [message(kind=EventKind.REACTION_ADD), message(message="")],
)
def test_what_states_nothing_of_a_message_has_no_fact(event: Event) -> None:
    assert event.fact_key == ""
