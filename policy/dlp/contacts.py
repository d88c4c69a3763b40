"""How people are reached: addresses of mail, telephones, streets."""

from collections.abc import Callable, Iterator
from itertools import chain

import phonenumbers
import re2

from bridge.leaving.findings import Confidence
from policy.dlp.detector import (
    Detector,
    Hit,
    Valid,
    beside,
    compiled_pattern,
    digits_of,
    in_word,
)

_LOCAL = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
# RFC 5321 knows more of them; in chat they are markup or the end of something else.
_LOCAL |= set("!#$%&'*+?^_{}~.-")
_LABEL = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.")
_MOST_LOCAL, _MOST_LABEL, _MOST = 64, 63, 254


def _emails(text: str) -> Iterator[Hit]:
    """Look left and right of each @ (RFC 5321's limits, RFC 1035's labels)."""
    place = text.find("@")
    while place >= 0:
        start, end = _local_start(text, place), _domain_end(text, place)
        if _is_address(text[start:place], text[place + 1 : end]):
            yield Hit(start, end, text[start:end].lower(), Confidence.MEDIUM)
        place = text.find("@", place + 1)


def _local_start(text: str, at: int) -> int:
    """Go left as long as it may be the local part, and one further than allowed."""
    start, least = at, max(0, at - _MOST_LOCAL - 1)
    while start > least and text[start - 1] in _LOCAL:
        start -= 1
    # Markup and quotes around an address are no part of it.
    while start < at and text[start] in "'*_~{":
        start += 1
    return start


def _domain_end(text: str, at: int) -> int:
    end, most = at + 1, min(len(text), at + 2 + _MOST)
    while end < most and text[end] in _LABEL:
        end += 1
    if end < len(text) and in_word(text[end]):
        return at + 1  # a letter that no label has: another name than it looks
    # A full stop ends the sentence.
    while end > at + 1 and text[end - 1] in ".-" and "." in text[at + 1 : end - 1]:
        end -= 1
    return end


def _is_address(local: str, domain: str) -> bool:
    if not local or len(local) > _MOST_LOCAL or len(local) + len(domain) >= _MOST:
        return False
    if local[0] == "." or local[-1] == "." or ".." in local:
        return False
    labels = domain.split(".")
    if len(labels) < 2:  # noqa: PLR2004 - a name and what it is under
        return False
    if any(not _is_label(label) for label in labels):
        return False
    top = labels[-1]
    return top.isalpha() and len(top) > 1 if "-" not in top else top[:4] == "xn--"


def _is_label(label: str) -> bool:
    inside = 0 < len(label) <= _MOST_LABEL
    return inside and label[0] != "-" and label[-1] != "-"


_INTERNATIONAL = compiled_pattern(r"\+ ?[1-9][0-9() .\-/]{5,24}[0-9]")
_NANP = compiled_pattern(
    r"(?:\b1[-. ])?(?:\([2-9][0-9]{2}\) ?|\b[2-9][0-9]{2}[-. ])[2-9][0-9]{2}[-. ][0-9]{4}\b"
)
_NATIONAL = compiled_pattern(r"\(?0[0-9][0-9() .\-/]{4,18}[0-9]\b|\b[2-9][0-9]{9}\b")
_WORDS = ("phone", "tel", "mobile", "call", "cell", "fax", "telefon", "handy", "ring")
_BESIDE = beside(_WORDS)
_SHORTEST, _LONGEST = 8, 15  # digits with the country's (E.164)
_NEAR = 80


def phones(regions: tuple[str, ...] = ("US",)) -> Detector:
    """
    Make the detector of telephone numbers; `regions` are where people call from.

    A number without its country's code counts where it is written as in North America,
    or valid in one of the regions with a word beside it.
    """

    def search(text: str) -> Iterator[Hit]:
        upto = -1
        found = chain(
            _each(text, _INTERNATIONAL, _abroad),
            _each(text, _NANP, _north_american),
            # Most are no telephone's, and knowing that of each plan takes long.
            _each(text, _NATIONAL, lambda n: _at_home(n, regions), _said),
        )
        for hit in sorted(found):
            if hit.start < upto or _touches(text, hit.start, hit.end):
                continue
            upto = hit.end
            yield hit

    return Detector(
        "phone",
        "contact",
        "telephone number",
        gate=r"\+ ?[1-9][0-9() .\-/]{5}|[2-9][0-9]{2}\)? ?[-. ]?[2-9][0-9]{2}[-. ]?[0-9]{4}\b|\b\(?0[0-9][0-9() .\-/]{4}",
        search=search,
        words=_WORDS,
    )


def _each(
    text: str,
    pattern: "re2._Regexp",
    check: Callable[[str], Valid | None],
    worth: Callable[[str, int, int], bool] = lambda _text, _start, _end: True,
) -> Iterator[Hit]:
    for match in pattern.finditer(text):
        if not worth(text, match.start(), match.end()):
            continue
        if valid := check(match.group()):
            yield Hit(match.start(), match.end(), valid.value, valid.confidence)


def _abroad(number: str) -> Valid | None:
    digits = digits_of(number)
    if not _SHORTEST <= len(digits) <= _LONGEST:
        return None
    return _parsed("+" + digits, None, Confidence.MEDIUM)


def _north_american(number: str) -> Valid | None:
    digits = digits_of(number)[-10:]
    return Valid("+1" + digits, Confidence.MEDIUM)


def _at_home(number: str, regions: tuple[str, ...]) -> Valid | None:
    for region in regions:
        if valid := _parsed(number, region, Confidence.LOW):
            return valid
    return None


def _parsed(number: str, region: str | None, sure: Confidence) -> Valid | None:
    try:
        parsed = phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        return None
    holds = phonenumbers.is_possible_number(parsed)
    if region or parsed.country_code == 1:
        holds = holds and (
            phonenumbers.is_valid_number(parsed) or _is_fictional(parsed)
        )
    if not holds:
        return None
    form = phonenumbers.PhoneNumberFormat.E164
    return Valid(phonenumbers.format_number(parsed, form), sure)


def _is_fictional(parsed: phonenumbers.PhoneNumber) -> bool:
    """North America's 555-01xx: people use them as if they were real."""
    return parsed.country_code == 1 and str(parsed.national_number)[3:8] == "55501"


def _touches(text: str, start: int, end: int) -> bool:
    before, after = text[start - 1 : start], text[end : end + 1]
    if before and (in_word(before) or before in ".-/:+"):
        return True
    if after and (in_word(after) or after == "-"):
        return True
    return after == "." and text[end + 1 : end + 2].isdigit()


def _said(text: str, start: int, end: int) -> bool:
    """Whether a word beside it says that it is a telephone's."""
    before = text[max(0, start - _NEAR) : start]
    return bool(_BESIDE.search(before) or _BESIDE.search(text[end : end + _NEAR]))


_STREETS = (
    "Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Ct|Square|Sq"
    "|Terrace|Place|Pl|Parkway|Pkwy|Highway|Hwy|Way|Close|Crescent|Gardens"
)
# Words may be of any length: RE2 unrolls each bound, and all of Unicode's letters thirty
# times over take a tenth of a second to compile.
_ADDRESS = (
    rf"\b[0-9]{{1,5}}[A-Za-z]? (?:[A-Z][\p{{L}}'.-]+ ){{1,4}}(?:{_STREETS})\b"
    r"|\b[A-ZÄÖÜ][\p{L}-]+(?:straße|strasse|str\.|gasse|allee|platz|weg) [0-9]{1,4}[a-z]?\b"
    r"|\b[0-9]{1,4}(?: bis| ter)?,? (?:rue|avenue|boulevard|place|chemin|impasse|quai) (?:d[eu]s? (?:la |l')?)?[\p{L}'-]{2,}"
)


def _address(text: str, start: int, end: int) -> Valid | None:
    return Valid(" ".join(text[start:end].lower().split()), Confidence.LOW)


EMAIL = Detector(
    "email", "contact", "e-mail address", gate="@[A-Za-z0-9]", search=_emails
)
STREET = Detector(
    "street_address",
    "contact",
    "postal address",
    gate=_ADDRESS,
    pattern=_ADDRESS,
    check=_address,
    words=(
        "address",
        "ship to",
        "lives",
        "home",
        "deliver",
        "adresse",
        "wohnt",
        "postcode",
        "zip",
    ),
)
