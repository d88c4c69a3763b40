"""Accounts at banks: IBAN (ISO 13616), routing numbers, BIC, addresses of coins."""

import re
from collections.abc import Iterator

from stdnum import bic, bitcoin
from stdnum.iso7064 import mod_97_10
from stdnum.us import rtn

from bridge.leaving.findings import Confidence
from policy.dlp.detector import Detector, Hit, Valid, compact, digits_of, in_word

# SWIFT's registry: how long a country's IBAN is.
_LENGTHS = {
    country: length
    for length, countries in {
        15: "NO",
        16: "BE",
        18: "DK FI FK FO GL NL SD",
        19: "MK SI",
        20: "AT BA EE KZ LT LU MN XK",
        21: "CH HR LI LV",
        22: "BG BH CR DE GB GE IE ME RS VA",
        23: "AE GI IL IQ OM SO TL",
        24: "AD CZ ES MD PK RO SA SE SK TN VG",
        25: "LY PT ST",
        26: "IS TR",
        27: "BI DJ FR GR IT MC MR SM",
        28: "AL AZ BY CY DO GT HN HU LB NI PL SV",
        29: "BR EG PS QA UA",
        30: "JO KW MU YE",
        31: "MT SC",
        32: "LC",
        33: "RU",
    }.items()
    for country in countries.split()
}
_HEAD = re.compile(r"(?<![A-Za-z0-9_])[A-Za-z]{2}[0-9]{2}(?=[ -]?[A-Za-z0-9])")


def _ibans(text: str) -> Iterator[Hit]:
    upto = 0
    for head in _HEAD.finditer(text):
        if head.start() < upto:
            continue
        length = _LENGTHS.get(head.group()[:2].upper(), 0)
        end = _walked(text, head.start(), length)
        if not end or (text[end : end + 1] and in_word(text[end])):
            continue
        number = compact(text[head.start() : end])
        if _is_iban(number):
            upto = end
            yield Hit(head.start(), end, number, Confidence.HIGH)


def _walked(text: str, start: int, length: int) -> int:
    """Return where so many letters and digits end, single separators apart; or 0."""
    place, seen, apart = start, 0, False
    while seen < length and place < len(text):
        character = text[place]
        if character.isascii() and character.isalnum():
            seen, apart = seen + 1, False
        elif character in " -" and not apart:
            apart = True
        else:
            return 0
        place += 1
    return place if length and seen == length else 0


def _is_iban(number: str) -> bool:
    if not 2 <= int(number[2:4]) <= 98:  # noqa: PLR2004 - what ISO 7064 can give
        return False
    return bool(mod_97_10.is_valid(number[4:] + number[:4]))


def _routing(text: str, start: int, end: int) -> Valid | None:
    number = digits_of(text[start:end])
    first = int(number[:2])
    known = first <= 12 or 21 <= first <= 32 or 61 <= first <= 72 or first == 80  # noqa: PLR2004 - the Federal Reserve's districts
    return Valid(number) if known and rtn.is_valid(number) else None


def _bic(text: str, start: int, end: int) -> Valid | None:
    code = text[start:end]
    return Valid(code) if bic.is_valid(code) else None


def _coins(text: str, start: int, end: int) -> Valid | None:
    address = text[start:end]
    return Valid(address, Confidence.HIGH) if bitcoin.is_valid(address) else None


IBAN = Detector(
    "iban",
    "payment",
    "IBAN",
    gate=r"\b[A-Za-z]{2}[0-9]{2}[ -]?[A-Za-z0-9]",
    search=_ibans,
    words=("iban", "account", "sort code", "bic", "swift", "konto", "compte"),
)
ROUTING = Detector(
    "us_aba_routing",
    "payment",
    "US bank routing number",
    gate=r"\b[0-9]{4}-?[0-9]{4}-?[0-9]\b",
    pattern=r"\b(?:[0-9]{9}|[0-9]{4}-[0-9]{4}-[0-9])\b",
    check=_routing,
    words=("routing", "aba", "wire"),
    needs_words=True,
    outside="number",
)
BIC = Detector(
    "bic",
    "payment",
    "BIC",
    gate=r"\b[A-Z]{6}[A-Z0-9]{2}",
    pattern=r"\b[A-Z]{6}[A-Z0-9]{2}(?:[A-Z0-9]{3})?\b",
    check=_bic,
    words=("bic", "swift"),
    needs_words=True,
)
COINS = Detector(
    "bitcoin_address",
    "payment",
    "Bitcoin address",
    gate=r"\b(?:bc1|[13])[a-zA-Z0-9]{24}",
    pattern=r"\b(?:bc1[a-z0-9]{23,87}|[13][a-km-zA-HJ-NP-Z1-9]{25,34})\b",
    check=_coins,
)
BANKING = (IBAN, ROUTING, BIC, COINS)
