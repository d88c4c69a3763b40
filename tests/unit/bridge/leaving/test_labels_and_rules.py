"""Labels that authors give, and what rules do about them and about findings."""

from dataclasses import replace

import pytest

from bridge.access import Label
from bridge.errors import BadInput
from bridge.leaving.findings import (
    Confidence,
    Counts,
    Finding,
    Inspection,
    Part,
    covered,
    label_named,
)
from bridge.leaving.labels import chosen
from bridge.leaving.rules import Deed, Labelling, Rule, RuleBook, Where

PHRASES = {"do not forward": Label.RESTRICTED}
CARD = Finding("credit_card", 4, 23, Confidence.HIGH, "aa")
OTHER = Finding("credit_card", 30, 49, Confidence.MEDIUM, "bb")
MAIL = Finding("email", 50, 60, Confidence.MEDIUM, "cc")
FOUND = Inspection("r", (CARD, OTHER, MAIL), Label.CONFIDENTIAL)
THERE = Where("L1", "teams:t/c", outsiders=True)


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("#confidential the numbers", Label.CONFIDENTIAL),
        ("the numbers #Restricted", Label.RESTRICTED),
        ("first\nLabel: internal\nmore", Label.INTERNAL),
        ("sensitivity: public", Label.PUBLIC),
        ("please do  not\nforward this", Label.RESTRICTED),
        ("#confidential and do not forward", Label.RESTRICTED),
        ("#confidentially speaking", None),
        ("it is #confidential in the middle", None),
        ("the label: confidential is new", None),
        ("hello", None),
        ("", None),
    ],
)
def test_the_author_may_say_what_it_is(text: str, label: Label | None) -> None:
    assert chosen(text, PHRASES) == label


def test_the_highest_label_counts() -> None:
    book = RuleBook(
        "h",
        labelling=(
            Labelling(frozenset({"credit_card"}), Label.CONFIDENTIAL),
            Labelling(frozenset({"credit_card"}), Label.RESTRICTED, at_least=3),
        ),
    )

    assert book.label((CARD,), None) is Label.CONFIDENTIAL
    assert book.label((CARD,), Label.RESTRICTED) is Label.RESTRICTED
    assert book.label((CARD, OTHER, replace(OTHER, digest="dd")), None) is (
        Label.RESTRICTED
    )
    assert book.label((replace(CARD, example=True),), None) is Label.PUBLIC


def test_counts_are_of_values_and_not_of_places() -> None:
    again = replace(CARD, start=70, end=89, confidence=Confidence.LOW)

    counts = Counts.of((CARD, again, OTHER))

    assert counts.among(["credit_card"], Confidence.MEDIUM) == 2
    assert counts.among(["credit_card"], Confidence.HIGH) == 1
    assert counts.among(["iban"], Confidence.LOW) == 0


CARDS = frozenset({"credit_card"})


@pytest.mark.parametrize(
    ("rule", "met"),
    [
        (Rule("r", Deed.BLOCK, CARDS), True),
        (Rule("r", Deed.BLOCK, CARDS, at_least=3), False),
        (Rule("r", Deed.BLOCK, CARDS, 2, Confidence.HIGH), False),
        (Rule("r", Deed.BLOCK, label=Label.CONFIDENTIAL), True),
        (Rule("r", Deed.BLOCK, label=Label.RESTRICTED), False),
        (Rule("r", Deed.BLOCK, CARDS, outsiders=True), True),
        (Rule("r", Deed.BLOCK, CARDS, outsiders=False), False),
        (Rule("r", Deed.BLOCK, CARDS, links=frozenset({"L2"})), False),
        (Rule("r", Deed.BLOCK, CARDS, targets=frozenset({"teams:t/c"})), True),
        (Rule("r", Deed.BLOCK, below=True), True),
        (Rule("r", Deed.BLOCK, CARDS, partial=True), False),
    ],
)
def test_a_rule_is_met_if_everything_it_names_is_so(rule: Rule, *, met: bool) -> None:
    assert rule.meets(FOUND, THERE) is met


def test_a_target_that_is_classified_as_high_is_not_below() -> None:
    rule = Rule("r", Deed.BLOCK, below=True)

    assert not rule.meets(FOUND, replace(THERE, classification=Label.CONFIDENTIAL))
    assert rule.meets(FOUND, replace(THERE, classification=Label.INTERNAL))


def test_the_strictest_rule_decides() -> None:
    book = RuleBook(
        "h",
        (
            Rule("warn", Deed.WARN, CARDS),
            Rule("stop", Deed.BLOCK, CARDS, says="no cards"),
            Rule("cut", Deed.REDACT, frozenset({"email"})),
        ),
    )

    verdict = book.judge(FOUND, THERE)

    assert (verdict.deed, verdict.rules) == (Deed.BLOCK, ("stop",))
    assert (verdict.named, verdict.says) == ("dlp stop", "no cards")
    assert verdict.withholds


def test_what_is_hidden_is_what_the_rules_are_about() -> None:
    book = RuleBook(
        "h", (Rule("cut", Deed.REDACT, CARDS), Rule("tell", Deed.WARN, CARDS))
    )

    verdict = book.judge(FOUND, THERE)

    assert verdict.deed is Deed.REDACT
    assert verdict.spans(Part.TEXT) == [(4, 23), (30, 49)]


def test_what_cannot_be_cut_out_is_stopped() -> None:
    book = RuleBook("h", (Rule("cut", Deed.REDACT, label=Label.CONFIDENTIAL),))

    assert book.judge(FOUND, THERE).deed is Deed.BLOCK


def test_examples_of_documentation_are_let_through() -> None:
    example = Inspection("r", (replace(CARD, example=True),))
    rule = Rule("r", Deed.BLOCK, CARDS)

    assert RuleBook("h", (rule,)).judge(example, THERE).deed is Deed.ALLOW
    strict = replace(rule, examples=True)
    assert RuleBook("h", (strict,)).judge(example, THERE).deed is Deed.BLOCK


def test_an_inspection_is_kept_whole() -> None:
    told = replace(FOUND, chosen=True, partial=True)

    assert Inspection.read(told.told) == told
    with pytest.raises(BadInput):
        Inspection.read({"label": "public"})
    with pytest.raises(BadInput):
        Finding.read({"detector": "x"})


def test_labels_are_read_by_their_names() -> None:
    assert label_named(" Internal ") is Label.INTERNAL
    with pytest.raises(BadInput):
        label_named("secret")


def test_spans_that_touch_are_one() -> None:
    assert covered([(5, 9), (1, 3), (3, 4), (8, 12)]) == [(1, 4), (5, 12)]
