"""
Payment cards (ISO/IEC 7812): the issuer's range, its lengths, and Luhn's check digit.

Digits may stand in groups. A number of 19 digits may be a card with its three-digit
code behind it, so every run of whole groups is tried, the longest first.
"""

import re
from collections.abc import Iterator, Sequence

from stdnum import luhn

from bridge.leaving.findings import Confidence
from policy.dlp.detector import Detector, Hit, in_word

_RUN = re.compile(r"[0-9]+(?:[ -][0-9]+)*")
_GROUP = re.compile(r"[0-9]+")
_SHORTEST, _LONGEST = 12, 19
_TYPED_APART = 1  # a digit a group, all of them

# Brand, its ranges of leading digits, and the lengths that it issues.
_BRANDS: Sequence[tuple[str, Sequence[tuple[int, int]], frozenset[int]]] = (
    ("visa", ((4, 4),), frozenset({13, 16, 19})),
    ("mastercard", ((51, 55), (2221, 2720)), frozenset({16})),
    ("amex", ((34, 34), (37, 37)), frozenset({15})),
    (
        "discover",
        ((6011, 6011), (644, 649), (65, 65), (622126, 622925)),
        frozenset(range(16, 20)),
    ),
    ("diners", ((300, 305), (3095, 3095), (36, 36), (38, 39)), frozenset({14, 16, 19})),
    ("jcb", ((3528, 3589),), frozenset(range(16, 20))),
    ("unionpay", ((62, 62), (81, 81)), frozenset(range(16, 20))),
    ("mir", ((2200, 2204),), frozenset(range(16, 20))),
    (
        "rupay",
        ((508, 508), (60, 60), (82, 82), (353, 353), (356, 356)),
        frozenset({16}),
    ),
    ("dankort", ((5019, 5019), (4571, 4571)), frozenset({16})),
    (
        "maestro",
        (
            (5018, 5018),
            (5020, 5020),
            (5038, 5038),
            (5612, 5612),
            (5893, 5893),
            (6304, 6304),
            (6390, 6390),
            (6706, 6709),
            (6759, 6759),
            (6761, 6763),
            (6771, 6771),
            (6799, 6799),
        ),
        frozenset(range(12, 20)),
    ),
    ("uatp", ((1, 1),), frozenset({15})),
)


def brand_of(number: str) -> str:
    """Return who issues such numbers, or nothing if nobody does."""
    if number == number[0] * len(number) or not luhn.is_valid(number):
        return ""
    for brand, ranges, lengths in _BRANDS:
        if len(number) in lengths and any(
            low <= int(number[: len(str(low))]) <= high for low, high in ranges
        ):
            return brand
    return ""


def _search(text: str) -> Iterator[Hit]:
    for run in _RUN.finditer(text):
        if run.end() - run.start() >= _SHORTEST:
            yield from _cards(text, run.start(), run.end())


def _cards(text: str, start: int, end: int) -> Iterator[Hit]:
    groups = [found.span() for found in _GROUP.finditer(text, start, end)]
    place = 0
    while place < len(groups):
        taken = next(_windows(text, groups, place), None)
        if taken is None:
            place += 1
            continue
        last, number = taken
        yield Hit(groups[place][0], groups[last][1], number, Confidence.MEDIUM)
        place = last + 1


def _windows(
    text: str, groups: Sequence[tuple[int, int]], first: int
) -> Iterator[tuple[int, str]]:
    """Yield the cards that begin with a group, the longest first."""
    if _stuck_before(text, groups[first][0]):
        return
    found: list[tuple[int, str]] = []
    number = ""
    for last in range(first, len(groups)):
        number += text[slice(*groups[last])]
        if len(number) > _LONGEST:
            break
        if len(number) >= _SHORTEST and _even(text, groups[first : last + 1]):
            found.append((last, number))
    for last, number in reversed(found):
        if not _stuck_after(text, groups[last][1]) and brand_of(number):
            yield last, number


def _even(text: str, groups: Sequence[tuple[int, int]]) -> bool:
    """Whether one hand wrote these groups: one kind of separator, and no crumbs."""
    separators = {text[end] for _, end in groups[:-1]}
    if len(separators) > 1:
        return False
    sizes = {end - start for start, end in groups}
    return sizes == {_TYPED_APART} or min(sizes) > _TYPED_APART


def _stuck_before(text: str, start: int) -> bool:
    before = text[start - 1 : start]
    return bool(before) and (in_word(before) or before == ".")


def _stuck_after(text: str, end: int) -> bool:
    after = text[end : end + 1]
    if after == ".":
        return text[end + 1 : end + 2].isdigit()
    return bool(after) and in_word(after)


CARD = Detector(
    "credit_card",
    "payment",
    "payment card",
    gate="(?:[0-9][ -]?){11}[0-9]",
    search=_search,
    words=(
        "card",
        "visa",
        "mastercard",
        "amex",
        "cvv",
        "cvc",
        "exp",
        "pan",
        "cc#",
        "credit",
        "debit",
        "karte",
        "kreditkarte",
        "carte",
        "tarjeta",
        "maestro",
    ),
)
