"""Who reacted is read from the log, wherever the message stands and is heard."""

from dataclasses import replace

import pytest

from bridge.delivery import Copy
from bridge.errors import NotFound
from bridge.links import Link, LinkState
from bridge.messages import Channel, Person, Platform
from bridge.reacted import Choice, WhoReacted
from bridge.reactions import Reacted
from tests.events import FALCON, PROJECT
from tests.unit.bridge.stage import (
    LINK,
    TENANT,
    FakeCopies,
    FakeLinks,
    FakePeople,
    FakeReactionLog,
)

ELSEWHERE = Channel(Platform.SLACK, "T1", "C9")
COPY = Copy(TENANT, "L1", FALCON, "m1", PROJECT, "r1", "", 0)


def chose(emoji: str, account: str, at: int, on: str, *, added: bool = True) -> Reacted:
    return Reacted(emoji, f"tok:{account}", at, at, added, on, account)


def who(
    said: dict[str, list[Reacted]], *, link: Link = LINK, copies: tuple[Copy, ...] = ()
) -> WhoReacted:
    people = {
        Platform.SLACK: FakePeople({"U1": Person(Platform.SLACK, "U1", "Ada")}),
        Platform.TEAMS: FakePeople({"29:1": Person(Platform.TEAMS, "29:1", "Carol")}),
    }
    return WhoReacted(
        FakeReactionLog(said=said),
        FakeCopies([COPY, *copies]),
        FakeLinks([link]),
        people,
        lambda _tenant, name: name.upper(),
    )


SAID = {
    "m1": [
        chose("👍", "U1", 3, "m1"),
        chose("🎉", "U1", 1, "m1"),
        chose("🎉", "U1", 2, "m1", added=False),
        chose("👀", "U2", 5, "m1"),
    ],
    "r1": [chose("👍", "29:1", 4, "r1")],
}
ALL = (
    Choice("👍", Platform.SLACK, "ADA"),
    Choice("👍", Platform.TEAMS, "CAROL"),
    Choice("👀", Platform.SLACK, "U2"),
)


@pytest.mark.parametrize(
    ("channel", "message"), [(FALCON, "m1"), (PROJECT, "r1")], ids=["message", "copy"]
)
async def test_both_sides_are_told_wherever_one_asks(
    channel: Channel, message: str
) -> None:
    assert await who(SAID).to(TENANT, channel, message) == ALL


async def test_a_channel_that_is_not_linked_tells_nothing() -> None:
    with pytest.raises(NotFound):
        await who(SAID).to(TENANT, ELSEWHERE, "m1")


@pytest.mark.parametrize("state", [LinkState.PAUSED, LinkState.DORMANT])
async def test_what_a_link_does_not_carry_now_is_not_told(state: LinkState) -> None:
    chosen = await who(SAID, link=replace(LINK, state=state)).to(TENANT, PROJECT, "r1")

    assert chosen == (Choice("👍", Platform.TEAMS, "CAROL"),)


async def test_a_channel_that_this_one_does_not_hear_is_not_told() -> None:
    further = replace(COPY, link="L2", target=ELSEWHERE, remote="e1")
    said = SAID | {"e1": [chose("👎", "U1", 9, "e1")]}

    assert await who(said, copies=(further,)).to(TENANT, PROJECT, "r1") == ALL


async def test_whoever_chose_an_emoji_on_several_parts_is_told_once() -> None:
    part = replace(COPY, remote="r2", part=2)
    said = SAID | {"r2": [chose("👍", "29:1", 9, "r2")]}

    assert await who(said, copies=(part,)).to(TENANT, FALCON, "m1") == ALL
