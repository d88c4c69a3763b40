"""Rules are read strictly, and whatever is wrong with them is one line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.access import Label
from bridge.errors import BadInput
from bridge.leaving.findings import Confidence
from bridge.leaving.rules import Deed, Where
from policy.dlp.rulebook import DEFAULT, prepared

KEY = b"k"
OWN = r"""
regions: [DE]
without: [email]
patterns:
  - {name: project, pattern: 'PRJ-[0-9]{6}', words: [project], ignore_case: true}
  - {name: ticket, pattern: '\b[0-9]{8}\b', check: luhn}
dictionaries:
  - {name: codenames, words: [bluebird, "project falcon"]}
exceptions:
  - {detectors: [credit_card], values: ["4242 4242 4242 4242"]}
  - {detectors: [project], pattern: 'PRJ-000.*'}
labels:
  content: [{detectors: [codenames], label: restricted}]
  phrases: {"Do not  forward": confidential}
channels: {"teams:t/c": confidential}
rules:
  - name: codenames stay
    detectors: [codenames]
    do: block
    outsiders: true
"""


def _found(text: str, rules: str = OWN) -> list[str]:
    return [f.detector for f in prepared(rules).scanner.scan(text, KEY).findings]


def test_what_holds_without_rules_stops_nothing() -> None:
    book = prepared(DEFAULT).book

    assert {rule.deed for rule in book.rules} == {Deed.WARN}


def test_own_patterns_and_words_are_found() -> None:
    assert _found("see prj-123456") == ["project"]
    assert _found("Bluebird and project falcon") == ["codenames", "codenames"]
    assert _found("number 12345674 and 12345675") == ["ticket"]


def test_a_word_beside_an_own_pattern_makes_it_sure() -> None:
    scan = prepared(OWN).scanner.scan("project PRJ-123456", KEY)

    assert scan.findings[0].confidence is Confidence.HIGH


def test_detectors_are_switched_off_and_values_excepted() -> None:
    assert _found("a@b.example") == []
    assert _found("card 4242424242424242, 5555 5555 5555 4444") == ["credit_card"]
    assert _found("PRJ-000001 PRJ-100001") == ["project"]


def test_regions_say_which_national_numbers_are_telephones() -> None:
    assert "phone" in _found("phone 030 23125123")
    assert "phone" not in _found("phone 030 23125123", "regions: [US]")


def test_rules_labels_and_channels_are_read() -> None:
    rules = prepared(OWN)

    [rule] = rules.book.rules
    assert rule.detectors == {"codenames"}
    assert rule.outsiders is True
    assert rules.book.phrases == {"do not forward": Label.CONFIDENTIAL}
    assert rules.channels == {"teams:t/c": Label.CONFIDENTIAL}
    found = rules.scanner.scan("bluebird", KEY).findings
    assert rules.book.label(found, None) is Label.RESTRICTED
    assert Where("L", "t").classification is None


def test_another_text_has_another_hash() -> None:
    assert prepared(OWN).book.hash != prepared(DEFAULT).book.hash
    assert prepared(OWN).book.hash == prepared(OWN).book.hash


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- a", "begin with"),
        ("a: [", "no YAML"),
        ("rulez: []", "rulez"),
        ("rules: [{name: x, do: block}]", "about nothing"),
        ("rules: [{name: x, do: eat, detectors: [iban]}]", "rules.0.do"),
        ("rules: [{name: x, do: warn, detectors: [nope]}]", "no detector 'nope'"),
        ("rules: [{name: x, do: warn, detectors: ['@nope']}]", "no group"),
        ("rules: [{name: x, do: warn, label: secret}]", "rules.0.label"),
        (
            "patterns: [{name: p, pattern: '(?=a)'}]",
            "patterns.p: the pattern is refused",
        ),
        ("patterns: [{name: p, pattern: 'a*'}]", "found in everything"),
        ("patterns: [{name: p, pattern: '(a|b'}]", "refused"),
        (f"patterns: [{{name: p, pattern: '{'a' * 1001}'}}]", "patterns.0.pattern"),
        ("patterns: [{name: p, pattern: '((a{100}){100}){9}'}]", "refused"),
        ("patterns: [{name: iban, pattern: a}]", "a detector already"),
        ("patterns: [{name: 'A B', pattern: a}]", "patterns.0.name"),
        ("dictionaries: [{name: d, words: ['']}]", "dictionaries.d"),
        ("regions: [XX]", "no country"),
        ("without: [nope]", "no detector"),
        ("a: &a [1]\nb: *a", "no aliases"),
        ("version: 2", "version"),
        ("exceptions: [{detectors: [iban], pattern: '('}]", "refused"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(text: str, said: str) -> None:
    with pytest.raises(BadInput) as refused:
        prepared(text)

    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


@given(st.text(max_size=60))
def test_no_text_makes_it_stumble(text: str) -> None:
    try:
        prepared(text)
    except BadInput:
        return  # which is the only way to refuse it
