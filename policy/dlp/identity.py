"""Numbers that states give people, where their own rules say more than a library does."""

from stdnum import luhn
from stdnum.gb import nhs

from bridge.leaving.findings import Confidence
from policy.dlp.detector import Detector, Valid, compact, digits_of

# Published in advertisements and leaflets; the SSA never gave them out, or took them back.
_NEVER_SSN = frozenset({"078051120", "219099999", "123456789", "111111111"})
_NEVER_SSN |= {f"98765432{last}" for last in range(10)}
_NINE = r"\b(?:[0-9]{3}-[0-9]{2}-[0-9]{4}|[0-9]{3}\.[0-9]{2}\.[0-9]{4}|[0-9]{3} [0-9]{2} [0-9]{4}|[0-9]{9})\b"
_NINE_GATE = r"\b[0-9]{3}[-. ]?[0-9]{2}[-. ]?[0-9]{4}\b"
_ITIN_GROUPS = frozenset([*range(50, 66), *range(70, 89), 90, 91, 92, *range(94, 100)])
_BAD_NINO = frozenset({"BG", "GB", "NK", "KN", "NT", "TN", "ZZ"})


def _ssn(text: str, start: int, end: int) -> Valid | None:
    """SSA POMS RM 10201.035. Groups tell nothing since June 2011."""
    number = digits_of(text[start:end])
    area, group, serial = number[:3], number[3:5], number[5:]
    if area in {"000", "666"} or area[0] == "9" or group == "00" or serial == "0000":
        return None
    return None if number in _NEVER_SSN else Valid(number)


def _itin(text: str, start: int, end: int) -> Valid | None:
    number = digits_of(text[start:end])
    holds = number[0] == "9" and int(number[3:5]) in _ITIN_GROUPS
    return Valid(number) if holds else None


def _nhs(text: str, start: int, end: int) -> Valid | None:
    number = digits_of(text[start:end])
    return Valid(number, Confidence.LOW) if nhs.is_valid(number) else None


def _nino(text: str, start: int, end: int) -> Valid | None:
    number = compact(text[start:end])
    first, second = number[0], number[1]
    if first in "DFIQUV" or second in "DFIOQUV" or number[:2] in _BAD_NINO:
        return None
    return Valid(number)


def _npi(text: str, start: int, end: int) -> Valid | None:
    number = text[start:end]
    holds = number[0] in "12" and luhn.is_valid("80840" + number)
    return Valid(number, Confidence.LOW) if holds else None


def _mbi(text: str, start: int, end: int) -> Valid | None:
    return Valid(compact(text[start:end]))


def _dea(text: str, start: int, end: int) -> Valid | None:
    """A letter of the kind, one of the name, six digits and their sum's last."""
    code = compact(text[start:end])
    digits = [int(digit) for digit in code[2:]]
    total = sum(digits[0:6:2]) + 2 * sum(digits[1:6:2])
    return Valid(code) if total % 10 == digits[6] else None


_MBI_LETTER = "[AC-HJKMNP-RT-Y]"
_MBI_EITHER = "[AC-HJKMNP-RT-Y0-9]"
_MBI = (
    rf"\b[1-9]{_MBI_LETTER}{_MBI_EITHER}[0-9]-?{_MBI_LETTER}{_MBI_EITHER}[0-9]"
    rf"-?{_MBI_LETTER}{{2}}[0-9]{{2}}\b"
)

IDENTITY = (
    Detector(
        "us_ssn",
        "identity",
        "US social security number",
        gate=_NINE_GATE,
        pattern=_NINE,
        check=_ssn,
        words=("ssn", "social", "security", "ss#", "taxpayer"),
        near=50,
        bare_needs_words=True,
        outside="number",
    ),
    Detector(
        "us_itin",
        "tax",
        "US taxpayer identification number",
        gate=_NINE_GATE,
        pattern=_NINE,
        check=_itin,
        words=("itin", "tax", "tin"),
        near=50,
        bare_needs_words=True,
        outside="number",
    ),
    Detector(
        "uk_nino",
        "identity",
        "UK national insurance number",
        gate=r"(?i)\b[A-Z]{2} ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[A-D]\b",
        pattern=r"(?i)\b[A-Z]{2} ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[A-D]\b",
        check=_nino,
        words=("national insurance", "nino", "ni number"),
    ),
)
HEALTH = (
    Detector(
        "uk_nhs",
        "health",
        "NHS number",
        gate=r"\b[0-9]{3}[- ]?[0-9]{3}[- ]?[0-9]{4}\b",
        pattern=r"\b(?:[0-9]{3}-[0-9]{3}-[0-9]{4}|[0-9]{3} [0-9]{3} [0-9]{4}|[0-9]{10})\b",
        check=_nhs,
        words=("nhs", "patient"),
        outside="number",
    ),
    Detector(
        "us_npi",
        "health",
        "US health provider's number",
        gate=r"\b[12][0-9]{9}\b",
        pattern=r"\b[12][0-9]{9}\b",
        check=_npi,
        words=("npi", "provider"),
        outside="number",
    ),
    Detector(
        "us_mbi",
        "health",
        "Medicare beneficiary's number",
        gate=_MBI,
        pattern=_MBI,
        check=_mbi,
        words=("mbi", "medicare", "beneficiary", "patient"),
    ),
    Detector(
        "us_dea",
        "health",
        "DEA registration number",
        gate=r"\b[ABCDEFGHJKLMPRSTUX][A-Z9][0-9]{7}\b",
        pattern=r"\b[ABCDEFGHJKLMPRSTUX][A-Z9][0-9]{7}\b",
        check=_dea,
        words=("dea", "prescriber", "prescription"),
        needs_words=True,
    ),
)
