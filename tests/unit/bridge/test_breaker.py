"""Deletions and edits wait for an admin when there are too many; nothing else does."""

from dataclasses import dataclass, replace

import pytest

from bridge.breaker import Breaker
from bridge.delivery import Again, Delivery, Operation
from bridge.messages import Channel, Platform

DELETE = Delivery(
    tenant="acme",
    seq=7,
    n=0,
    link="L1",
    operation=Operation.DELETE,
    source=Channel(Platform.SLACK, "T1", "C1"),
    target=Channel(Platform.TEAMS, "19:team", "19:channel"),
    message="1.0",
    thread="",
    version_us=0,
    created_us=0,
)
EDIT = replace(DELETE, operation=Operation.EDIT)


@dataclass
class FakeChanges:
    """So many changes, by how far back one looks, in seconds."""

    counts: dict[int, int]

    async def until(self, delivery: Delivery, within_us: int) -> int:
        return self.counts[within_us // 1_000_000]


@pytest.mark.parametrize(
    ("minute", "hour", "reason"),
    [
        (3, 10, ""),
        (4, 10, "more than 3 {} within 60 seconds"),
        (3, 11, "more than 10 {} within 3600 seconds"),
    ],
)
@pytest.mark.parametrize(
    ("delivery", "what"),
    [(DELETE, "deletions"), (EDIT, "edited messages")],
    ids=["deletions", "edits"],
)
async def test_what_is_above_any_of_the_limits_waits(
    delivery: Delivery, what: str, minute: int, hour: int, reason: str
) -> None:
    limit = "3/60 10/3600"
    limits = (limit, "none") if delivery is DELETE else ("none", limit)
    breaker = Breaker(FakeChanges({60: minute, 3600: hour}), *limits)

    assert await breaker.tripped(delivery) == reason.format(what)


@pytest.mark.parametrize(
    ("delivery", "limit"),
    [
        (replace(DELETE, operation=Operation.POST), "1/60"),
        (replace(DELETE, again=Again(7, "")), "1/60"),
        (replace(EDIT, again=Again(7, "")), "1/60"),
        (DELETE, "none"),
        (EDIT, "none"),
    ],
    ids=["a post", "retried", "an edit retried", "off", "off for edits"],
)
async def test_everything_else_passes(delivery: Delivery, limit: str) -> None:
    breaker = Breaker(FakeChanges({60: 1000}), limit, limit)

    assert await breaker.tripped(delivery) == ""
