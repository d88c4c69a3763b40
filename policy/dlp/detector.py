"""What a detector is, and how it is asked."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import re2

from bridge.errors import BadInput
from bridge.leaving.findings import Confidence

NEAR = 80  # characters before and after in which a word says what a number is

_MEMORY = 8 << 20  # bytes that a compiled pattern may take


class Hit(NamedTuple):
    """One place in the plain text: the value in its canonical form, and how sure."""

    start: int
    end: int
    value: str
    confidence: Confidence
    example: bool = False


class Valid(NamedTuple):
    """
    What a check says of a candidate that holds.

    `start` and `end` are given where it is less, or more, than the candidate.
    """

    value: str
    confidence: Confidence = Confidence.MEDIUM
    example: bool = False
    start: int = -1
    end: int = -1


Check = Callable[[str, int, int], Valid | None]
"""Judge the candidate at text[start:end]; None if it is none."""

Search = Callable[[str], Iterable[Hit]]


@dataclass(frozen=True, slots=True)
class Detector:
    """
    Finds one kind of thing.

    `pattern` (RE2) gives candidates and `check` judges them; a `search` of its own takes
    their place where a pattern cannot say it. `gate` is a cheaper pattern, without which
    nothing can be found. `words` near a finding raise its confidence to high; with
    `needs_words` it is none without them, and with `bare_needs_words` only if it is
    written without any separator. No candidate may touch any of `outside` characters.
    """

    name: str
    group: str
    title: str
    gate: str
    pattern: str = ""
    check: Check | None = None
    search: Search | None = None
    words: tuple[str, ...] = ()
    near: int = NEAR
    needs_words: bool = False
    bare_needs_words: bool = False
    outside: str = "word"
    _compiled: Any = field(init=False, repr=False, compare=False)
    _beside: Any = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        compiled = compiled_pattern(self.pattern) if self.pattern else None
        object.__setattr__(self, "_compiled", compiled)
        object.__setattr__(self, "_beside", beside(self.words))

    def hits(self, text: str) -> Iterator[Hit]:
        """Yield what is found in a plain text, from left to right."""
        for hit in self.search(text) if self.search else self._candidates(text):
            if (sure := self._sure(text, hit)) is not None:
                yield hit._replace(confidence=sure)

    def _candidates(self, text: str) -> Iterator[Hit]:
        place, touches = 0, TOUCHES[self.outside]
        for found in self._compiled.finditer(text):
            start, end = found.span()
            if start < place or touches(text, start, end):
                continue
            valid = (
                self.check(text, start, end) if self.check else Valid(text[start:end])
            )
            if valid is None:
                continue
            start = start if valid.start < 0 else valid.start
            end = end if valid.end < 0 else valid.end
            place = end
            yield Hit(start, end, valid.value, valid.confidence, valid.example)

    def _sure(self, text: str, hit: Hit) -> Confidence | None:
        """Return how sure it is with what stands beside it; None if it is nothing."""
        if self._beside is None:
            return hit.confidence
        before = text[max(0, hit.start - self.near) : hit.start]
        after = text[hit.end : hit.end + self.near]
        if self._beside.search(before) or self._beside.search(after):
            return Confidence.HIGH
        bare = self.bare_needs_words and text[hit.start : hit.end].isalnum()
        return None if self.needs_words or bare else hit.confidence


def compiled_pattern(pattern: str, *, ignoring_case: bool = False) -> Any:
    """
    Compile a pattern that takes linear time whatever it is asked about.

    Raises `BadInput` with RE2's reason for a pattern that it refuses.
    """
    options = re2.Options()
    options.max_mem = _MEMORY
    options.log_errors = False
    options.case_sensitive = not ignoring_case
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0] if error.args else "it cannot be compiled"
        told = (
            reason.decode("utf-8", "replace") if isinstance(reason, bytes) else reason
        )
        raise BadInput(f"the pattern is refused: {told}") from error


def beside(words: Iterable[str]) -> Any:
    """Return a pattern for any of the words as whole words; None if there are none."""
    parts = []
    for word in words:
        before = r"\b" if word[:1].isalnum() else ""
        after = r"\b" if word[-1:].isalnum() else ""
        parts.append(f"{before}{re2.escape(word.lower())}{after}")
    if not parts:
        return None
    return compiled_pattern("|".join(parts), ignoring_case=True)


def in_word(character: str) -> bool:
    return character.isalnum() or character == "_"


def _touches_word(text: str, start: int, end: int) -> bool:
    before, after = text[start - 1 : start], text[end : end + 1]
    return bool((before and in_word(before)) or (after and in_word(after)))


def _touches_number(text: str, start: int, end: int) -> bool:
    """Whether it is part of a word or of a longer number: a time, a version, 1.5."""
    if _touches_word(text, start, end):
        return True
    if text[start - 1 : start] == ".":
        return True
    return text[end : end + 1] in {".", ","} and text[end + 1 : end + 2].isdigit()


def _touches_base64(text: str, start: int, end: int) -> bool:
    before, after = text[start - 1 : start], text[end : end + 1]
    return bool(
        (before and (in_word(before) or before in "+/"))
        or (after and (in_word(after) or after in "+/="))
    )


def _never(_text: str, _start: int, _end: int) -> bool:
    return False


TOUCHES: dict[str, Callable[[str, int, int], bool]] = {
    "word": _touches_word,
    "number": _touches_number,
    "base64": _touches_base64,
    "none": _never,
}


def digits_of(text: str) -> str:
    """Return the digits alone."""
    return "".join(filter(str.isdigit, text))


def compact(text: str) -> str:
    """Return letters and digits alone, in upper case."""
    return "".join(filter(str.isalnum, text)).upper()
