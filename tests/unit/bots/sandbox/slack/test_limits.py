"""Token buckets and tickets, by a clock that tests turn."""

import pytest

from bots.sandbox.settings import Settings
from bots.sandbox.slack.defaults import DEFAULTS
from bots.sandbox.slack.errors import RateLimited
from bots.sandbox.slack.limits import Limits
from bots.sandbox.slack.methods import Method, load_methods
from bots.sandbox.slack.tickets import NoSuchTicket, TicketExpired, Tickets, TicketUsed


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def limits(clock: Clock, **values: object) -> Limits:
    settings = Settings()
    settings.declare(DEFAULTS)
    settings.update({f"slack.{name}": value for name, value in values.items()})
    return Limits(settings, clock)


def method(name: str) -> Method:
    return load_methods()[name]


def test_a_channel_takes_a_post_a_second_after_a_burst() -> None:
    clock = Clock()
    limit = limits(clock, post_burst=2)
    post = method("chat.postMessage")
    limit.admit(post, "T1", "C1")
    limit.admit(post, "T1", "C1")

    with pytest.raises(RateLimited) as refused:
        limit.admit(post, "T1", "C1")
    limit.admit(post, "T1", "C2")
    clock.now += 1
    limit.admit(post, "T1", "C1")

    assert refused.value.retry_after == 1


def test_a_workspace_has_a_cap_of_its_own() -> None:
    limit = limits(Clock(), workspace_posts_per_minute=2)
    post = method("chat.postMessage")
    limit.admit(post, "T1", "C1")
    limit.admit(post, "T1", "C2")

    with pytest.raises(RateLimited):
        limit.admit(post, "T1", "C3")
    limit.admit(post, "T2", "C3")


def test_a_methods_tier_is_a_setting() -> None:
    limit = limits(Clock(), method_tiers={"team.info": "1"})
    limit.admit(method("team.info"), "T1", "")

    with pytest.raises(RateLimited):
        limit.admit(method("team.info"), "T1", "")


def test_history_can_be_held_to_one_call_a_minute() -> None:
    clock = Clock()
    limit = limits(clock, history_limited=True)
    history = method("conversations.history")
    limit.admit(history, "T1", "C1")

    with pytest.raises(RateLimited) as refused:
        limit.admit(history, "T1", "C1")
    clock.now += 60
    limit.admit(history, "T1", "C1")

    assert refused.value.retry_after == 60


def test_a_ticket_is_good_for_its_purpose_uses_and_time() -> None:
    clock = Clock()
    tickets = Tickets(clock)
    twice = tickets.issue("hook", "held", seconds=10, uses=2)
    late = tickets.issue("hook", "held", seconds=10)

    assert tickets.redeem("hook", twice) == "held"
    assert tickets.redeem("hook", twice) == "held"
    with pytest.raises(TicketUsed):
        tickets.redeem("hook", twice)
    with pytest.raises(NoSuchTicket):
        tickets.redeem("code", late)
    clock.now += 11
    with pytest.raises(TicketExpired):
        tickets.redeem("hook", late)
