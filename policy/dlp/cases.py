"""
Try rules for what may leave: their own tests, and what other rules would do instead.

A test says what is done about a text at a destination. Nothing that is tried is hashed
with a company's key, kept, or printed.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

from bridge.access import Label
from bridge.leaving.findings import Inspection
from bridge.leaving.labels import chosen
from bridge.leaving.rules import Deed, Verdict, Where
from bridge.policy_desk import CaseOutcome
from policy.dlp.rulebook import Prepared, Tested
from policy.dlp.version import detectors_version

_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Tried:
    """What becomes of a text somewhere, and what it is classified as."""

    verdict: Verdict
    label: Label


def tried(rules: Prepared, text: str, where: Where) -> Tried:
    """Return what rules do about a text where it goes."""
    scan = rules.scanner.scan(text, b"")
    given = chosen(text, rules.book.phrases)
    label = rules.book.label(scan.findings, given)
    if where.classification is None:
        where = replace(where, classification=rules.channels.get(where.target))
    found = Inspection(rules.book.hash, scan.findings, label, given is not None)
    return Tried(rules.book.judge(found, where), label)


def outcomes(rules: Prepared) -> tuple[CaseOutcome, ...]:
    """Run the tests that stand beside rules."""
    return tuple(_outcome(rules, test) for test in rules.tests)


def fault(
    found: Tried, deed: str, names: Iterable[str], label: Label | None = None
) -> str:
    """Say how something differs from what a test expects, empty if it does not."""
    verdict = found.verdict
    by = f" by {', '.join(verdict.rules)}" if verdict.rules else ""
    if verdict.deed.value != deed or not set(names) <= set(verdict.rules):
        return f"{verdict.deed.value}{by}"
    if label is not None and found.label is not label:
        return f"it is {found.label.name.lower()}"
    return ""


def _outcome(rules: Prepared, test: Tested) -> CaseOutcome:
    found = tried(rules, test.text, test.where)
    why = fault(found, test.deed.value, test.rules, test.label)
    return CaseOutcome(test.name, not why, why, 1)


@dataclass(frozen=True, slots=True)
class Difference:
    """
    What other rules change. `hash` is good for exactly these rules in place of those.

    `parts` are words that what differs beside the rules stands under, such as
    `exceptions`. `deeds` counts texts by what was done and what would be, where that
    differs.
    """

    hash: str
    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]
    parts: tuple[str, ...]
    texts: int
    deeds: Mapping[tuple[Deed, Deed], int]

    @property
    def matters(self) -> bool:
        """Whether anything else may become of anything; tests and remarks do not say."""
        return bool(self.added or self.removed or self.changed or self.parts)


def difference(
    number: int, old: Prepared, new: Prepared, texts: Sequence[str]
) -> Difference:
    """
    Compare rules with those in force, version `number`.

    Each text is tried inside the company, and where others read along.
    """
    before = {rule.name: rule for rule in old.book.rules}
    after = {rule.name: rule for rule in new.book.rules}
    counts: Counter[tuple[Deed, Deed]] = Counter()
    for text in texts:
        for outsiders in (False, True):
            where = Where("", "", outsiders)
            was = tried(old, text, where).verdict.deed
            is_ = tried(new, text, where).verdict.deed
            counts[was, is_] += was is not is_
    return Difference(
        preview_hash(number, old, new),
        tuple(sorted(after.keys() - before.keys())),
        tuple(sorted(before.keys() - after.keys())),
        tuple(sorted(n for n, r in after.items() if n in before and before[n] != r)),
        tuple(word for word, said in new.parts.items() if old.parts.get(word) != said),
        len(texts),
        {pair: count for pair, count in counts.items() if count},
    )


def preview_hash(number: int, old: Prepared, new: Prepared) -> str:
    """Return what binds a preview to what it was of: rules, and the detectors too."""
    told = f"{number}\0{old.name}\0{new.name}\0{detectors_version()}"
    return sha256(f"atom/dlp/preview/1\0{told}".encode()).hexdigest()[:_DIGITS]
