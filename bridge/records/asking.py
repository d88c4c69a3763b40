"""What every form says in the same words, on whatever platform it is filled in."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from hashlib import blake2s

from bridge.records.forms import Form, Input, InputKind
from bridge.records.wording import line, units
from bridge.text import clean

YES, NO = "true", "false"
YES_LABEL = "Yes"
LONGEST = 3_000  # what both platforms take in a text input

_NAME, _WRONG = 150, 300
_STAND_IN = "~"  # begins what stands for a value that cannot be sent as it is
_STANDS_IN = re.compile(rf"{_STAND_IN}[0-9a-f]{{32}}")


@dataclass(frozen=True, slots=True)
class Filled:
    """
    What was entered in a form so far, by input id, and what is wrong with it.

    `reason` says what is wrong with no single input.
    """

    values: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""


BLANK = Filled()


def name_of(each: Input) -> str:
    return line(each.label, _NAME) or each.id


def wrong(text: str) -> str:
    """Return what stands above an input or a form with which something is wrong."""
    return f"⚠️ {line(text, _WRONG)}"


def why_not_asked(form: Form, each: Input, standing: Mapping[str, str]) -> str:
    """
    Say why an input is shown without a way to change it, or nothing if it has one.

    Half of a value would be written as if it were the whole.
    """
    if units(standing[each.id]) > LONGEST:
        return "too long to be changed here."
    if each.kind not in {InputKind.CHOICE, InputKind.CHOICES} or each.offered(standing):
        return ""
    if each.controller and not standing.get(each.controller):
        first = next((name_of(i) for i in form.inputs if i.id == each.controller), "")
        return f"choose {first} first."
    return "there is nothing to choose."


def wire(value: str, most: int) -> str:
    """Return what stands for a choice's value: itself, if the platform takes it."""
    fits = 0 < len(value) <= most and clean(value) == value
    return value if fits and not value.startswith(_STAND_IN) else _stand_in(value)


def in_full(values: Mapping[str, str], form: Form) -> dict[str, str]:
    """Return values with the choices that something else stood for."""
    full = dict(values)
    for each in form.inputs:
        meant = {_stand_in(choice.value): choice.value for choice in each.choices}
        if meant and each.id in full:
            chosen = full[each.id].split("\n")
            full[each.id] = "\n".join(meant.get(one, one) for one in chosen)
    return full


def stands_in(values: Mapping[str, str]) -> bool:
    """Whether something stands for a value: only who knows the form knows for which."""
    told = (one for text in values.values() for one in text.split("\n"))
    return any(_STANDS_IN.fullmatch(one) for one in told)


def _stand_in(value: str) -> str:
    digest = blake2s(value.encode(errors="replace"), digest_size=16)
    return _STAND_IN + digest.hexdigest()


def is_number(value: str) -> bool:
    try:
        return Decimal(value).is_finite()
    except InvalidOperation:
        return False


def is_date(value: str) -> bool:
    try:
        return date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False
