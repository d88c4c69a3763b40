"""Who came and went in a time, as the log has it, in one line each."""

from typing import Any

from bots.joins import moves, said
from storage.log_reader import LogEntry

SECOND = 1_000_000


def entry(
    etype: str,
    who: str,
    at: int,
    *,
    conv: str = "C1",
    platform: str = "slack",
    **of: str,
) -> LogEntry:
    row: dict[str, Any] = {
        "platform": platform,
        "conv": conv,
        "cap_us": at * SECOND,
        "etype": etype,
        "seq": at,
    }
    return LogEntry(row, {"author": {"id": who}, "detail": of})


def told(*entries: LogEntry) -> dict[str, bool]:
    return moves(entries, {"C1", "19:team"}, 10 * SECOND, 10 * SECOND)


def test_who_came_and_went_in_the_time_is_told() -> None:
    assert told(
        entry("member.join", "U1", 10),
        entry("member.leave", "U2", 19),
        entry("member.join", "U3", 9),
        entry("member.join", "U4", 20),
        entry("member.join", "U5", 15, conv="C2"),
    ) == {"U1": True, "U2": False}


def test_who_did_both_is_where_they_were() -> None:
    assert (
        told(
            entry("member.join", "U1", 11),
            entry("member.leave", "U1", 12),
            entry("member.leave", "U2", 13),
            entry("member.join", "U2", 14),
        )
        == {}
    )


def test_an_event_of_teams_names_several_and_not_who_let_them_in() -> None:
    came = entry(
        "member.join",
        "29:owner",
        11,
        conv="19:team",
        platform="teams",
        joined="29:a 29:b",
    )

    assert told(came) == {"29:a": True, "29:b": True}


def test_whom_atom_found_by_listing_is_not_told() -> None:
    assert told(entry("member.join", "U1", 11, platform="atom")) == {}


def test_many_are_counted_and_so_is_who_may_not_be_named() -> None:
    assert said(["Ada", "Bob"], 2, "joined") == "Ada, Bob and 2 more joined"
    assert said(["Ada"], 0, "left") == "Ada left"
    assert said([], 1, "left") == "1 person left"
    assert said([], 2, "joined") == "2 people joined"
