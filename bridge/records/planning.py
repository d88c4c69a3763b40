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
from bridge.records.forms import ADDS, Form
from bridge.records.model import PUBLIC, Look, Needs, Offer, Record
from bridge.records.ports import Records
from bridge.records.redaction import form_of
from bridge.records.saga import SAGA, Saga, Step
from bridge.records.starting import LooksAt
from bridge.records.steps import Written, filled, written

_LONGEST_LABEL = 300
_VALUES = EDITS | {"stage", "status"}  # acts whose forms show what stands there


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
        steps = [await self._step(asker, each) for each in told]
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
                    f"{_told(each)} ({_lasting(step)})",
                )
                for n, (each, step) in enumerate(zip(told, steps, strict=True), 1)
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

    async def _step(self, asker: Asker, told: Written) -> Step:
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
            return Step(record.ref, offer.act, told.label, right=offer.right, base=base)
        access = await self.admitting.account(asker, who.person, act)
        form = await records.form(access, offer.act, record.ref, record.ref.kind)
        viewer = (asker.tenant, asker.person, asker.account)
        classes = {each.cls for each in form.inputs} | {PUBLIC}
        floor = await self.drawing.floors.of_viewer(viewer, record.ref, classes)
        return _formed(told, offer, record, form_of(form, floor.audience(viewer=True)))

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


def _formed(told: Written, offer: Offer, record: Record, form: Form) -> Step:
    values = filled(told, form)
    if offer.act not in EDITS:
        usual = {each.id: each.value for each in form.inputs if each.value}
        values = usual | values
    if not values:
        raise BadInput(f"{told.label}: say what is to be written.")
    cls = {each.id: each.cls for each in form.inputs}
    return Step(
        record.ref,
        form.act or offer.act,
        told.label,
        tuple(values.items()),
        offer.right,
        tuple((each.id, each.value) for each in form.inputs),
        form.rev,
        tuple(sorted({cls[id_] for id_ in values})),
    )


def _lasting(step: Step) -> str:
    """
    Say before a step is begun whether it could be taken back.

    Values can, where the form shows what stood there. A comment can in systems that let
    its author delete it, and nobody knows before whether this one does.
    """
    if step.right is Action.RECORD_APPROVE:
        return "for good"
    if step.act in ADDS:
        return "to be taken back only if its system lets you"
    if step.base is not None and step.act in _VALUES:
        return "can be taken back until somebody changes it"
    return "may be for good"


def _told(step: Written) -> str:
    said = [f"{name}: {value}" for name, value in step.fields.items()]
    return ", ".join(filter(None, [*said, step.text])) or "–"
