"""What is said to name no record names none."""

from bridge.records.hints import Unnaming, may_name


def test_words_name_nothing() -> None:
    said = "Shall we meet at 10:30, or on the 24th? I am for it - 3 of us are :-)"

    assert not may_name(said)


def test_links_and_numbers_may() -> None:
    for said in ("http://x", "ACME-42", "see INC0010001.", "CS-00001026", "q3"):
        assert may_name(said)


def test_the_newest_are_known_and_no_more_than_asked_for() -> None:
    unnaming = Unnaming(most=3)
    for seq in (1, 2, 5, 8):
        unnaming.note("acme", seq)

    assert unnaming.among("acme", 0, 8) == [2, 5]
    assert unnaming.among("acme", 8, 9) == [8]
    assert unnaming.among("other", 0, 9) == []
