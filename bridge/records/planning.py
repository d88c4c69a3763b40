"""
Make steps out of what somebody wrote, as they see the records and may write to them.

Nothing is written yet: what could be refused beforehand is refused before the first step.
"""

from dataclasses import dataclass

from bridge.access import Action
from bridge.errors import BadInput, NotFound
from bridge.records.acting import EDITS
from bridge.records.admitting import Admitting
from bridge.records.cards import CardButton, CardField, RecordCard, Standing
from bridge.records.desk import Asker
from bridge.records.drawing import Drawing
from bridge.records.forms import Form
from bridge.records.model import (
    PUBLIC,
    Look,
    Needs,
    Offer,
    Record,
    RecordRef,
)
from bridge.records.ports import Access, Narrows, Records, TakesBack
from bridge.records.redaction import form_of
from bridge.records.saga import NEW, SAGA, Saga, Step
from bridge.records.starting import LooksAt
from bridge.records.steps import Written, called, filled, written
from bridge.records.systems import having

_LONGEST_LABEL = 300
_VALUES = EDITS | {"stage", "status"}  # acts whose forms show what stands there
_ADDS = frozenset({"comment", "note", "call", "task", "order"})
_CREATE = Offer("create", "Create", Action.RECORD_CREATE, needs=Needs.FORM)


@dataclass(frozen=True, slots=True)
class Planning:
    """Offers to do what was written, behind one button of the person's own."""

    admitting: Admitting
    drawing: Drawing
    saga: Saga
    looked_at: LooksAt

    async def offered(self, asker: Asker, said: str) -> RecordCard:
        """
        Return a card that says what would be done, with the button that does it.

        It repeats what was written, and tells nothing else of the records. Raises
        `BadInput`, `NotFound`, `NotAllowed` and what the systems raise.
        """
        await self.admitting.known(asker)
        told = written(said)
        steps, lasting = [], []
        for each in told:
            records, step = await self._step(asker, each)
            steps.append(step)
            lasting.append(_lasting(records, step))
        act = await self.saga.offered(asker, steps)
        many = f"{len(steps)} steps" if len(steps) > 1 else "1 step"
        ref = steps[0].ref
        return RecordCard(
            card_id="",
            ref=ref,
            source=ref.system.shown,
            what="Steps",
            title=f"Do {many}, one after the other",
            standing=Standing.LIVE,
            as_of_us=self.drawing.clock(),
            fields=tuple(
                CardField(
                    str(n),
                    f"{n}. {each.label}"[:_LONGEST_LABEL],
                    f"{_told(each)} ({how})",
                )
                for n, (each, how) in enumerate(zip(told, lasting, strict=True), 1)
            ),
            buttons=(
                CardButton(
                    SAGA,
                    f"Do {many}",
                    act.token,
                    Look.PRIMARY,
                    Needs.CONFIRMATION,
                    f"Do {many} as you? If one fails, those behind it wait.",
                ),
            ),
        )

    async def _step(self, asker: Asker, told: Written) -> tuple[Records, Step]:
        if told.act == _CREATE.act:
            return await self._new(asker, told)
        records, record = await self._record(asker, told)
        offer = _offered(told, record)
        person = await self.admitting.known(asker)
        act = self.drawing.personal(asker, person, record.ref, offer)
        who = await self.admitting.admit(asker, act)
        if offer.needs is not Needs.FORM:
            if told.fields or told.text:
                raise BadInput(f"{told.label} asks for nothing.")
            approves = offer.right is Action.RECORD_APPROVE
            base = None if approves else record.rev
            return records, Step(
                record.ref, offer.act, told.label, right=offer.right, base=base
            )
        access = await self.admitting.account(asker, who.person, act)
        form = await records.form(access, offer.act, record.ref, record.ref.kind)
        form = await _narrowed(records, access, told, form)
        viewer = (asker.tenant, asker.person, asker.account)
        classes = {each.cls for each in form.inputs} | {PUBLIC}
        floor = await self.drawing.floors.of_viewer(viewer, record.ref, classes)
        form = form_of(form, floor.audience(viewer=True))
        return records, _formed(told, offer, record.ref, form)

    async def _new(self, asker: Asker, told: Written) -> tuple[Records, Step]:
        """Return the step that makes a record of the kind which was said."""
        records, kind = having(self.admitting.systems, asker.tenant, told.record)
        ref = RecordRef(records.system, records.instance, kind, NEW)
        person = await self.admitting.known(asker)
        act = self.drawing.personal(asker, person, ref, _CREATE)
        who = await self.admitting.admit(asker, act)
        access = await self.admitting.account(asker, who.person, act)
        form = await records.form(access, _CREATE.act, None, kind)
        form = await _narrowed(records, access, told, form)
        return records, _formed(told, _CREATE, ref, form)

    async def _record(self, asker: Asker, told: Written) -> tuple[Records, Record]:
        for records in self.admitting.systems.of(asker.tenant):
            for mention in records.recognise(told.record):
                if mention.end - mention.start < len(told.record):
                    continue
                seen = await self.looked_at(asker, records, mention)
                if isinstance(seen, Record):
                    return records, seen
                if seen:
                    raise NotFound(f"{told.label}: {seen}")
        raise NotFound(f"There is no record {told.record}.")


def _offered(told: Written, record: Record) -> Offer:
    for each in record.offers:
        if told.act == each.act.casefold():
            return each
    known = ", ".join(each.act for each in record.offers) or "nothing"
    raise BadInput(f"{told.record} knows no {told.act}. It knows {known}.")


async def _narrowed(
    records: Records, access: Access, told: Written, form: Form
) -> Form:
    """Return what a form asks for after the choice that comes first, where one does."""
    if not form.narrows or not isinstance(records, Narrows):
        return form
    [first] = [each for each in form.inputs if each.id == form.narrows]
    said = {n: v for n, v in told.fields.items() if called(first, n)}
    chosen = filled(Written(told.act, told.record, said), form)
    value = chosen.get(first.id) or first.value
    return await records.narrowed(access, form.act, form.ref, form.kind, value)


def _formed(told: Written, offer: Offer, ref: RecordRef, form: Form) -> Step:
    values = filled(told, form)
    if offer.act not in EDITS:
        usual = {each.id: each.value for each in form.inputs if each.value}
        values = usual | values
    if not values:
        raise BadInput(f"{told.label}: say what is to be written.")
    cls = {each.id: each.cls for each in form.inputs}
    return Step(
        ref,
        form.act or offer.act,
        told.label,
        tuple(values.items()),
        offer.right,
        tuple((each.id, each.value) for each in form.inputs),
        form.rev,
        tuple(sorted({cls[id_] for id_ in values})),
    )


def _lasting(records: Records, step: Step) -> str:
    """
    Say before a step is begun whether it could be taken back.

    Values can, where the form shows what stood there. What is added or made can where
    its system knows a way, and lets its author, which only trying tells.
    """
    name = step.ref.system.shown
    if step.right is Action.RECORD_APPROVE:
        return "for good"
    if isinstance(records, TakesBack) and records.takes_back(step.act, step.ref.kind):
        return f"can be taken back if {name} lets you, until somebody changes it"
    if step.act in _ADDS or step.right is Action.RECORD_CREATE:
        return f"for good: {name} has no way to take it back"
    if step.base is not None and step.act in _VALUES:
        return "can be taken back until somebody changes it"
    return "may be for good"


def _told(step: Written) -> str:
    said = [f"{name}: {value}" for name, value in step.fields.items()]
    return ", ".join(filter(None, [*said, step.text])) or "–"
