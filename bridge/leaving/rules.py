"""What is done about findings and labels, by where something goes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from bridge.access import Label
from bridge.leaving.findings import Confidence, Counts, Finding, Inspection, Part
from bridge.messages import Channel

HELD = "held for review"  # how the reasons of what waits for a word begin


class Deed(StrEnum):
    """What is done, from nothing to the most."""

    ALLOW = "allow"
    WARN = "warn"  # it crosses, and its author is told
    REDACT = "redact"  # it crosses without what was found
    QUARANTINE = "quarantine"  # it waits for somebody's word
    BLOCK = "block"

    @property
    def weight(self) -> int:
        """How much it is: the most counts."""
        return list(Deed).index(self)


@dataclass(frozen=True, slots=True)
class Where:
    """
    Where something goes. `classification` is the target's, None if nobody gave it one.
    """

    link: str
    target: str
    outsiders: bool = False
    classification: Label | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """
    One rule: what is done if everything it names is so.

    `detectors` found at least so many different values with so much confidence; without
    detectors, only the rest counts. `label` is how high the label has to be at least,
    `links` and `targets` where it goes, `outsiders` whether others read there, `below`
    that the target is classified below the label that something has. `partial` is met by
    what could not be looked at. Examples of documentation count only with `examples`.
    """

    name: str
    deed: Deed
    detectors: frozenset[str] = frozenset()
    at_least: int = 1
    confidence: Confidence = Confidence.MEDIUM
    label: Label | None = None
    links: frozenset[str] = frozenset()
    targets: frozenset[str] = frozenset()
    outsiders: bool | None = None
    below: bool = False
    partial: bool = False
    examples: bool = False
    says: str = ""

    def meets(self, inspection: Inspection, where: Where) -> bool:
        """Whether everything that the rule names is so."""
        if self.links and where.link not in self.links:
            return False
        if self.targets and where.target not in self.targets:
            return False
        if self.outsiders is not None and self.outsiders is not where.outsiders:
            return False
        if self.partial and not inspection.partial:
            return False
        if self.label is not None and inspection.label < self.label:
            return False
        classification = where.classification or Label.PUBLIC
        if self.below and classification >= inspection.label:
            return False
        return not self.detectors or self._found(inspection) >= self.at_least

    def _found(self, inspection: Inspection) -> int:
        counts = Counts.of(f for f in inspection.findings if self.counts(f))
        return counts.among(self.detectors, self.confidence)

    def counts(self, finding: Finding) -> bool:
        """Whether a finding is one of those that the rule is about."""
        if finding.example and not self.examples:
            return False
        sure = finding.confidence >= self.confidence
        return sure and finding.detector in self.detectors


@dataclass(frozen=True, slots=True)
class Labelling:
    """What content alone is classified as."""

    detectors: frozenset[str]
    label: Label
    at_least: int = 1
    confidence: Confidence = Confidence.MEDIUM

    def holds(self, findings: Iterable[Finding]) -> bool:
        """Whether so much was found."""
        real = Counts.of(finding for finding in findings if not finding.example)
        return real.among(self.detectors, self.confidence) >= self.at_least


@dataclass(frozen=True, slots=True)
class Verdict:
    """
    What is done with one message or file at one place, and by which rules.

    `hide` are the findings that a copy goes without. `says` is the rules' own sentence.
    """

    deed: Deed = Deed.ALLOW
    rules: tuple[str, ...] = ()
    hide: tuple[Finding, ...] = ()
    says: str = ""

    @property
    def withholds(self) -> bool:
        """Whether nothing of it may be shown, for good or for now."""
        return self.deed in {Deed.BLOCK, Deed.QUARANTINE}

    @property
    def named(self) -> str:
        """Return what decided, as reasons and logs name it."""
        return f"dlp {', '.join(self.rules)}" if self.rules else "dlp"

    @property
    def held(self) -> str:
        """Return the reason with which it waits for somebody's word, if it does."""
        return f"{HELD}: {self.named}" if self.deed is Deed.QUARANTINE else ""

    def spans(self, part: Part) -> Sequence[tuple[int, int]]:
        """Return what to hide in one part of it."""
        return [(f.start, f.end) for f in self.hide if f.part is part]

    def names_of_files(self, key: str) -> Sequence[tuple[int, int]]:
        """Return what to hide in the name of a file."""
        found = (f for f in self.hide if f.part is Part.FILE_NAME and f.about == key)
        return [(f.start, f.end) for f in found]


PASSES = Verdict()


@dataclass(frozen=True, slots=True)
class Taken:
    """What is done about one message at one place, for the log and for its author."""

    verdict: Verdict
    link: str
    target: Channel

    @property
    def deed(self) -> Deed:
        return self.verdict.deed


@dataclass(frozen=True, slots=True)
class RuleBook:
    """
    A company's rules. `hash` names them on record.

    The strictest of the rules that are met decides; what others would hide is hidden
    as well.
    """

    hash: str
    rules: tuple[Rule, ...] = ()
    labelling: tuple[Labelling, ...] = ()
    phrases: dict[str, Label] = field(default_factory=dict)

    def label(self, findings: Sequence[Finding], given: Label | None) -> Label:
        """Return the highest of what the author said and what the content says."""
        if not findings:  # most of what people say
            return given or Label.PUBLIC
        labels = [each.label for each in self.labelling if each.holds(findings)]
        return max([*labels, given or Label.PUBLIC])

    def judge(self, inspection: Inspection, where: Where) -> Verdict:
        """Return what is done about it there."""
        if inspection.empty:
            return PASSES
        met = [rule for rule in self.rules if rule.meets(inspection, where)]
        if not met:
            return PASSES
        deed = max((rule.deed for rule in met), key=lambda each: each.weight)
        deciding = [rule for rule in met if rule.deed is deed]
        hiding = [rule for rule in met if rule.deed.weight >= Deed.REDACT.weight]
        hide = tuple(
            finding
            for finding in inspection.findings
            if any(rule.counts(finding) for rule in hiding)
        )
        if deed is Deed.REDACT and not hide:
            # What is to be cut out cannot be: a label alone, or what nobody could read.
            deed = Deed.BLOCK
        return Verdict(
            deed,
            tuple(rule.name for rule in deciding),
            hide,
            next((rule.says for rule in deciding if rule.says), ""),
        )
