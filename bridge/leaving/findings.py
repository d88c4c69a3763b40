"""What detectors found: where, how sure, and never what."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Any

from bridge.access import Label
from bridge.errors import BadInput


class Confidence(IntEnum):
    """How sure a detector is."""

    LOW = 1  # the form alone
    MEDIUM = 2  # the form and its arithmetic, or a form that nothing else has
    HIGH = 3  # a word beside it says so, too


class Part(StrEnum):
    """In which part of what leaves something was found."""

    TEXT = "text"
    NAME = "name"  # the author's display name
    FILE_NAME = "file_name"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class Finding:
    """
    One thing that a detector found, at `start` up to and without `end`.

    These count characters of the original: of a message as `bridge.leaving.flat` lays
    it out, of a name, or of a file's text. `digest` is a keyed hash (HMAC-SHA256, half
    of it, hexadecimal) of the detector and the value in its canonical form: equal for
    equal values of one company, and of no use without its key. `example` says that it
    is known from documentation, and no real one. `about` is the key of the file that it
    is in, or the other messages that it was put together from.
    """

    detector: str
    start: int
    end: int
    confidence: Confidence
    digest: str
    part: Part = Part.TEXT
    example: bool = False
    about: str = ""

    @property
    def told(self) -> dict[str, Any]:
        """Return it as the log and `atom dlp scan` state it."""
        told: dict[str, Any] = {
            "detector": self.detector,
            "start": self.start,
            "end": self.end,
            "confidence": self.confidence.name.lower(),
            "hash": self.digest,
        }
        if self.part is not Part.TEXT:
            told["part"] = self.part.value
        if self.example:
            told["example"] = True
        if self.about:
            told["about"] = self.about
        return told

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> "Finding":
        """Read what `told` returned. Raises `BadInput` for anything else."""
        try:
            return cls(
                str(told["detector"]),
                int(told["start"]),
                int(told["end"]),
                Confidence[str(told["confidence"]).upper()],
                str(told["hash"]),
                Part(told.get("part", Part.TEXT)),
                bool(told.get("example", False)),
                str(told.get("about", "")),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise BadInput("this is no finding as ATOM writes it") from error


@dataclass(frozen=True, slots=True)
class Inspection:
    """
    What was found in one message or file, and what it is classified as.

    `rules` names the rules and the detectors it was looked at with. `label` is the highest that
    content and author gave it, and `chosen` says whether the author gave one at all.
    `partial` says that it was too much to look at all of it, or could not be read.
    """

    rules: str = ""
    findings: tuple[Finding, ...] = ()
    label: Label = Label.PUBLIC
    chosen: bool = False
    partial: bool = False

    @property
    def empty(self) -> bool:
        """Whether there is nothing to tell of it."""
        return not (self.findings or self.label or self.chosen or self.partial)

    @property
    def detectors(self) -> tuple[str, ...]:
        """Return which detectors found something, each once, in order."""
        return tuple(sorted({finding.detector for finding in self.findings}))

    @property
    def told(self) -> dict[str, Any]:
        """Return it as a message's log entry keeps it."""
        return {
            "rules": self.rules,
            "label": self.label.name.lower(),
            "findings": [finding.told for finding in self.findings],
            **({"chosen": True} if self.chosen else {}),
            **({"partial": True} if self.partial else {}),
        }

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> "Inspection":
        """Read what `told` returned. Raises `BadInput` for anything else."""
        try:
            return cls(
                str(told["rules"]),
                tuple(Finding.read(each) for each in told["findings"]),
                label_named(str(told["label"])),
                bool(told.get("chosen", False)),
                bool(told.get("partial", False)),
            )
        except (KeyError, TypeError) as error:
            raise BadInput("this is no inspection as ATOM writes it") from error


NOTHING = Inspection()


def taken_by(rules: str, detectors: str) -> str:
    """Return what names rules together with the detectors that looked for them."""
    return f"{rules}.{detectors}"


def taken_apart(name: str) -> tuple[str, str]:
    """
    Return the rules and the detectors that a name is of.

    What older ATOMs wrote down names rules alone: the detectors are empty then.
    """
    rules, _, detectors = name.partition(".")
    return rules, detectors


@dataclass(frozen=True, slots=True)
class Counts:
    """How many different values each detector found, at each confidence or above."""

    values: Mapping[str, Mapping[Confidence, int]] = field(default_factory=dict)

    @classmethod
    def of(cls, findings: Iterable[Finding]) -> "Counts":
        """Count values and not places: the same card twice is one card."""
        best: dict[tuple[str, str], Confidence] = {}
        for finding in findings:
            key = (finding.detector, finding.digest)
            best[key] = max(best.get(key, Confidence.LOW), finding.confidence)
        values: dict[str, dict[Confidence, int]] = {}
        for (detector, _), sure in best.items():
            levels = values.setdefault(detector, dict.fromkeys(Confidence, 0))
            for level in Confidence:
                levels[level] += level <= sure
        return cls(values)

    def among(self, detectors: Iterable[str], least: Confidence) -> int:
        """Return how many values these detectors found, with so much confidence."""
        return sum(
            self.values[name][least] for name in set(detectors) if name in self.values
        )


def label_named(word: str) -> Label:
    """Read a label's name. Raises `BadInput` with those that there are."""
    try:
        return Label[word.strip().upper()]
    except KeyError as error:
        names = ", ".join(label.name.lower() for label in Label)
        raise BadInput(f"'{word[:40]}' is no label: one of {names}") from error


def covered(spans: Iterable[tuple[int, int]]) -> Sequence[tuple[int, int]]:
    """Return spans in order, and those that touch as one."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged
