"""A scan never raises, never shows a value, and takes time as the text is long."""

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bridge.errors import BadInput
from bridge.leaving.findings import Confidence, Counts, Finding
from policy.dlp.catalogue import detectors, expanded
from policy.dlp.detector import compiled_pattern
from policy.dlp.scanner import MOST_TEXT, Exceptions, Scanner

KEY = b"k" * 32
SCANNER = Scanner(detectors(("US", "DE")))
CARD = "4242 4242 4242 4242"
_HOSTILE = st.text(
    st.one_of(
        st.sampled_from("0123456789 -.@:/=_eyJAKIAghp+()\u200b４Аа"),
        st.characters(categories=("L", "N", "P", "S", "Z", "C")),
    ),
    max_size=200,
)


@given(_HOSTILE)
@settings(max_examples=300)
def test_no_text_makes_it_stumble(text: str) -> None:
    found = SCANNER.scan(text, KEY).findings

    assert all(0 <= f.start < f.end <= len(text) for f in found)
    assert [Finding.read(f.told) for f in found] == list(found)


class Attentive(Scanner):
    """Lets no detector sleep for want of words."""

    def _without_words(self, text: str) -> tuple[str, ...]:
        return ()


ATTENTIVE = Attentive(SCANNER.detectors)
_NUMBERS = ("536-90-4399", "021000021", "86095742719", "0123 456789", "2125550100")
_WORDS = sorted({word for each in SCANNER.detectors.values() for word in each.words})


@example(parts=["Ihre Steuer-ID", " ", "86095742719"])
@example(parts=["xssn", "536-90-4399"])
@given(
    st.lists(
        st.one_of(
            st.sampled_from((*_NUMBERS, CARD)),
            st.sampled_from(_WORDS),
            st.sampled_from(_WORDS).map(str.upper),
            st.sampled_from(" .,:;-_\n#"),
            st.text(max_size=90),
        ),
        max_size=12,
    )
)
@settings(max_examples=500)
def test_what_sleeps_for_want_of_words_would_have_found_nothing(
    parts: list[str],
) -> None:
    text = "".join(parts)

    assert SCANNER.scan(text, KEY) == ATTENTIVE.scan(text, KEY)


def test_a_number_wakes_nobody_who_needs_words() -> None:
    text = "the order is 86095742719 and 021000021"

    awake = {each.name for each in SCANNER._woken(text)}
    said = {each.name for each in SCANNER._woken(f"{text}, routing number")}

    assert "us_aba_routing" not in awake
    assert "us_aba_routing" in said


@example(before="", after="\ud800")
@given(_HOSTILE, _HOSTILE)
@settings(max_examples=100)
def test_a_card_among_other_words_is_found(before: str, after: str) -> None:
    text = f"{before} ; {CARD} ; {after}"

    places = {
        (f.start, f.end)
        for f in SCANNER.scan(text, KEY).findings
        if f.detector == "credit_card"
    }

    start = len(before) + 3
    assert (start, start + len(CARD)) in places


@pytest.mark.parametrize(
    "unit",
    [
        "4242 4242 4242 4242 ",
        "1 2 3 4 5 6 7 8 9 0 ",
        "4" * 19 + " ",
        "1-2 ",
        "a@a.a@",
        "user@example.com ",
        "eyJa.eyJa.",
        "-----BEGIN PRIVATE KEY-----\n",
        "DE89 3704 0044 0532 0130 0",
        "secret=",
        "+1 415 555 0132 ",
        "(415) 555-",
        "http://a:b",
        "A" * 40 + " ",
        "ghp_",
        "Аа а ",
        "é\u0301\u0301 ",
        "12 Main Main ",
    ],
)
def test_twice_the_text_takes_twice_the_steps(unit: str) -> None:
    def steps(size: int) -> int:
        text = (unit * (size // len(unit) + 1))[:size]
        return _steps(lambda: SCANNER.scan(text, KEY))

    small, large = steps(8_000), steps(32_000)

    # Whatever is done once counts with the small one.
    assert large <= 4.5 * small + 2_000


def _steps(work: Callable[[], object]) -> int:
    """Count calls of Python's and of C's functions, and lines of ours."""
    count = 0

    def traced(frame: FrameType, _event: str, _arg: Any) -> Any:
        nonlocal count
        count += 1
        return traced if "policy" in frame.f_code.co_filename else None

    before = sys.gettrace()
    sys.settrace(traced)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


def test_findings_of_equal_values_have_equal_hashes_under_one_key_only() -> None:
    text = f"{CARD}, once more {CARD.replace(' ', '-')}"

    here = SCANNER.scan(text, KEY).findings
    there = SCANNER.scan(text, b"another").findings

    assert len({f.digest for f in here}) == 1
    assert not {f.digest for f in here} & {f.digest for f in there}
    assert Counts.of(here).among(["credit_card"], Confidence.LOW) == 1


def test_nothing_of_a_value_is_told() -> None:
    told = str([f.told for f in SCANNER.scan(f"card {CARD}", KEY).findings])

    assert "4242" not in told


def test_a_text_that_is_too_long_is_said_to_be() -> None:
    scan = SCANNER.scan(f"{CARD} " + "word " * MOST_TEXT, KEY)

    assert scan.partial
    assert [f.detector for f in scan.findings] == ["credit_card"]


def test_all_of_a_long_text_is_looked_at_piece_by_piece() -> None:
    places = [0, 179_990, 199_990, 400_000]
    text = list(" " * 450_000)
    for place in places:
        text[place : place + len(CARD)] = CARD

    found = SCANNER.scan_all("".join(text), KEY).findings

    assert [f.start for f in found if f.detector == "credit_card"] == places


def test_exceptions_are_no_findings() -> None:
    known = {"email": detectors()["email"]}
    spared = Exceptions(
        {"email": frozenset({"info@acme.example"})},
        {"email": [compiled_pattern(r".*@acme\.test")]},
    )

    found = Scanner(known, spared).scan(
        "info@acme.example a@acme.test b@x.example", KEY
    )

    assert [(f.start, f.end) for f in found.findings] == [(30, 41)]


def test_a_guess_inside_of_what_is_sure_is_dropped() -> None:
    found = SCANNER.scan(
        "IBAN DE89 3704 0044 0532 0130 00 of the account", KEY
    ).findings

    assert [f.detector for f in found] == ["iban"]


@pytest.mark.parametrize("pattern", ["(a", r"(?=a)", r"(a)\1", "(?:a{1000}){1000}"])
def test_patterns_that_could_run_long_are_refused(pattern: str) -> None:
    with pytest.raises(BadInput, match="refused"):
        compiled_pattern(pattern)


def test_groups_stand_for_their_detectors() -> None:
    groups = {"a": "x", "b": "x", "c": "y"}

    assert expanded(["@x"], groups) == {"a", "b"}
    assert expanded(["*"], groups) == {"a", "b", "c"}
    with pytest.raises(BadInput):
        expanded(["d"], groups)
    with pytest.raises(BadInput):
        expanded(["@z"], groups)
