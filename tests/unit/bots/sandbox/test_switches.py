"""Faults, settings, journal and changes by themselves."""

import pytest

from bots.sandbox.changes import BACKLOG, Changes
from bots.sandbox.faults import Faults
from bots.sandbox.journal import Journal
from bots.sandbox.settings import Settings


def test_a_fault_strikes_where_it_matches_and_as_often_as_ordered() -> None:
    faults = Faults()
    faults.add({"on": "slack.chat.*", "fault": "500", "times": 2, "match": {"c": "1"}})

    taken = [
        faults.take("slack.users.info", {"c": "1"}),
        faults.take("slack.chat.update", {"c": "2"}),
        faults.take("slack.chat.update", {"c": "1"}),
        faults.take("slack.chat.delete", {"c": "1"}),
        faults.take("slack.chat.delete", {"c": "1"}),
    ]

    assert [fault.kind if fault else None for fault in taken] == [
        None,
        None,
        "500",
        "500",
        None,
    ]
    assert faults.listing()[0]["hits"] == 2


def test_a_fault_knows_when_it_strikes_and_with_what() -> None:
    faults = Faults()
    faults.add({"on": "*", "fault": "504_after", "retry_after": 9})

    fault = faults.take("teams.post", {})

    assert fault is not None
    assert (fault.after, fault.what, fault.status) == (True, "504", 504)
    assert fault.retry_after == 9


@pytest.mark.parametrize("rule", [{"on": "x", "fault": "no"}, {"fault": "500"}])
def test_a_fault_that_makes_no_sense_is_refused(rule: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="fault"):
        Faults().add(rule)


def test_settings_change_all_or_none() -> None:
    settings = Settings()
    settings.declare({"a": 1.0, "b": True})

    with pytest.raises(ValueError, match="unknown setting 'c'"):
        settings.update({"a": 2, "c": 1})
    assert settings.get("a") == 1.0
    settings.update({"a": 2, "b": False})

    assert (settings.get("a"), settings.get("b")) == (2.0, False)


def test_declaring_again_keeps_what_was_set() -> None:
    settings = Settings()
    settings.declare({"a": 1})
    settings.update({"a": 5})

    settings.declare({"a": 1, "b": 2})

    assert (settings.get("a"), settings.get("b")) == (5, 2)


def test_the_journal_gives_what_is_newer() -> None:
    journal = Journal()
    for call in ("one", "two", "three"):
        journal.note("slack", "in", call, 200, {}, {})

    newer = journal.since(1)

    assert [entry["call"] for entry in newer] == ["two", "three"]


def test_clearing_the_journal_keeps_the_numbers_going() -> None:
    journal = Journal()
    journal.note("slack", "in", "one", 200, {}, {})
    journal.clear()

    journal.note("slack", "in", "two", 200, {}, {})

    assert [entry["n"] for entry in journal.since(0)] == [2]


async def test_a_slow_watcher_misses_the_oldest_and_blocks_nobody() -> None:
    changes = Changes()

    with changes.subscribe() as watcher:
        for number in range(BACKLOG + 2):
            changes.publish({"n": number})

        assert watcher.get_nowait() == {"n": 2}
