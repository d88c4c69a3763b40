"""
Tell people of what they asked for and ATOM did not bring to its end.

A process may die between a click and its answer, and then nobody is told anything: the
button was used, and what came of it is known to nobody. So uses of buttons of which
nothing was heard are looked for, and each person hears of theirs once, in their own
chat with ATOM, with what can be done now.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from bridge.cards import Card, Tone
from bridge.errors import AtomError, DeliveryFailed, Refused
from bridge.messages import Platform
from bridge.records.admitting import Admitting
from bridge.records.books import ActBook, LeftAct
from bridge.records.cards import CardButton, CardField, RecordCard, Standing
from bridge.records.desk import Asker
from bridge.records.drawing import Clock
from bridge.records.entries import RecordLog, interrupted
from bridge.records.model import Look, Needs
from bridge.records.own_acts import OwnActs
from bridge.records.places import CardPlace
from bridge.records.saga import NEXT, SAGA, Saga, Stage

_TITLE = "ATOM was interrupted"
_MAYBE = "That may be done or not: it is looked up first."
_CONFIRM = "What was done is not done again. Everything is done as you."


@dataclass(frozen=True, slots=True)
class Unfinished:
    """Looks for what was left, and tells of it. One process at a time does."""

    admitting: Admitting
    acts: ActBook
    saga: Saga
    own: OwnActs
    places: Mapping[Platform, CardPlace]
    log: RecordLog
    clock: Clock

    async def tell(self, tenant: str) -> int:
        """Tell whoever is to be told; returns how many were. Raises `StoreUnavailable`."""
        many = 0
        for left in await self.acts.left(tenant, self.clock()):
            try:
                many += await self._tell(left)
            except DeliveryFailed:
                continue  # it is told later
            await self.acts.left_told(left)
        return many

    async def _tell(self, left: LeftAct) -> bool:
        asker = Asker.reached(left.act.tenant, left.address)
        place = self.places.get(asker.person.platform)
        if place is None or await self.admitting.who(asker) != left.person:
            return False  # they left, or their platform is off
        done: bool | None = None
        card: RecordCard | Card
        if left.act.act == SAGA:
            card = await self._steps(asker, left)
        else:
            done = await self.saga.doing.finished_before(asker.tenant, left.deed)
            card = await self._one(asker, left, done=done)
        await self.log.note(interrupted(asker, left, done=done))
        try:
            await place.alone(asker.account, asker.person, card)
        except Refused:
            return False  # it would be refused again
        return True

    async def _steps(self, asker: Asker, left: LeftAct) -> RecordCard:
        made, act = await self.saga.resumed(asker, left)
        ref = made.steps[0].ref
        waiting = [n for n, each in enumerate(made.stages) if each is not Stage.DONE]
        back = bool(act.detail[NEXT])
        told = {waiting[0]: _MAYBE} if waiting and not back else {}
        go_on = CardButton(
            SAGA,
            act.detail["label"],
            act.token,
            Look.PRIMARY,
            Needs.CONFIRMATION,
            _CONFIRM,
        )
        return RecordCard(
            card_id="",
            ref=ref,
            source=ref.system.shown,
            what="Steps",
            title=_TITLE,
            standing=Standing.LIVE,
            as_of_us=self.clock(),
            fields=tuple(
                CardField(str(n), f"{n + 1}. {step.label}", told.get(n, str(stage)))
                for n, (step, stage) in enumerate(
                    zip(made.steps, made.stages, strict=True)
                )
            ),
            buttons=(go_on,) if waiting or back else (),
            viewer=True,
            note="Nothing goes on by itself." if waiting or back else "All is done.",
        )

    async def _one(
        self, asker: Asker, left: LeftAct, *, done: bool
    ) -> RecordCard | Card:
        """Show the record as it is now for this person, with what is known of the act."""
        said = _said(left, done=done)
        if left.act.ref is not None:
            try:
                card = await self.own.viewed(asker, left.person, left.act.ref)
            except AtomError:
                pass  # an account that is not connected any more, or a policy
            else:
                if card.standing is Standing.LIVE:
                    return replace(card, note=said)
        return Card(_TITLE, said, Tone.WARNING)


def _said(left: LeftAct, *, done: bool) -> str:
    """Return what is known, and what may be done. It holds nothing of the record."""
    act = left.act
    label = act.detail.get("label", "").rstrip(".… ") or act.act
    what = f"{_TITLE} while doing “{label}” for you."
    if done:
        return f"{what} It is done, and on record."
    if act.ref is None:
        kind = act.kind.rpartition("/")[2].replace("_", " ")
        return (
            f"{what} Whether a new {kind} was made is not known: look for it before you "
            "begin again."
        )
    if "seen" in act.detail:
        return f"{what} Whether that was saved is not known: look before you enter it again."
    return (
        f"{what} Whether that was done is not known. Do it again to find out: it is "
        "looked up first."
    )
