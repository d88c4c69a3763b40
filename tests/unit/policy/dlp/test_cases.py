"""Rules for what may leave say themselves what they are to do, and are tried."""

import pytest

from bridge.access import Label
from bridge.errors import BadInput
from bridge.leaving.findings import taken_apart
from bridge.leaving.rules import Deed, Where
from policy.dlp.cases import difference, outcomes, preview_hash, tried
from policy.dlp.rulebook import DEFAULT, prepared
from policy.dlp.version import detectors_version

CARD = "4242 4242 4242 4242"
RULES = """
labels: {content: [{detectors: [credit_card], label: confidential}]}
rules:
  - {name: cards, detectors: [credit_card], do: redact}
  - {name: cards outside, detectors: [credit_card], outsiders: true, do: block}
"""


def ran(case: str) -> tuple[bool, str]:
    [found] = outcomes(prepared(f"{RULES}tests:\n  - {case}\n"))
    return found.passed, found.why


@pytest.mark.parametrize(
    "case",
    [
        f"{{name: t, text: '{CARD}', expect: {{do: redact, rules: [cards]}}}}",
        f"{{name: t, text: '{CARD}', to: {{outsiders: true}}, expect: {{do: block}}}}",
        f"{{name: t, text: '{CARD}', expect: {{do: redact, label: confidential}}}}",
        "{name: t, text: hello, expect: {do: allow, label: public}}",
    ],
    ids=["redacted", "blocked outside", "labelled", "allowed"],
)
def test_a_test_says_what_becomes_of_a_text_somewhere(case: str) -> None:
    assert ran(case) == (True, "")


def test_what_does_not_come_about_is_told() -> None:
    blocked = f"{{name: t, text: '{CARD}', expect: {{do: block}}}}"
    labelled = f"{{name: t, text: '{CARD}', expect: {{do: redact, label: public}}}}"

    assert ran(blocked) == (False, "redact by cards")
    assert ran(labelled) == (False, "it is confidential")


def test_a_test_of_a_rule_that_is_not_there_is_refused() -> None:
    with pytest.raises(BadInput, match="there is no rule 'crads'"):
        ran("{name: t, text: x, expect: {do: allow, rules: [crads]}}")


def test_rules_are_kept_by_their_text_and_used_with_their_detectors() -> None:
    rules = prepared(RULES)

    assert len(rules.name) == 64
    assert taken_apart(rules.book.hash) == (rules.name, detectors_version())
    # Names that stand in databases of before detectors had versions.
    assert prepared("version: 1\n").name == (
        "0d2bfba943cb7d5d9f3c3a7b4614046786f95f5ecf577bb08f5ec8fef4678dbf"
    )
    assert taken_apart("abc") == ("abc", "")


def test_what_other_rules_change_is_counted_and_bound() -> None:
    old, new = prepared(DEFAULT), prepared(RULES)

    told = difference(3, old, new, [f"card {CARD}", "nothing"])

    assert (told.added, told.removed) == (("cards outside",), ("secrets",))
    assert told.changed == ("cards",)
    assert told.matters
    assert told.deeds == {
        (Deed.WARN, Deed.REDACT): 1,
        (Deed.WARN, Deed.BLOCK): 1,
    }
    assert told.hash == preview_hash(3, old, new)
    assert told.hash != preview_hash(4, old, new) != preview_hash(4, old, old)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("exceptions: [{detectors: [email], values: [a@b.example]}]", "exceptions"),
        ("without: [credit_card]", "without"),
        ("patterns: [{name: prj, pattern: 'PRJ-[0-9]'}]", "patterns"),
        ("dictionaries: [{name: d, words: [a]}]", "dictionaries"),
        ("labels: {phrases: {hush: restricted}}", "labels"),
        ("window: 0", "window"),
        ("regions: [DE]", "regions"),
        ("pictures: unreadable", "pictures"),
        ("channels: {'slack:T/C': internal}", "channels"),
    ],
)
def test_whatever_else_could_change_something_is_named(text: str, part: str) -> None:
    nothing, something = prepared("version: 1"), prepared(text)

    for old, new in ((nothing, something), (something, nothing)):
        told = difference(0, old, new, ())
        assert told.parts == (part,)
        assert told.matters


def test_remarks_and_tests_change_nothing() -> None:
    nothing = prepared("version: 1")
    test = f"tests: [{{name: t, text: {CARD}, expect: {{do: allow}}}}]"

    for text in ("# a remark", test):
        assert not difference(0, nothing, prepared(text), ()).matters


def test_the_place_says_what_is_above_it() -> None:
    rules = prepared(
        "channels: {'slack:T/C': internal}\n"
        "labels: {content: [{detectors: [credit_card], label: confidential}]}\n"
        "rules: [{name: above, below_label: true, do: block}]\n"
    )

    assert tried(rules, CARD, Where("", "slack:T/C")).verdict.deed is Deed.BLOCK
    seen = Where("", "slack:T/C", classification=Label.RESTRICTED)
    assert tried(rules, CARD, seen).verdict.deed is Deed.ALLOW
