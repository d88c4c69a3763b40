"""
Make the card that one audience gets of a record, and issue the buttons on it.

Whether it has to be shown again is known from its digest before any button is issued:
buttons that are issued end those that stand there.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from bridge.access import Action, Decision
from bridge.records.books import ActBook, CardInstance, IssuedAct
from bridge.records.cards import CardButton, Level, RecordCard
from bridge.records.desk import Asker
from bridge.records.floor import Floor, Floors, Room
from bridge.records.model import (
    NEVER,
    PUBLIC,
    Absence,
    Needs,
    Offer,
    Record,
    RecordRef,
    Revision,
)
from bridge.records.places import Rooms
from bridge.records.redaction import (
    CONNECT,
    FOLLOW,
    RETRY,
    VIEW,
    Audience,
    Frame,
    card_of,
    digest_of,
    hidden_fields,
    offers_of,
)

SHARE = Offer("share", "Show in channel", Action.RECORD_VIEW)
OURS = frozenset(each.act for each in (VIEW, FOLLOW, RETRY, CONNECT, SHARE))
"""Acts that ATOM does itself: nothing is written to a business system."""
VALUES, CORRELATION = "values", "correlation"
"""Details of a button: what it writes without a form, and what it belongs to on record."""

_DAY = 24 * 3600 * 1_000_000
_ROOM_US, _OWN_US = 30 * _DAY, _DAY

Clock = Callable[[], int]  # microseconds UTC
Tokens = Callable[[], str]  # a new random token of at least 128 bits
Hosts = Callable[[str], frozenset[str]]


def no_hosts(_tenant: str) -> frozenset[str]:
    """The default: no page of any system may be linked to."""
    return frozenset()


@dataclass(frozen=True, slots=True)
class Drawn:
    """
    A card whose buttons have no tokens yet; `digest` is of what is seen of it.

    `fields` and `hidden` are what the audience sees and does not see, for the record.
    """

    card: RecordCard
    digest: str
    rev: Revision
    seen: Record | Absence
    audience: Audience
    floor: Floor = field(default_factory=lambda: Floor(frozenset()))
    hidden: tuple[str, ...] = ()
    version: str = ""

    @property
    def fields(self) -> tuple[str, ...]:
        return tuple(each.id for each in self.card.fields if each.text is not None)

    @property
    def decision(self) -> Decision | None:
        """The one answer of the policy that says most: a refusal, if there is any."""
        refusals = [each.decision for each in self.floor.hidden if each.decision]
        return next(iter((*refusals, *self.floor.shown)), None)


@dataclass(frozen=True, slots=True)
class Drawing:
    """Draws for rooms and for people; `hosts` are where a company's systems are."""

    floors: Floors
    rooms: Rooms
    acts: ActBook
    clock: Clock
    tokens: Tokens
    hosts: Hosts = no_hosts

    async def for_room(
        self,
        instance: CardInstance,
        seen: Record | Absence,
        last: Record | None = None,
        *,
        lasting: bool = False,
    ) -> Drawn:
        """
        Draw what everybody in a channel may see. Nothing is kept yet.

        What is `lasting` cannot be changed where it will stand: it holds nothing that
        is not public, since others may come to read it.
        """
        floor, version = Floor(frozenset()), ""
        if known := seen if isinstance(seen, Record) else last:
            present = await self.rooms.present(instance.tenant, instance.channel)
            version = present.version
            room = Room(instance.tenant, instance.channel, present)
            floor = await self.floors.of_room(room, instance.ref, known.classes)
            floor = floor.public if lasting else floor
        audience = floor.audience(instance.level)
        offers = offers_of(seen, audience)
        card = card_of(seen, audience, self._frame(instance, offers), last)
        rev = seen.rev if isinstance(seen, Record) else NEVER
        hidden = hidden_fields(seen, audience) if isinstance(seen, Record) else ()
        digest = digest_of(card)
        return Drawn(card, digest, rev, seen, audience, floor, hidden, version)

    async def issued(self, instance: CardInstance, drawn: Drawn) -> RecordCard:
        """Give a room's card its buttons; those that it had before end."""
        until = self.clock() + _ROOM_US
        acts = [
            IssuedAct(
                token=self.tokens(),
                tenant=instance.tenant,
                ref=instance.ref,
                act=offer.act,
                right=offer.right,
                rev=drawn.rev,
                until_us=until,
                card_id=instance.card_id,
                channel=instance.channel,
                kind=instance.ref.kind,
                system=instance.ref.system,
                instance=instance.ref.instance,
                needs=offer.needs,
                detail={"label": offer.label},
            )
            for offer in offers_of(drawn.seen, drawn.audience)
        ]
        if acts:
            await self.acts.issue(acts)
        return replace(drawn.card, buttons=_filled(drawn.card.buttons, acts))

    def for_writer(self, tenant: str, seen: Record, floor: Floor) -> Drawn:
        """
        Draw that there is a record, for somebody who writes of it, by their own floor.

        It has no button: where it is going to be pressed is not known.
        """
        audience = floor.audience(Level.BUTTON)
        frame = Frame("", seen.ref, self.clock(), self.hosts(tenant))
        card = card_of(seen, audience, frame)
        if audience.sees(PUBLIC):
            card = replace(card, note=_ONCE_SENT)
        hidden = hidden_fields(seen, audience)
        return Drawn(card, digest_of(card), seen.rev, seen, audience, floor, hidden)

    async def for_person(
        self,
        asker: Asker,
        person: str,
        ref: RecordRef,
        seen: Record | Absence,
        card_id: str = "",
    ) -> Drawn:
        """
        Draw what one person may see, with buttons that are theirs alone.

        `person` is their key; `card_id` is the room's card in whose place it stands.
        """
        classes = seen.classes if isinstance(seen, Record) else {PUBLIC}
        who = (asker.tenant, asker.person, asker.account)
        floor = await self.floors.of_viewer(who, ref, classes)
        audience = floor.audience(Level.DATA, viewer=True)
        offers = list(offers_of(seen, audience))
        issued = [self.personal(asker, person, ref, each) for each in offers]
        if isinstance(seen, Record):
            issued = [replace(each, rev=seen.rev) for each in issued]
        tokens = {act.act: act.token for act in issued}
        frame = Frame(card_id, ref, self.clock(), self.hosts(asker.tenant), tokens)
        card = card_of(seen, audience, frame)
        shareable = isinstance(seen, Record) and audience.sees(PUBLIC)
        if shareable and asker.channel is not None:
            share = self.personal(asker, person, ref, SHARE)
            issued.append(share)
            button = CardButton(share.act, SHARE.label, share.token)
            card = replace(card, buttons=(*card.buttons, button))
        if issued:
            await self.acts.issue(issued)
        rev = seen.rev if isinstance(seen, Record) else NEVER
        hidden = hidden_fields(seen, audience) if isinstance(seen, Record) else ()
        return Drawn(card, digest_of(card), rev, seen, audience, floor, hidden)

    def personal(  # noqa: PLR0913 - what a button stands for
        self,
        asker: Asker,
        person: str,
        ref: RecordRef | None,
        offer: Offer,
        *,
        kind: str = "",
        detail: Mapping[str, str] | None = None,
    ) -> IssuedAct:
        """Make a button that one person alone may use, where it was shown to them."""
        return IssuedAct(
            token=self.tokens(),
            tenant=asker.tenant,
            ref=ref,
            act=offer.act,
            right=offer.right,
            rev=NEVER,
            until_us=self.clock() + _OWN_US,
            channel=asker.channel,
            person=person,
            kind=kind or (ref.kind if ref else ""),
            system=ref.system if ref else None,
            instance=ref.instance if ref else "",
            needs=offer.needs or Needs.NOTHING,
            detail={"label": offer.label, **(detail or {})},
        )

    def _frame(self, instance: CardInstance, offers: Sequence[Offer]) -> Frame:
        return Frame(
            instance.card_id,
            instance.ref,
            self.clock(),
            self.hosts(instance.tenant),
            {offer.act: _TO_COME for offer in offers},
        )


_TO_COME = "to come"
_ONCE_SENT = "Once it is sent, a card shows as much of it as that channel allows."


def _filled(
    buttons: Sequence[CardButton], acts: Sequence[IssuedAct]
) -> tuple[CardButton, ...]:
    tokens = {act.act: act.token for act in acts}
    return tuple(replace(each, token=tokens[each.act]) for each in buttons)
