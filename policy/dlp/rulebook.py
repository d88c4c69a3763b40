"""
A company's rules for what may leave, as YAML: read strictly, and said to be wrong where.

docs/dlp.md has the language. Nothing is guessed: an unknown word is an error, because a
rule with a typing mistake would protect nobody.
"""

import json
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from typing import Annotated, Any, Literal

import phonenumbers
import yaml
from pydantic import BaseModel, Field, StringConstraints, ValidationError
from stdnum import luhn, verhoeff
from stdnum.iso7064 import mod_97_10

from bridge.access import Label
from bridge.errors import BadInput
from bridge.leaving.findings import Confidence, label_named, taken_by
from bridge.leaving.rules import Deed, Labelling, Rule, RuleBook, Where
from policy.dlp.catalogue import detectors, expanded
from policy.dlp.detector import Detector, Valid, compact, compiled_pattern
from policy.dlp.scanner import Exceptions, Scanner
from policy.dlp.version import detectors_version
from policy.dlp.words import dictionary

MOST_BYTES = 8_000_000
_MOST_PATTERN = 1_000  # characters
_MOST_PATTERNS = 200
_NAMED = r"^[a-z][a-z0-9_-]{0,59}$"

Name = Annotated[str, StringConstraints(pattern=_NAMED)]
Level = Literal["low", "medium", "high"]
LabelName = Literal["public", "internal", "confidential", "restricted"]

_CHECKS: Mapping[str, Any] = {
    "luhn": luhn.is_valid,
    "mod97": mod_97_10.is_valid,
    "verhoeff": verhoeff.is_valid,
}


class _Strict(BaseModel, frozen=True, extra="forbid", hide_input_in_errors=True):
    """Takes nothing that it does not know."""


class _Pattern(_Strict, frozen=True):
    name: Name
    pattern: Annotated[str, StringConstraints(min_length=1, max_length=_MOST_PATTERN)]
    title: str = ""
    words: tuple[str, ...] = ()
    needs_words: bool = False
    check: Literal["luhn", "mod97", "verhoeff"] | None = None
    ignore_case: bool = False


class _Dictionary(_Strict, frozen=True):
    name: Name
    words: tuple[str, ...]
    title: str = ""


class _Exception(_Strict, frozen=True):
    detectors: tuple[str, ...]
    values: tuple[str, ...] = ()
    pattern: str = ""


class _Content(_Strict, frozen=True):
    detectors: tuple[str, ...]
    label: LabelName
    at_least: int = Field(default=1, ge=1, le=10_000)
    confidence: Level = "medium"


class _Rule(_Strict, frozen=True):
    name: Annotated[str, StringConstraints(pattern=r"^[\w -]{1,60}$")]
    do: Deed
    detectors: tuple[str, ...] = ()
    at_least: int = Field(default=1, ge=1, le=10_000)
    confidence: Level = "medium"
    label: LabelName | None = None
    links: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    outsiders: bool | None = None
    below_label: bool = False
    unreadable: bool = False
    examples: bool = False
    says: Annotated[str, StringConstraints(max_length=200)] = ""


class _To(_Strict, frozen=True):
    target: str = ""
    link: str = ""
    outsiders: bool = False
    classification: LabelName | None = None


class _Expected(_Strict, frozen=True):
    do: Deed
    rules: tuple[str, ...] = ()
    label: LabelName | None = None


class _Test(_Strict, frozen=True):
    name: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    text: Annotated[str, StringConstraints(max_length=20_000)]
    to: _To = Field(default_factory=_To)
    expect: _Expected


class _Labels(_Strict, frozen=True):
    content: tuple[_Content, ...] = ()
    phrases: dict[str, LabelName] = Field(default_factory=dict)


class _Book(_Strict, frozen=True):
    # No word here may be one that YAML takes for something else, such as `off`.
    version: Literal[1] = 1
    regions: tuple[str, ...] = ("US",)
    without: tuple[str, ...] = ()
    patterns: Annotated[tuple[_Pattern, ...], Field(max_length=_MOST_PATTERNS)] = ()
    dictionaries: Annotated[tuple[_Dictionary, ...], Field(max_length=50)] = ()
    exceptions: tuple[_Exception, ...] = ()
    labels: _Labels = Field(default_factory=_Labels)
    channels: dict[str, LabelName] = Field(default_factory=dict)
    window: int = Field(default=5, ge=0, le=20)
    pictures: Literal["pass", "unreadable"] = "pass"
    rules: tuple[_Rule, ...] = ()
    tests: Annotated[tuple[_Test, ...], Field(max_length=1_000)] = ()


@dataclass(frozen=True, slots=True)
class Tested:
    """What rules are expected to do about a text, by the rules' own word."""

    name: str
    text: str
    where: Where
    deed: Deed
    rules: tuple[str, ...]
    label: Label | None


@dataclass(frozen=True, slots=True)
class Prepared:
    """
    Rules that are ready to be used. `window` is how many messages are put together.

    `name` is that of their text, under which a version is kept; `book.hash` names the
    detectors as well, so what was looked at by others is looked at again. `parts` are
    what they say beside rules and tests, by the word above it.
    """

    text: str
    name: str
    book: RuleBook
    scanner: Scanner
    channels: Mapping[str, Label]
    window: int
    tests: tuple[Tested, ...] = ()
    pictures: bool = False  # whether a document with one counts as unreadable
    parts: Mapping[str, Any] = field(default_factory=dict)


DEFAULT = """\
# What holds as long as a company has no rules of its own: nothing is stopped. Keys to
# machines and payment cards are told to their author and labelled.
version: 1
labels:
  content:
    - {detectors: ["@secret"], label: restricted}
    - {detectors: ["credit_card"], label: confidential}
rules:
  - name: secrets
    detectors: ["@secret"]
    do: warn
    says: it looks like a key or a password; change it if it is one
  - name: cards
    detectors: ["credit_card"]
    do: warn
    says: it looks like a payment card's number
"""


@lru_cache(maxsize=64)
def prepared(text: str) -> Prepared:
    """Read rules. Raises `BadInput` with the first thing that is wrong with them."""
    written = _read(text)
    for region in written.regions:
        if region not in phonenumbers.SUPPORTED_REGIONS:
            raise BadInput(f"regions: '{region[:10]}' is no country such as US or DE")
    known = detectors(written.regions)
    for own in (*map(_pattern, written.patterns), *map(_words, written.dictionaries)):
        if own.name in known:
            raise BadInput(f"'{own.name}' is a detector already: choose another name")
        known[own.name] = own
    groups = {name: each.group for name, each in known.items()}
    off = expanded(written.without, groups)
    used = {name: each for name, each in known.items() if name not in off}
    scanner = Scanner(used, _exceptions(written.exceptions, groups, known))
    name = _name(text)
    rules = tuple(_rule(rule, groups) for rule in written.rules)
    return Prepared(
        text,
        name,
        RuleBook(
            taken_by(name, detectors_version()),
            rules,
            tuple(_content(each, groups) for each in written.labels.content),
            {
                " ".join(phrase.lower().split()): label_named(label)
                for phrase, label in written.labels.phrases.items()
            },
        ),
        scanner,
        {place: label_named(label) for place, label in written.channels.items()},
        written.window,
        tuple(_test(each, {rule.name for rule in rules}) for each in written.tests),
        written.pictures == "unreadable",
        written.model_dump(mode="json", exclude={"version", "rules", "tests"}),
    )


def _name(text: str) -> str:
    return sha256(f"atom/dlp/1\0{text}".encode()).hexdigest()


def _read(text: str) -> _Book:
    if len(text.encode("utf-8", "replace")) > MOST_BYTES:
        raise BadInput(f"rules have {MOST_BYTES} bytes at most")
    try:
        raw = yaml.load(text, _Loader)  # noqa: S506 - a SafeLoader
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f" in line {mark.line + 1}" if mark else ""
        raise BadInput(f"the rules are no YAML{line}") from error
    if raw is None:
        raw = {}
    if not isinstance(raw, dict):
        raise BadInput("rules begin with words such as 'rules:' and 'labels:'")
    try:
        return _Book.model_validate_json(json.dumps(raw, default=str))
    except (ValidationError, ValueError, TypeError) as error:
        raise BadInput(f"the rules are wrong: {_first(error)}") from error


class _Loader(yaml.SafeLoader):
    """Reads no aliases: a few of them make a few lines as large as memory."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise BadInput("rules have no aliases (*name): write it out")
        return super().compose_node(parent, index)


def _first(error: Exception) -> str:
    if not isinstance(error, ValidationError):
        return "they hold what no rule can say"
    told = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(map(str, told["loc"])) or "at the top"
    return f"{where}: {told['msg'].lower()}"


def _pattern(given: _Pattern) -> Detector:
    try:
        compiled = compiled_pattern(given.pattern, ignoring_case=given.ignore_case)
    except BadInput as error:
        raise BadInput(f"patterns.{given.name}: {error}") from error
    if compiled.search(""):
        raise BadInput(
            f"patterns.{given.name}: it is found in everything, even nothing"
        )
    holds = _CHECKS[given.check] if given.check else None

    def check(text: str, start: int, end: int) -> Valid | None:
        value = text[start:end]
        if start == end or (holds and not holds(compact(value))):
            return None
        return Valid(value, Confidence.MEDIUM)

    pattern = f"(?i:{given.pattern})" if given.ignore_case else given.pattern
    return Detector(
        given.name,
        "custom",
        given.title or given.name,
        gate=pattern,
        pattern=pattern,
        check=check,
        words=given.words,
        needs_words=given.needs_words and bool(given.words),
        outside="none",
    )


def _words(given: _Dictionary) -> Detector:
    try:
        return dictionary(given.name, given.title or given.name, given.words)
    except BadInput as error:
        raise BadInput(f"dictionaries.{given.name}: {error}") from error


def _exceptions(
    given: Sequence[_Exception],
    groups: Mapping[str, str],
    known: Mapping[str, Detector],
) -> Exceptions:
    values: dict[str, set[str]] = {}
    patterns: dict[str, list[Any]] = {}
    for each in given:
        if len(each.pattern) > _MOST_PATTERN:
            raise BadInput(
                f"exceptions: a pattern has {_MOST_PATTERN} characters at most"
            )
        compiled = compiled_pattern(each.pattern) if each.pattern else None
        for name in expanded(each.detectors, groups):
            for value in each.values:
                # As the detector itself would call it, and as it was written.
                found = {hit.value for hit in known[name].hits(value)}
                values.setdefault(name, set()).update({value, *found})
            if compiled:
                patterns.setdefault(name, []).append(compiled)
    return Exceptions({n: frozenset(v) for n, v in values.items()}, patterns)


def _test(given: _Test, known: AbstractSet[str]) -> Tested:
    if unknown := sorted(set(given.expect.rules) - known):
        raise BadInput(f"tests.{given.name}: there is no rule '{unknown[0][:60]}'")
    to, expected = given.to, given.expect
    seen = label_named(to.classification) if to.classification else None
    return Tested(
        given.name,
        given.text,
        Where(to.link, to.target, to.outsiders, seen),
        expected.do,
        expected.rules,
        label_named(expected.label) if expected.label else None,
    )


def _content(given: _Content, groups: Mapping[str, str]) -> Labelling:
    return Labelling(
        expanded(given.detectors, groups),
        label_named(given.label),
        given.at_least,
        Confidence[given.confidence.upper()],
    )


def _rule(given: _Rule, groups: Mapping[str, str]) -> Rule:
    if not (given.detectors or given.label or given.unreadable or given.below_label):
        raise BadInput(
            f"rules.{given.name}: it is about nothing; name detectors or a label"
        )
    return Rule(
        given.name,
        given.do,
        expanded(given.detectors, groups),
        given.at_least,
        Confidence[given.confidence.upper()],
        label_named(given.label) if given.label else None,
        frozenset(given.links),
        frozenset(given.targets),
        given.outsiders,
        given.below_label,
        given.unreadable,
        given.examples,
        given.says,
    )
