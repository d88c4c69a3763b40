"""
Two people changed the same record: what each wrote, field by field, and ways out.

Nothing was written when this is asked. Fields that only one of them touched can be saved
alone; for the others somebody has to say whose value stays.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bridge.records.forms import Choice, Form, Input, InputKind
from bridge.records.model import Record, RecordRef

RESOLUTION = "resolution"
MINE, OVERWRITE, THEIRS = "mine", "overwrite", "theirs"


@dataclass(frozen=True, slots=True)
class Difference:
    """One field: what the person wants, what it is now, what they saw."""

    id: str
    label: str
    mine: str | None
    now: str
    seen: str

    @property
    def contested(self) -> bool:
        """Whether both changed it, to different values."""
        return self.mine is not None and self.now not in {self.seen, self.mine}

    @property
    def line(self) -> str:
        seen, now = self.seen or "empty", self.now or "empty"
        if self.mine is None:
            return f"{self.label}: was {seen}, is {now} now"
        mine = self.mine or "empty"
        return f"{self.label}: yours {mine} · now {now} · was {seen}"


def differences(
    mine: Mapping[str, str],
    seen: Mapping[str, str],
    now: Mapping[str, str],
    labels: Mapping[str, str],
) -> tuple[Difference, ...]:
    """
    Compare what somebody wants to write with how the record is now.

    `now` are the values as the same form would show them. Only fields that the person
    saw in it are told of.
    """
    found = []
    for id_, before in seen.items():
        wanted = mine.get(id_)
        # What cannot be read back may have been changed by anybody.
        then = now.get(id_, "unknown" if wanted is not None else before)
        if wanted is not None or then != before:
            label = labels.get(id_, id_)
            found.append(Difference(id_, label, wanted, then, before))
    return tuple(found)


def value_of(record: Record, id_: str) -> str | None:
    """Return a field's value as forms hold it; None if the account does not see it."""
    fact = record.fact(id_)
    if fact is None:
        return None
    return fact.raw or fact.text


def apart(found: Sequence[Difference]) -> tuple[str, ...]:
    """Return the fields of the person's own that nobody else touched."""
    return tuple(d.id for d in found if d.mine is not None and not d.contested)


def contested(found: Sequence[Difference]) -> tuple[str, ...]:
    """Return the fields that both changed."""
    return tuple(d.id for d in found if d.contested)


def ways_out(found: Sequence[Difference], ref: RecordRef | None, act: str) -> Form:
    """Return the form in which somebody says what is to stay."""
    own, both = apart(found), contested(found)
    names = {d.id: d.label for d in found}
    choices = []
    if own:
        listed = ", ".join(names[id_] for id_ in own)
        word = "Save mine only" if both else "Save mine"
        choices.append(Choice(MINE, f"{word}: {listed}"))
    if both:
        choices.append(Choice(OVERWRITE, "Overwrite theirs with mine"))
    choices.append(Choice(THEIRS, "Take theirs: save nothing"))
    question = Input(
        RESOLUTION,
        "What shall stay?",
        InputKind.CHOICE,
        choices[0].value,
        required=True,
        choices=tuple(choices),
    )
    lines = [d.line for d in found if d.mine is not None or d.now != d.seen]
    return Form(
        act=act,
        title="Somebody changed it meanwhile",
        inputs=(question,),
        ref=ref,
        note="\n".join(["Nothing was saved yet.", *lines]),
    )
