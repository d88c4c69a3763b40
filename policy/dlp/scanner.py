"""
Looks at a text with every detector, and tells places and keyed hashes, never values.

One pass of RE2 over all detectors' gates says which of them may find something at all;
in most of what people write, none. Where a number wakes many, a second pass leaves those
asleep whose words are nowhere. Everything takes time in proportion to the text.
"""

import hmac
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import re2

from bridge.leaving.findings import Confidence, Finding, Part
from policy.dlp.detector import Detector, Hit
from policy.dlp.normal import Normal, normal

MOST_TEXT = 200_000  # characters of one text that are looked at
_PIECE = 180_000
MOST_FINDINGS = 1_000  # of one detector in one text
_GATES = 64 << 20  # bytes that all gates together may take
_PURPOSE = b"atom/dlp/v1\x00"


@dataclass(frozen=True, slots=True)
class Exceptions:
    """Values that are known and meant to be there: by themselves, or by a pattern."""

    values: Mapping[str, frozenset[str]] = field(default_factory=dict)
    patterns: Mapping[str, Sequence[Any]] = field(default_factory=dict)

    def cover(self, detector: str, hit: Hit) -> bool:
        """Whether a finding is none, because somebody said so."""
        if hit.value in self.values.get(detector, ()):
            return True
        return any(p.fullmatch(hit.value) for p in self.patterns.get(detector, ()))


@dataclass(frozen=True, slots=True)
class Scan:
    """What was found, and whether the text was too long to look at all of it."""

    findings: tuple[Finding, ...] = ()
    partial: bool = False


@dataclass(frozen=True, slots=True)
class Scanner:
    """
    Finds what its detectors find. Safe to use from several threads.

    `least` is how sure each detector has to be to be listened to, medium if it is not
    named.
    """

    detectors: Mapping[str, Detector]
    exceptions: Exceptions = field(default_factory=Exceptions)
    least: Mapping[str, Confidence] = field(default_factory=dict)
    usual: Confidence = Confidence.LOW
    _gates: Any = field(init=False, repr=False, compare=False)
    _gated: tuple[Detector, ...] = field(init=False, repr=False, compare=False)
    _open: tuple[Detector, ...] = field(init=False, repr=False, compare=False)
    _words: Any = field(init=False, repr=False, compare=False)
    _worded: tuple[Detector, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        each = tuple(self.detectors.values())
        gated = tuple(detector for detector in each if detector.gate)
        gates = _search_set([detector.gate for detector in gated])
        worded = [d for d in gated if d.needs_words and d.words]
        words = _search_set([_any_of(d.words) for d in worded])
        object.__setattr__(self, "_gates", gates)
        object.__setattr__(self, "_gated", gated)
        object.__setattr__(self, "_words", words)
        object.__setattr__(self, "_worded", tuple(worded))
        open_ = tuple(detector for detector in each if not detector.gate)
        object.__setattr__(self, "_open", open_)

    def scan(self, text: str, key: bytes, part: Part = Part.TEXT) -> Scan:
        """Return what is in a text; never raises, whatever the text is."""
        partial = len(text) > MOST_TEXT
        plain = normal(_readable(text[:MOST_TEXT] if partial else text))
        findings = tuple(
            self._finding(plain, detector, hit, key, part)
            for detector, hit in self._hits(plain.text)
        )
        return Scan(findings, partial)

    def scan_all(self, text: str, key: bytes, part: Part = Part.TEXT) -> Scan:
        """
        Return what is in a text of any length, piece by piece.

        Pieces overlap, so that what stands where one ends is found in the next one.
        """
        if len(text) <= MOST_TEXT:
            return self.scan(text, key, part)
        found: dict[tuple[str, int], Finding] = {}
        for offset in range(0, len(text), _PIECE):
            for each in self.scan(
                text[offset : offset + MOST_TEXT], key, part
            ).findings:
                moved = replace(each, start=each.start + offset, end=each.end + offset)
                known = found.get((moved.detector, moved.start))
                if known is None or known.end < moved.end:
                    found[moved.detector, moved.start] = moved
        return Scan(tuple(sorted(found.values(), key=lambda each: each.start)))

    def _hits(self, text: str) -> Sequence[tuple[Detector, Hit]]:
        found: list[tuple[Detector, Hit]] = []
        for detector in self._woken(text):
            least = self.least.get(detector.name, self.usual)
            count = 0
            for hit in detector.hits(text):
                if hit.confidence < least or self.exceptions.cover(detector.name, hit):
                    continue
                found.append((detector, hit))
                count += 1
                if count >= MOST_FINDINGS:
                    break
        return _settled(found) if len(found) > 1 else found

    def _woken(self, text: str) -> Iterable[Detector]:
        if not text:
            return ()
        indices = self._gates.Match(text) if self._gated else ()
        if not indices:
            return self._open
        asleep = self._without_words(text) if len(indices) > 1 else ()
        woken = (self._gated[index] for index in sorted(indices))
        return (*(d for d in woken if d.name not in asleep), *self._open)

    def _without_words(self, text: str) -> Collection[str]:
        """Return the detectors that count for nothing without words, and have none."""
        said = self._words.Match(text) if self._worded else ()
        spoken = {*(said or ())}
        return {d.name for n, d in enumerate(self._worded) if n not in spoken}

    @staticmethod
    def _finding(
        plain: Normal, detector: Detector, hit: Hit, key: bytes, part: Part
    ) -> Finding:
        start, end = plain.span(hit.start, hit.end)
        digest = keyed_hash(key, detector.name, hit.value)
        return Finding(
            detector.name, start, end, hit.confidence, digest, part, hit.example
        )


def keyed_hash(key: bytes, detector: str, value: str) -> str:
    """Return what equal values have in common, and nobody without the key can try out."""
    text = f"{detector}\0{value}".encode("utf-8", "replace")
    return hmac.digest(key, _PURPOSE + text, "sha256")[:16].hex()


def _any_of(words: Iterable[str]) -> str:
    """Return a pattern that is in whatever any of the words is in, or a part of one."""
    return "(?i)" + "|".join(re2.escape(word.lower()) for word in words)


def _search_set(patterns: Sequence[str]) -> Any:
    """Return what says in one pass which of the patterns are in a text."""
    options = re2.Options()
    options.max_mem = _GATES
    options.log_errors = False
    made = re2.Set.SearchSet(options)
    for pattern in patterns:
        made.Add(pattern)
    if patterns:
        made.Compile()
    return made


def _readable(text: str) -> str:
    """Return a text that RE2 can read: a lone half of a surrogate pair is none."""
    if text.isascii():
        return text
    return text.encode("utf-8", "replace").decode("utf-8")


def _settled(found: list[tuple[Detector, Hit]]) -> list[tuple[Detector, Hit]]:
    """Order what was found, without guesses inside of what is sure."""
    sure = sorted(
        (hit.start, hit.end) for _, hit in found if hit.confidence is Confidence.HIGH
    )
    kept: list[tuple[Detector, Hit]] = []
    place, reach = 0, -1
    for detector, hit in sorted(found, key=lambda each: (each[1].start, each[1].end)):
        while place < len(sure) and sure[place][0] <= hit.start:
            reach = max(reach, sure[place][1])
            place += 1
        if hit.confidence is Confidence.LOW and hit.end <= reach:
            continue
        kept.append((detector, hit))
    return kept
