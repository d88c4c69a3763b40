"""The model finds whatever is wrong, and nothing where all is right."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from tests.soak.model import Copy, Said, Seen, Side, wrongs

NONE: frozenset[str] = frozenset()


def copy_of(said: Said, copy_id: str, **more: Any) -> Copy:
    made = Copy(said.n, said.text, copy_id, "", (int(copy_id),), {}, NONE)
    return replace(made, **more)


@dataclass
class Conversation:
    """A root and a reply from Slack, and a root from Teams, as they should be."""

    root: Said = field(default_factory=lambda: Said(1, Side.SLACK, "1.0", "U1"))
    other: Said = field(default_factory=lambda: Said(3, Side.TEAMS, "93", "29:c"))

    def __post_init__(self) -> None:
        self.reply = Said(2, Side.SLACK, "2.0", "U1", self.root)
        self.in_teams = [
            copy_of(self.root, "101"),
            copy_of(self.reply, "102", thread="101"),
        ]
        self.in_slack = [copy_of(self.other, "103")]
        self.ours: dict[str, frozenset[str]] = {"1.0": NONE, "2.0": NONE}

    @property
    def said(self) -> list[Said]:
        return [self.root, self.reply, self.other]

    def wrongs(self, captured: Mapping[str, int] | None = None) -> list[str]:
        heard = captured or {"1.0": 1, "2.0": 2}
        return wrongs(
            self.said,
            Seen(
                {Side.SLACK: self.in_slack, Side.TEAMS: self.in_teams},
                self.ours,
                {(Side.SLACK, message): seq for message, seq in heard.items()},
            ),
        )


def test_where_all_is_right_nothing_is_found() -> None:
    assert Conversation().wrongs() == []


def _lost(at: Conversation) -> None:
    at.in_slack.clear()


def _doubled(at: Conversation) -> None:
    at.in_teams.append(copy_of(at.root, "104"))


def _outdated(at: Conversation) -> None:
    at.root.revision = 2


def _not_deleted(at: Conversation) -> None:
    at.other.deleted = True


def _in_no_thread(at: Conversation) -> None:
    at.in_teams[1] = replace(at.in_teams[1], thread="")


def _in_a_thread(at: Conversation) -> None:
    at.in_slack[0] = replace(at.in_slack[0], thread="99")


def _carried_without_a_link(at: Conversation) -> None:
    at.other.crosses = False


def _count_is_missing(at: Conversation) -> None:
    at.root.at_original["+1"] = {"U1", "U2"}


def _count_is_old(at: Conversation) -> None:
    at.in_teams[0] = replace(at.in_teams[0], line={"👍": 1})


def _reaction_is_missing(at: Conversation) -> None:
    at.root.at_copy["like"] = {"29:c"}


def _reaction_was_taken_back(at: Conversation) -> None:
    at.in_slack[0] = replace(at.in_slack[0], ours=frozenset({"+1"}))


@pytest.mark.parametrize(
    "spoil",
    [
        _lost,
        _doubled,
        _outdated,
        _not_deleted,
        _in_no_thread,
        _in_a_thread,
        _carried_without_a_link,
        _count_is_missing,
        _count_is_old,
        _reaction_is_missing,
        _reaction_was_taken_back,
    ],
    ids=lambda spoil: spoil.__name__.strip("_"),
)
def test_what_is_wrong_is_found(spoil: Callable[[Conversation], None]) -> None:
    conversation = Conversation()

    spoil(conversation)

    assert len(conversation.wrongs()) == 1


def test_roots_that_stand_in_another_order_than_they_were_heard_are_found() -> None:
    conversation = Conversation()
    second = Said(4, Side.SLACK, "4.0", "U1")
    at = Seen(
        {
            Side.SLACK: conversation.in_slack,
            Side.TEAMS: [*conversation.in_teams, copy_of(second, "100")],
        },
        {"1.0": NONE, "2.0": NONE, "4.0": NONE},
        {(Side.SLACK, "1.0"): 1, (Side.SLACK, "4.0"): 2},
    )

    [wrong] = wrongs([*conversation.said, second], at)

    assert "the roots of slack" in wrong


def test_what_happens_to_a_message_after_its_link_ended_is_nobodys_concern() -> None:
    conversation = Conversation()
    _outdated(conversation)
    conversation.root.loose = True

    assert conversation.wrongs() == []


def test_what_crossed_in_one_message_is_judged_as_one() -> None:
    first, second = (Said(n, Side.SLACK, f"{n}.0", "U1") for n in (1, 2))
    first.at_original = {"tada": {"U1", "U2"}}
    second.at_original = {"tada": {"U2"}, "+1": {"U3"}}
    first.at_copy = {"like": {"29:c"}}
    reply = Said(3, Side.TEAMS, "93", "29:c", second)
    line = {"🎉": 2, "👍": 1}
    shared = [
        copy_of(one, "101", line=line, place=(101, n))
        for n, one in enumerate((first, second))
    ]
    told = copy_of(reply, "103", thread="1.0")

    def found(**more: Any) -> list[str]:
        seen = Seen(
            {Side.SLACK: [told], Side.TEAMS: shared},
            {"1.0": frozenset({"+1"}), "2.0": NONE},
            {(Side.SLACK, "1.0"): 1, (Side.SLACK, "2.0"): 2},
            [frozenset({1, 2})],
        )
        return wrongs([first, second, reply], replace(seen, **more))

    assert found() == []
    assert found(shared=())
    assert found(ours={"1.0": frozenset({"+1"}), "2.0": frozenset({"+1"})})
    second.deleted = True
    assert found()
    reversed_ = [replace(c, place=(101, 1 - n)) for n, c in enumerate(shared)]
    second.deleted = False
    assert found(copies={Side.SLACK: [told], Side.TEAMS: reversed_})
