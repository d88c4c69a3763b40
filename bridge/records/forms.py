"""What is asked of a person before something is written, before any platform's markup."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from bridge.records.model import RecordRef, Revision

TAKE_BACK = "take-back"
"""
The act that deletes what an earlier deed of the same person added or made.

`DEED` is that deed's key, `MADE` what its system's adapter said of it (`Done.made`).
"""
DEED, MADE = "deed", "made"
AMEND = "amend"
"""The act that changes the words which an earlier deed added, named in the same way."""


class InputKind(StrEnum):
    """How a value is entered."""

    LINE = "line"
    TEXT = "text"
    CHOICE = "choice"
    CHOICES = "choices"  # several values, one a line
    DATE = "date"  # YYYY-MM-DD
    NUMBER = "number"
    CHECK = "check"  # "true" or "false"


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the values that can be chosen."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Input:
    """
    One field of a form, from the system's own metadata.

    Where `controller` names another input, only those choices fit that `fitting` lists
    for its value. `longest` is in characters, 0 without a limit. `inside` is the value
    that keeps what is written among colleagues, where it could be for customers as well.
    """

    id: str
    label: str
    kind: InputKind = InputKind.LINE
    value: str = ""
    required: bool = False
    choices: tuple[Choice, ...] = ()
    controller: str = ""
    fitting: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    longest: int = 0
    hint: str = ""
    cls: str = "public"
    inside: str = ""

    def offered(self, entered: Mapping[str, str]) -> tuple[Choice, ...]:
        """Return the choices that fit what is entered in the other inputs."""
        if not self.controller:
            return self.choices
        fitting = frozenset(self.fitting.get(entered.get(self.controller, ""), ()))
        return tuple(each for each in self.choices if each.value in fitting)


@dataclass(frozen=True, slots=True)
class Form:
    """
    A form for one act on a record, or for a new one of a kind (`ref` is None then).

    `rev` is the state of the record that the values were read from: writing says so,
    and is refused if the record has changed since in what is written.

    With `narrows`, the input of that id is all that is asked for yet: what is chosen
    there decides what the form asks for next (`bridge.records.ports.Narrows`).
    """

    act: str
    title: str
    inputs: tuple[Input, ...]
    submit: str = "Save"
    ref: RecordRef | None = None
    kind: str = ""
    rev: Revision | None = None
    note: str = ""
    narrows: str = ""

    @property
    def controllers(self) -> frozenset[str]:
        """The inputs that decide what can be chosen in others."""
        return frozenset(each.controller for each in self.inputs if each.controller)

    def entered(self, values: Mapping[str, str]) -> dict[str, str]:
        """
        Return what stands in each input: what was entered, else its own value.

        A choice that does not fit what was chosen before it is gone.
        """
        standing = {each.id: values.get(each.id, each.value) for each in self.inputs}
        for _ in self.controllers:  # what is gone may have decided something itself
            for each in self.inputs:
                if each.controller:
                    fitting = {choice.value for choice in each.offered(standing)}
                    chosen = standing[each.id].split("\n")
                    standing[each.id] = "\n".join(c for c in chosen if c in fitting)
        return standing


@dataclass(frozen=True, slots=True)
class Deed:
    """
    One write, as one person.

    `values` holds only what is to be written, by input id; `seen` what the person saw
    of the same fields when the form was opened. `base` is the revision it was opened on;
    None for what depends on none (a comment). `key` is equal for every try of the same
    deed, so that it is done once however often it is tried. `tried_us` is when an earlier
    try began, in microseconds UTC, and 0 for the first one: where a system has no place
    for the key, what an earlier try may have written is looked for from then on, and a
    first one never takes somebody's saying the same twice for a repetition.
    """

    act: str
    key: str
    ref: RecordRef | None = None
    kind: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    seen: Mapping[str, str] = field(default_factory=dict)
    base: Revision | None = None
    tried_us: int = 0
