"""
Open a record for one person alone, beside the conversation.

A platform keeps what names the record and gives it back when somebody opens it: its
address, or a link to it. Neither is believed beyond being a name. Who opens it has to
be known, the policy has to agree now, and it is read with their own account.
"""

from dataclasses import dataclass

from bridge.errors import AtomError, BadInput, NotAllowed, NotFound
from bridge.records.answering import Connecting, sentence
from bridge.records.books import CardBook, CardState
from bridge.records.cards import RecordCard, Standing
from bridge.records.desk import Asker, Opened
from bridge.records.model import Mention, RecordRef
from bridge.records.own_acts import OwnActs
from bridge.records.ports import Gone, NotConnected, Records
from bridge.records.redaction import VIEW
from bridge.records.systems import home
from bridge.records.wording import when

_UNKNOWN = "No business system of your company has such a record."


@dataclass(frozen=True, slots=True)
class Opening:
    """`own` shows people their own views, `cards` are what stands in channels."""

    own: OwnActs
    cards: CardBook
    connecting: Connecting

    async def open(self, asker: Asker, address: str, url: str) -> Opened:
        """Return what they may see, or which of several reasons there is for nothing."""
        records: Records | None = None
        try:
            person = await self.own.admitting.known(asker)
            records, named = self._named(asker.tenant, address, url)
            ref = await self._found(asker, person, records, named)
            return await self._seen(asker, person, ref)
        except NotConnected as error:
            if records is None:
                return _refused(error, None)
            return await self._unconnected(asker, records)
        except AtomError as error:
            return _refused(error, records)

    def _named(
        self, tenant: str, address: str, url: str
    ) -> tuple[Records, RecordRef | Mention]:
        """Return what is meant, and the system that has it. Raises `NotFound`."""
        systems = self.own.admitting.systems
        try:
            ref = RecordRef.parse(address)
        except BadInput:
            for records in systems.of(tenant):
                for mention in records.recognise(url):
                    return records, mention
            raise NotFound(_UNKNOWN) from None
        return home(systems, tenant, ref), ref

    async def _found(
        self, asker: Asker, person: str, records: Records, named: RecordRef | Mention
    ) -> RecordRef:
        """Return the record's address, as the person finds it. Raises `Gone`."""
        if isinstance(named, RecordRef):
            return named
        if named.ref is not None:
            return named.ref
        access = await self.own.admitting.accesses.of(
            asker.tenant, person, records.system, records.instance
        )
        found = (await records.resolve(access, [named])).get(named.key)
        if found is None:
            raise Gone
        return found

    async def _seen(self, asker: Asker, person: str, ref: RecordRef) -> Opened:
        act = self.own.drawing.personal(asker, person, ref, VIEW)
        await self.own.admitting.decided(asker, act)
        card = await self.own.viewed(asker, person, ref)
        if card.standing is Standing.LIVE:
            return Opened(Standing.LIVE, card=card)
        if card.standing is Standing.UNAVAILABLE:
            return await self._unavailable(asker, card)
        return Opened(card.standing, card.reason)

    async def _unavailable(self, asker: Asker, card: RecordCard) -> Opened:
        """Say how old is what stands in the channel, if anything of it does."""
        shown = [
            each.shown_us
            for each in await self.cards.of_record(asker.tenant, card.ref)
            if each.channel == asker.channel and each.state is CardState.POSTED
        ]
        if not shown or not max(shown):
            text = f"{card.reason} Nothing is known of the record now; try again later."
            return Opened(Standing.UNAVAILABLE, text)
        drawn = when(max(shown))
        text = f"{card.reason} What this channel shows is of {drawn}, and may be old."
        return Opened(Standing.STALE, text)

    async def _unconnected(self, asker: Asker, records: Records) -> Opened:
        shown = records.system.shown
        try:
            connect = await self.connecting(asker, records.system, records.instance)
        except AtomError as error:
            return Opened(Standing.UNAVAILABLE, str(error))
        text = f"Your {shown} account is not connected."
        return Opened(Standing.UNAVAILABLE, text, connect=connect)


def _refused(error: AtomError, records: Records | None) -> Opened:
    text = sentence(error, records.system.shown if records else "ATOM")
    match error:
        case NotFound():
            return Opened(Standing.GONE, text)
        case NotAllowed():
            return Opened(Standing.FORBIDDEN, text)
        case _:
            return Opened(Standing.UNAVAILABLE, text)
