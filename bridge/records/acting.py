"""
What happens when somebody clicks on a card, or sends a form.

Whatever comes of it is told to them alone; what everybody sees are the cards, drawn anew
on both platforms, and a line under them that says who did what.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from bridge.access import Action
from bridge.errors import AtomError, NotAllowed, NotFound
from bridge.records.admitting import Admitted, Admitting
from bridge.records.answering import Connecting, connect_card, sentence, tell
from bridge.records.books import ActBook, CardBook, IssuedAct, Outdated, UsedUp
from bridge.records.comparing import (
    MINE,
    OVERWRITE,
    RESOLUTION,
    THEIRS,
    apart,
    differences,
    value_of,
    ways_out,
)
from bridge.records.desk import Asker
from bridge.records.doing import Doing, key_of, valued
from bridge.records.drawing import CORRELATION, OURS, VALUES, Clock, Drawing
from bridge.records.forms import Deed, Form
from bridge.records.mentions import Stir
from bridge.records.model import NEVER, PUBLIC, Look, Needs, Offer, Record, Revision
from bridge.records.own_acts import OwnActs
from bridge.records.places import Shown
from bridge.records.ports import EditConflict, Narrows, Rejected
from bridge.records.redaction import form_of

EDITS = frozenset({"edit"})
"""Acts whose form shows the record as it is: only what was changed is written."""

_OUT_OF_DATE = "That card is out of date; it is being drawn anew. Look and click again."
_UNDER_WAY = "That is being recorded; it takes a moment."


@dataclass(frozen=True, slots=True)
class Acting:
    """Clicks and forms. `stir` has a record's cards drawn anew."""

    admitting: Admitting
    doing: Doing
    drawing: Drawing
    acts: ActBook
    cards: CardBook
    own: OwnActs
    clock: Clock
    stir: Stir
    connecting: Connecting = field(default=connect_card)

    async def clicked(self, asker: Asker, token: str, shown: Shown) -> None:
        """Do what a button stands for, or ask for what it needs. Never raises refusals."""
        act = await self._looked_up(asker, token, shown)
        if act is None:
            return
        try:
            who = await self.admitting.admit(asker, act)
            if act.act in OURS:
                await self.own.do(who, shown)
            elif act.needs is Needs.FORM:
                await self.ask(who, shown)
            else:
                await self._at_once(who, shown)
        except AtomError as error:
            await self._tell(shown, asker, act, error)

    async def submitted(
        self, asker: Asker, token: str, values: Mapping[str, str], shown: Shown
    ) -> None:
        """Take a form. What is wrong with it is shown at its inputs; it stays open."""
        act = await self._looked_up(asker, token, shown)
        if act is None:
            return
        try:
            who = await self.admitting.admit(asker, act)
            if narrows := act.detail.get("narrows"):
                await self._go_on(who, values.get(narrows, ""), shown)
                return
            deed = _resolved(act, values) if _was_asked(act) else _entered(act, values)
            if deed is None:
                await self.acts.claim(asker.tenant, token, who.person, self.clock())
                await self.acts.concluded(asker.tenant, token, who.person, "left")
                await shown.finished("Nothing was saved; theirs stays.")
                return
            if not deed.values and act.ref is not None and act.act in EDITS:
                await shown.finished("Nothing was changed, so nothing was saved.")
                return
            await self._may_write(who, deed)
            key = key_of(asker.tenant, who.person, token, valued(deed.values))
            await self._claimed(who, replace(deed, key=key), shown)
        except AtomError as error:
            await self._tell(shown, asker, act, error)

    async def ask(
        self, who: Admitted, shown: Shown, prefilled: Mapping[str, str] | None = None
    ) -> None:
        """Show the form that an act needs, with what this person may see and write."""
        asker, act = who.asker, who.act
        access = await self.admitting.account(asker, who.person, act)
        records = self.admitting.system(asker.tenant, act)
        form = await records.form(access, act.act, act.ref, act.kind)
        await self._asked(who, form, shown, prefilled)

    async def _go_on(self, who: Admitted, chosen: str, shown: Shown) -> None:
        """Ask for what follows from a choice that had to be made first."""
        act = who.act
        access = await self.admitting.account(who.asker, who.person, act)
        records = self.admitting.system(who.asker.tenant, act)
        if not isinstance(records, Narrows):
            raise NotAllowed("That is no form.")
        form = await records.narrowed(access, act.act, act.ref, act.kind, chosen)
        await self._asked(who, form, shown, json.loads(act.detail["prefilled"]))

    async def _asked(
        self,
        who: Admitted,
        form: Form,
        shown: Shown,
        prefilled: Mapping[str, str] | None,
    ) -> None:
        asker, act = who.asker, who.act
        viewer = (asker.tenant, asker.person, asker.account)
        if act.ref is not None:
            classes = {each.cls for each in form.inputs} | {PUBLIC}
            floor = await self.drawing.floors.of_viewer(viewer, act.ref, classes)
            form = form_of(form, floor.audience(viewer=True))
        if prefilled:
            form = _filled(form, prefilled)
        issued = self._form_act(who, form)
        if form.narrows:
            first = {"narrows": form.narrows, "prefilled": json.dumps(prefilled or {})}
            issued = replace(issued, detail={**issued.detail, **first})
        await self.acts.issue([issued])
        await shown.form(form, issued.token)

    def _form_act(self, who: Admitted, form: Form) -> IssuedAct:
        act = who.act
        offer = Offer(form.act or act.act, act.detail.get("label", ""), act.right)
        detail = {
            "card": act.card_id or act.detail.get("card", ""),
            "seen": json.dumps({each.id: each.value for each in form.inputs}),
            "labels": json.dumps({each.id: each.label for each in form.inputs}),
            "classes": json.dumps({each.id: each.cls for each in form.inputs}),
            "base": form.rev.text if form.rev else "",
            "based": "yes" if form.rev else "",
            **{k: v for k, v in act.detail.items() if k in _KEPT},
        }
        made = self.drawing.personal(
            who.asker, who.person, act.ref, offer, kind=act.kind, detail=detail
        )
        return replace(
            made,
            rev=form.rev or NEVER,
            system=act.system,
            instance=act.instance,
        )

    async def _looked_up(
        self, asker: Asker, token: str, shown: Shown
    ) -> IssuedAct | None:
        """Return what a token stands for, or say why it stands for nothing now."""
        try:
            return await self.acts.look(asker.tenant, token, self.clock())
        except Outdated as error:
            await shown.finished(await self._outdated(asker, error.act))
        except NotFound:
            await shown.finished(_OUT_OF_DATE)
        except AtomError as error:
            await shown.finished(sentence(error, "ATOM"))
        return None

    async def _outdated(self, asker: Asker, act: IssuedAct | None) -> str:
        """Say of a button that was replaced whether its deed was done by this person."""
        if act is None or act.ref is None or act.act in OURS:
            return _OUT_OF_DATE
        self.stir(asker.tenant, act.ref)
        person = await self.admitting.who(asker)
        if person and act.needs is not Needs.FORM:
            key = _key_at_once(asker.tenant, person, act)
            if await self.doing.finished_before(asker.tenant, key):
                return "That is recorded already."
        return _OUT_OF_DATE

    async def _at_once(self, who: Admitted, shown: Shown) -> None:
        act = who.act
        base: Revision | None = None
        if act.right is not Action.RECORD_APPROVE and act.card_id:
            # What the card shows now is what the person acts on.
            card = await self.cards.get(who.asker.tenant, act.card_id)
            base = max(act.rev, card.rev) if card else act.rev
        elif act.right is not Action.RECORD_APPROVE and act.rev != NEVER:
            base = act.rev
        key = _key_at_once(who.asker.tenant, who.person, act)
        deed = Deed(act.act, key, act.ref, act.kind, _fixed(act), base=base)
        await self._claimed(who, deed, shown)

    async def _claimed(self, who: Admitted, deed: Deed, shown: Shown) -> None:
        """Do a deed, after its button was claimed: of two clicks one gets through."""
        asker, act = who.asker, who.act
        tenant, token, person = asker.tenant, act.token, who.person
        try:
            await self.acts.claim(
                tenant,
                token,
                person,
                self.clock(),
                address=asker.address,
                deed=deed.key,
            )
        except UsedUp as used:
            done = used.outcome or (
                await self.doing.finished_before(tenant, deed.key) and "recorded"
            )
            await shown.finished("That is recorded already." if done else _UNDER_WAY)
            return
        try:
            did = await self.doing.do(
                who,
                deed,
                act.detail.get("label", ""),
                act.detail.get(CORRELATION, ""),
            )
        except EditConflict as conflict:
            await self.acts.released(tenant, token, person)
            await self._compare(who, deed, conflict, shown)
            return
        except AtomError:
            await self.acts.released(tenant, token, person)
            raise
        await self.acts.concluded(tenant, token, person, "recorded")
        await shown.finished(did.text)
        if did.done is not None and deed.ref is None:
            await self.own.made(who, did.done.record)

    async def _may_write(self, who: Admitted, deed: Deed) -> None:
        """Ask the policy about each class of fields that is written, as of now."""
        classes = json.loads(who.act.detail.get("classes", "{}"))
        for cls in sorted({classes.get(id_, PUBLIC) for id_ in deed.values}):
            if cls != PUBLIC:
                await self.admitting.decided(who.asker, who.act, cls)

    async def _compare(
        self, who: Admitted, deed: Deed, conflict: EditConflict, shown: Shown
    ) -> None:
        """Show what each of two people wrote, and ask what is to stay."""
        act, latest = who.act, conflict.latest
        labels = json.loads(act.detail.get("labels", "{}"))
        seen = dict(deed.seen) or dict.fromkeys(deed.values, "")
        if not deed.values:
            if deed.ref is not None:
                self.stir(who.asker.tenant, deed.ref)
            await shown.finished(_OUT_OF_DATE)
            return
        told, rev = await self._now(who, deed, latest)
        found = differences(deed.values, seen, told, labels)
        form = ways_out(found, deed.ref, deed.act)
        now = {id_: told.get(id_, "") for id_ in seen}
        detail = {
            "asked": "yes",
            "card": act.detail.get("card", ""),
            "mine": json.dumps(dict(deed.values)),
            "apart": json.dumps(apart(found)),
            "seen": json.dumps(now),
            "labels": act.detail.get("labels", "{}"),
            "classes": act.detail.get("classes", "{}"),
            "base": rev.text,
            "based": "yes",
        }
        offer = Offer(act.act, act.detail.get("label", ""), act.right, Look.PLAIN)
        issued = replace(
            self.drawing.personal(
                who.asker, who.person, deed.ref, offer, kind=act.kind, detail=detail
            ),
            rev=rev,
        )
        await self.acts.issue([issued])
        if deed.ref is not None:
            self.stir(who.asker.tenant, deed.ref)
        await shown.form(form, issued.token)

    async def _now(
        self, who: Admitted, deed: Deed, latest: Record
    ) -> tuple[dict[str, str], Revision]:
        """
        Return the values that the same form would show now, and of which revision.

        A form may call its fields otherwise than a card does, so it is asked for again.
        """
        asker, act = who.asker, who.act
        try:
            access = await self.admitting.account(asker, who.person, act)
            records = self.admitting.system(asker.tenant, act)
            form = await records.form(access, deed.act, deed.ref, deed.kind)
        except AtomError:
            values = {
                id_: value
                for id_ in deed.seen
                if (value := value_of(latest, id_)) is not None
            }
            return values, latest.rev
        values = {each.id: each.value for each in form.inputs}
        return values, form.rev or latest.rev

    async def _tell(
        self, shown: Shown, asker: Asker, act: IssuedAct, error: AtomError
    ) -> None:
        if isinstance(error, Rejected) and not _is_form(act):
            await shown.finished(str(error))
            return
        place = (act.system, act.instance)
        await tell(shown, asker, error, place, self.connecting)


def _fixed(act: IssuedAct) -> dict[str, str]:
    """Return the values that a button that needs no form writes, if it has any."""
    found: dict[str, str] = json.loads(act.detail.get(VALUES, "{}"))
    return found


_KEPT = frozenset({"cause", "thread"})  # what a new record's card will need


def _is_form(act: IssuedAct) -> bool:
    return "seen" in act.detail


def _was_asked(act: IssuedAct) -> bool:
    return act.detail.get("asked") == "yes"


def _key_at_once(tenant: str, person: str, act: IssuedAct) -> str:
    """The same on both platforms: whoever approves twice approves once."""
    rev = "" if act.right is Action.RECORD_APPROVE else act.rev.order
    fixed = _fixed(act)
    written = (valued(fixed),) if fixed else ()
    return key_of(tenant, person, act.ref, act.act, rev, *written)


def _base(act: IssuedAct) -> Revision | None:
    return act.rev if act.detail.get("based") else None


def _entered(act: IssuedAct, values: Mapping[str, str]) -> Deed:
    """Return the deed that a form asks for. What it did not ask for is left out."""
    if not _is_form(act):
        raise NotAllowed("That is no form.")
    seen: dict[str, str] = json.loads(act.detail["seen"])
    given = {id_: text for id_, text in values.items() if id_ in seen}
    edits = act.ref is not None and act.act in EDITS
    written = {
        id_: text
        for id_, text in given.items()
        if text != seen[id_] or (text and not edits)
    }
    base = _base(act)
    return Deed(act.act, "", act.ref, act.kind, written, seen, base)


def _resolved(act: IssuedAct, values: Mapping[str, str]) -> Deed | None:
    """Return what is to be written after a comparison; None if it is theirs."""
    choice = values.get(RESOLUTION, "")
    if choice == THEIRS:
        return None
    mine: dict[str, str] = json.loads(act.detail["mine"])
    if choice == MINE:
        own = json.loads(act.detail["apart"])
        mine = {id_: text for id_, text in mine.items() if id_ in own}
    elif choice != OVERWRITE:
        raise Rejected("Choose one.", {RESOLUTION: "Choose one of these."})
    if not mine:
        return None
    seen: dict[str, str] = json.loads(act.detail["seen"])
    return Deed(act.act, "", act.ref, act.kind, mine, seen, act.rev)


def _filled(form: Form, values: Mapping[str, str]) -> Form:
    """Enter what is known already; what does not fit an input is left out."""
    inputs = []
    for each in form.inputs:
        text = values.get(each.id, each.value)
        if each.longest and len(text) > each.longest:
            text = text[: each.longest - 1] + "…"
        inputs.append(replace(each, value=text))
    return replace(form, inputs=tuple(inputs))
