"""Known answers: everything valid is found, and nothing that is not."""

import json
from pathlib import Path
from typing import Any

import pytest

from bridge.leaving.findings import Confidence, Finding
from policy.dlp.catalogue import detectors
from policy.dlp.scanner import Scanner

_KEY = b"k" * 32
_VECTORS: dict[str, Any] = json.loads(
    Path("tests/fixtures/dlp_vectors.json").read_text(encoding="utf-8")
)
# Their own rules say that without a word beside them they are nothing.
_NEED_WORDS = {"us_aba_routing", "aws_secret_access_key"}
SCANNER = Scanner(detectors())


def _value(vector: dict[str, Any]) -> str:
    return vector["v"] if "v" in vector else "".join(vector["parts"])


def _cases(kind: str) -> list[Any]:
    return [
        pytest.param(name, _value(each), id=f"{name}-{number}")
        for name, told in _VECTORS["detectors"].items()
        for number, each in enumerate(told[kind])
    ]


def _found(name: str, text: str) -> list[Finding]:
    return [f for f in SCANNER.scan(text, _KEY).findings if f.detector == name]


def _beside(name: str) -> str:
    words = _VECTORS["detectors"][name]["context_words"]
    return words[0] if words else "here is"


@pytest.mark.parametrize(("name", "value"), _cases("valid"))
def test_what_is_valid_is_found_where_it_stands(name: str, value: str) -> None:
    before = f"{_beside(name)}: "

    [finding] = _found(name, f"{before}{value} thanks")

    assert (finding.start, finding.end) == (len(before), len(before + value.rstrip()))


@pytest.mark.parametrize(("name", "value"), _cases("valid"))
def test_what_is_valid_is_found_alone(name: str, value: str) -> None:
    bare = name in _NEED_WORDS or value == "078051123"

    assert len(_found(name, value)) == (0 if bare else 1)


@pytest.mark.parametrize(("name", "value"), _cases("invalid"))
def test_what_is_not_valid_is_not_found(name: str, value: str) -> None:
    assert _found(name, value) == []
    assert _found(name, f"{_beside(name)} {value} {_beside(name)}") == []


@pytest.mark.parametrize(
    "case", _VECTORS["text_cases_credit_card"], ids=lambda case: case["desc"]
)
def test_cards_in_texts(case: dict[str, Any]) -> None:
    found = _found("credit_card", case["text"])

    assert len(found) == case["expect_cards"]
    told = [case["text"][f.start : f.end].replace("\u200b", "") for f in found]
    assert [t.replace("\u00a0", " ") for t in told] == case["ref_found"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        case
        for case in _cases("valid")
        if _VECTORS["detectors"][str(case.values[0])]["context_words"]
    ],
)
def test_a_word_beside_it_makes_it_sure(name: str, value: str) -> None:
    words = _VECTORS["detectors"][name]["context_words"]

    [finding] = _found(name, f"{words[0]} {value}")

    assert finding.confidence is Confidence.HIGH


@pytest.mark.parametrize(
    "text",
    [
        "see p1355517523000005 in the thread 1355517523.000005",
        "version 4.111.1111.11111111 of 2024-01-15T10:00:00.4242424242424242Z",
        "10.4242424242424242 and 0.4111111111111111",
        "commit da39a3ee5e6b4b0d3255bfef95601890afd80709",
        "550e8400-e29b-41d4-a716-446655440000",
        "https://example.com/archives/C123/p1700000000123456",
        "it costs 1,299.00 for 3 people, see page 12345",
    ],
)
def test_times_versions_and_ids_are_no_cards_and_no_telephones(text: str) -> None:
    found = SCANNER.scan(text, _KEY).findings

    assert [f.detector for f in found if f.confidence >= Confidence.MEDIUM] == []


def test_values_of_the_documentation_are_known_as_examples() -> None:
    real, example = "AKIA" + "Q3EGRTLDA7LC4PN2", "AKIAIOSFODNN7EXAMPLE"

    found = _found("aws_access_key_id", f"{real} {example}")

    assert [f.example for f in found] == [False, True]


def test_an_address_that_slack_wrote_twice_counts_once() -> None:
    found = _found("email", "<mailto:user@example.com|user@example.com>")

    assert len({f.digest for f in found}) == 1


def test_all_of_a_private_key_is_found() -> None:
    key = _value(_VECTORS["detectors"]["private_key"]["valid"][0])

    [finding] = _found("private_key", f"use this:\n{key}and then restart")

    assert finding.end == len(f"use this:\n{key}".rstrip())
