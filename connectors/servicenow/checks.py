"""What is looked at before anything is sent, and what absence means for who writes."""

import hashlib
from collections.abc import Mapping, Sequence

from bridge.errors import ServiceUnavailable
from bridge.records.forms import Input
from bridge.records.model import Absence
from bridge.records.ports import Gone, NotConnected, Rejected, Spent

SKEW = 300  # seconds by which ServiceNow's clock and ours may be apart


def absent(why: Absence) -> Exception:
    """Return the error for a record that is not there to be read."""
    if why is Absence.GONE:
        return Gone("it was deleted, or you may not see it")
    if why is Absence.SPENT:
        return Spent("ServiceNow takes no more calls for now", 60.0)
    if why is Absence.UNCONNECTED:
        return NotConnected("connect your ServiceNow account first")
    return ServiceUnavailable("ServiceNow cannot be reached")


def digest(key: str) -> str:
    """Return what stands for a deed in a row's correlation id."""
    return f"atom-{hashlib.sha256(key.encode()).hexdigest()[:40]}"


def required(values: Mapping[str, str], labels: Mapping[str, str]) -> None:
    """Raise `Rejected` unless every one of these inputs was filled in."""
    missing = {
        name: "this is needed" for name in labels if not values.get(name, "").strip()
    }
    if missing:
        named = ", ".join(labels[name] for name in missing)
        raise Rejected(f"fill in: {named}", missing)


def fits(inputs: Sequence[Input], values: Mapping[str, str]) -> None:
    """Raise `Rejected` for values that their inputs would not have taken."""
    wrong = {}
    for each in inputs:
        text = values.get(each.id)
        if text is None:
            continue
        if each.required and not text.strip():
            wrong[each.id] = "this is needed"
        elif each.longest and len(text) > each.longest:
            wrong[each.id] = f"at most {each.longest} characters"
        elif each.choices and text not in {one.value for one in each.choices}:
            wrong[each.id] = "choose one of what is offered"
    if wrong:
        labels = {each.id: each.label for each in inputs}
        named = ", ".join(labels[name] for name in wrong)
        raise Rejected(f"look again at: {named}", wrong)
