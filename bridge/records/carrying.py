"""
Carry what is said below a record's card into the record, where a channel chose that.

It is written as whoever said it, with their own account, once, and on record like
everything that is written. Where a system lets customers read along it is kept among
colleagues. What becomes of it in chat later is for `bridge.records.amending`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from bridge.access import Action
from bridge.cards import Card, Tone
from bridge.errors import AtomError, BadInput, DeliveryFailed, StoreUnavailable
from bridge.messages import Channel, PersonKind, Platform
from bridge.records.admitting import Admitted, Admitting
from bridge.records.answering import Connecting, connect_card, sentence
from bridge.records.books import CardBook, CardState, Carried, CarriedBook, LevelBook
from bridge.records.desk import Asker
from bridge.records.doing import Doing, Wanted, key_of
from bridge.records.drawing import Drawing
from bridge.records.entries import RecordLog, explained
from bridge.records.forms import Deed, Form, InputKind
from bridge.records.mentions import Named
from bridge.records.model import Offer, Record, RecordRef
from bridge.records.places import CardPlace
from bridge.records.ports import NotConnected
from bridge.records.posting import Threads, placed

# A note is for colleagues; a comment may be for customers as well.
_ACTS = ("note", "comment")
_PEOPLE = {PersonKind.USER, PersonKind.GUEST}
_AGAIN_US = 10 * 60 * 1_000_000


@dataclass(frozen=True, slots=True)
class Carrying:
    """Listens in channels that chose it, which `look` finds out about."""

    admitting: Admitting
    doing: Doing
    drawing: Drawing
    cards: CardBook
    threads: Threads
    levels: LevelBook
    places: Mapping[Platform, CardPlace]
    log: RecordLog
    carried: CarriedBook
    connecting: Connecting = field(default=connect_card)
    _on: dict[str, frozenset[Channel]] = field(default_factory=dict)

    async def look(self, tenant: str) -> None:
        """Find out which channels chose it. Raises `StoreUnavailable`."""
        chosen = await self.levels.threads(tenant)
        self._on[tenant] = frozenset(c for c, one in chosen.items() if one.way.outward)

    def listens(self, tenant: str) -> bool:
        """Whether what is said anywhere in a company may have to be carried."""
        return bool(self._on.get(tenant))

    def hears(self, tenant: str, channel: Channel) -> bool:
        """Whether a channel chose it, as far as `look` found out."""
        return channel in self._on.get(tenant, frozenset())

    async def noticed(self, said: Named) -> None:
        """
        Write what was said below a card, as who said it, or tell them alone why not.

        Raises `StoreUnavailable`: then it has to come again, and is still written once.
        """
        here = self.hears(said.tenant, said.channel)
        if not here or not said.thread or not said.text.strip():
            return
        if said.author.kind not in _PEOPLE:
            return
        ref = await self._below(said)
        asker = Asker(said.tenant, said.author, said.account, said.channel)
        person = await self.admitting.who(asker) if ref else None
        if ref is None or person is None:
            return
        key = key_of(said.tenant, person, "thread", said.channel, said.message)
        if await self.doing.finished_before(said.tenant, key):
            return
        now = self.drawing.clock()
        await self.carried.keep(
            Carried(
                said.tenant,
                said.channel,
                said.message,
                ref,
                person,
                asker.address,
                deed=key,
                latest=key,
                seq=said.seq,
                done=said.seq,
                said_us=now,
                at_us=now,
            )
        )
        try:
            await self.write(asker, person, ref, said.text.strip(), key)
        except StoreUnavailable:
            raise
        except AtomError as error:
            await self.tell(asker, ref, error, said.message)

    async def _below(self, said: Named) -> RecordRef | None:
        """Return the one record whose card stands in the thread."""
        found = set()
        for card in await self.cards.in_channel(said.tenant, said.channel):
            if card.state is not CardState.POSTED:
                continue
            where = await placed(self.threads, card)
            if where is not None and said.thread in {where.thread, where.message}:
                found.add(card.ref)
        return found.pop() if len(found) == 1 else None

    async def write(
        self, asker: Asker, person: str, ref: RecordRef, text: str, key: str
    ) -> None:
        """Add a text to a record, as a person, once for each key."""
        wanted = await self.wanted(asker, person, ref, text, key)
        if asker.channel is not None:
            await self.carried.wrote(asker.tenant, asker.channel, ref, key)
        await self.doing.do(wanted.who, wanted.deed, wanted.label, quiet=True)

    async def wanted(
        self, asker: Asker, person: str, ref: RecordRef, text: str, key: str
    ) -> Wanted:
        """Return the deed that adds a text, as the person may do it now."""
        offer = await self._offered(asker, person, ref)
        act = self.drawing.personal(asker, person, ref, offer)
        who = await self.admitting.admit(asker, act)
        access = await self.admitting.account(asker, person, act)
        records = self.admitting.system(asker.tenant, act)
        form = await records.form(access, offer.act, ref, ref.kind)
        deed = Deed(form.act, key, ref, ref.kind, _values(form, text), base=None)
        await self._may_write(who, form, deed)
        return Wanted(who, deed, offer.label)

    async def _may_write(self, who: Admitted, form: Form, deed: Deed) -> None:
        for each in form.inputs:
            if each.id in deed.values and each.cls != "public":
                await self.admitting.decided(who.asker, who.act, each.cls)

    async def _offered(self, asker: Asker, person: str, ref: RecordRef) -> Offer:
        """Return the act that adds a text, as the person's own account has it."""
        look = Offer("view", "", Action.RECORD_VIEW)
        act = self.drawing.personal(asker, person, ref, look)
        access = await self.admitting.account(asker, person, act)
        records = self.admitting.system(asker.tenant, act)
        seen = (await records.read(access, [ref])).get(ref)
        if isinstance(seen, Record) and (offer := adding(seen)):
            return offer
        raise BadInput("You can add nothing to that record.")

    async def tell(
        self, asker: Asker, ref: RecordRef, error: AtomError, message: str
    ) -> None:
        """Tell somebody alone why what they said is not in the record."""
        place = self.places.get(asker.person.platform)
        if place is None or asker.channel is None:
            return
        name = ref.system.shown
        why = f"what was said was not added: {type(error).__name__}"
        notice = explained(asker, name, why, f"{asker.channel}/{message}")
        card = Card(f"Not added to {name}", sentence(error, name), Tone.WARNING)
        if isinstance(error, NotConnected):
            key = f"{asker.name}|{name}|threads"
            notice = replace(notice, key=key, again_us=_AGAIN_US)
            card = await self.connecting(asker, ref.system, ref.instance)
        if (await self.log.note(notice)).duplicate:
            return
        try:
            await place.whisper(asker.tenant, asker.channel, asker.person, card)
        except DeliveryFailed:
            return  # it is on record


def adding(record: Record) -> Offer | None:
    """Return the act that adds words to a record, None if there is none."""
    offers = {each.act: each for each in record.offers}
    return next((offers[act] for act in _ACTS if act in offers), None)


def _values(form: Form, text: str) -> dict[str, str]:
    """Enter a text: whole in the input for texts, its first line where one is needed."""
    values = {each.id: each.inside for each in form.inputs if each.inside}
    long = [each for each in form.inputs if each.kind is InputKind.TEXT]
    first = " ".join(text.splitlines()[0].split())
    for each in form.inputs:
        if each.kind is InputKind.LINE and each.required:
            values[each.id] = first[: each.longest or len(first)]
    if long:
        values[long[0].id] = text[: long[0].longest or len(text)]
    return values
