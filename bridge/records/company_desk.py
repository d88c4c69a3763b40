"""The desk where everything about records is asked for, put together of its parts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from bridge.errors import AtomError, BadInput, NotAllowed
from bridge.records.acting import Acting
from bridge.records.books import (
    CardBook,
    CardInstance,
    CardState,
    IssuedAct,
    LevelBook,
)
from bridge.records.cards import Level, RecordCard, Standing
from bridge.records.desk import (
    NOT_KEPT,
    Asker,
    Found,
    Opened,
    Preview,
    Said,
    SystemLine,
)
from bridge.records.drawing import Drawing
from bridge.records.entries import RecordLog, Wish, shown, viewed
from bridge.records.mentions import Mentions
from bridge.records.model import PUBLIC, Mention, Record
from bridge.records.opening import Opening
from bridge.records.places import Shown
from bridge.records.ports import Records
from bridge.records.saga import SAGA, Saga
from bridge.records.searching import Searching
from bridge.records.starting import CHOOSE, Starting


@dataclass(frozen=True, slots=True)
class Desk:
    """Implements `bridge.records.desk.RecordDesk`."""

    acting: Acting
    starting: Starting
    searching: Searching
    mentions: Mentions
    saga: Saga
    drawing: Drawing
    cards: CardBook
    levels: LevelBook
    log: RecordLog

    async def clicked(self, asker: Asker, token: str, shown: Shown) -> None:
        act = await self._looked_up(asker, token)
        if act is not None and act.act == SAGA:
            await self.saga.again(asker, act, shown)
        else:
            await self.acting.clicked(asker, token, shown)

    async def submitted(
        self, asker: Asker, token: str, values: Mapping[str, str], shown: Shown
    ) -> None:
        act = await self._looked_up(asker, token)
        if act is not None and act.act == CHOOSE:
            await self.starting.chosen(asker, act, values, shown)
        elif act is not None and act.act == SAGA:
            await self.saga.again(asker, act, shown, values)
        else:
            await self.acting.submitted(asker, token, values, shown)

    async def _looked_up(self, asker: Asker, token: str) -> IssuedAct | None:
        try:
            return await self.drawing.acts.look(
                asker.tenant, token, self.drawing.clock()
            )
        except AtomError:
            return None  # it is looked up again where that is told to the person

    async def start(
        self, asker: Asker, kind: str, said: Said | None, shown: Shown
    ) -> None:
        await self.starting.start(asker, kind, said, shown)

    async def preview(
        self,
        asker: Asker,
        urls: Sequence[str],
        *,
        composing: bool,
        cause: str = "",
        unfurl: Mapping[str, str] = NOT_KEPT,
    ) -> Sequence[Preview]:
        found = []
        for url in urls:
            for records in self.mentions.systems.of(asker.tenant):
                mention = next(iter(records.recognise(url)), None)
                if mention is None:
                    continue
                kept = {**unfurl, "url": url} if unfurl and not composing else {}
                made = await self._preview(asker, (url, mention), records, cause, kept)
                found.append(made)
                break
            else:
                found.append(Preview(url, None))
        return found

    async def view(self, asker: Asker, token: str) -> RecordCard | None:
        """Return somebody's own view; whatever is against it shows the room's card."""
        try:
            act = await self.drawing.acts.look(
                asker.tenant, token, self.drawing.clock()
            )
            if act.ref is None:
                return None
            who = await self.acting.admitting.admit(asker, act)
            own = self.acting.own
            drawn = await own.drawn(asker, who.person, act.ref, act.card_id)
        except AtomError:
            return None
        return drawn.card if drawn.card.standing is Standing.LIVE else None

    async def opened(self, asker: Asker, address: str, url: str) -> Opened:
        own = self.acting.own
        return await Opening(own, self.cards, self.acting.connecting).open(
            asker, address, url
        )

    async def find(self, asker: Asker, words: str, within: float) -> Found:
        try:
            return await self.searching.find(asker, words, within)
        except (BadInput, NotAllowed) as refusal:
            return Found(words, (), (SystemLine("ATOM", str(refusal)),))

    async def _preview(
        self,
        asker: Asker,
        link: tuple[str, Mention],
        records: Records,
        cause: str,
        unfurl: Mapping[str, str],
    ) -> Preview:
        url, mention = link
        channel = asker.channel
        if channel is None:
            return await self._unsent(asker, link, records)
        level = await self.levels.level(asker.tenant, channel, records.system)
        if level is Level.NOTHING:
            return Preview(url, None)
        answer = await self.mentions.looked_at(asker, records, mention)
        if not isinstance(answer, Record):
            if answer and cause:
                # As with what a message names: whoever comes first tells them.
                await self.mentions.explain(asker, cause, records, answer)
                return Preview(url, None)
            return Preview(url, None, answer)
        instance = CardInstance(
            card_id=f"crd_{self.drawing.tokens()}",
            tenant=asker.tenant,
            ref=answer.ref,
            channel=channel,
            cause=cause,
            level=level if unfurl or level is not Level.DATA else Level.NAME,
            unfurl=unfurl,
            made_us=self.drawing.clock(),
        )
        if unfurl and cause:
            return await self._kept(url, instance, answer)
        card = await self._drawn(instance, answer)
        present = await self.drawing.rooms.present(asker.tenant, channel)
        return Preview(url, card, readers=present.people)

    async def _unsent(
        self, asker: Asker, link: tuple[str, Mention], records: Records
    ) -> Preview:
        """
        Preview a link that is in no channel yet, for whoever writes it.

        Nothing is kept of it. Once it is sent it may stand before anybody, so it says
        no more than the link does.
        """
        url, mention = link
        answer = await self.mentions.looked_at(asker, records, mention)
        if not isinstance(answer, Record):
            return Preview(url, None, answer)
        who = (asker.tenant, asker.person, asker.account)
        floor = await self.mentions.floors.of_viewer(who, answer.ref, [PUBLIC])
        drawn = self.drawing.for_writer(asker.tenant, answer, floor)
        wish = Wish(asker, self.drawing.tokens(), drawn.decision)
        await self.log.note(viewed(wish, drawn.card, drawn.hidden))
        return Preview(url, drawn.card)

    async def _kept(self, url: str, wanted: CardInstance, record: Record) -> Preview:
        """Keep a preview as a card that stands; the same message has no second one."""
        [instance] = await self.cards.plan([wanted])
        if instance.state is not CardState.PLANNED and not instance.unfurl:
            return Preview(url, None)  # it stands as a card of its own already
        instance = replace(instance, unfurl=wanted.unfurl)
        message = wanted.cause.rpartition("/")[2]
        mine = await self.cards.posting(instance.tenant, instance.card_id)
        if not mine and instance.state is CardState.PLANNED:
            return Preview(url, None)  # it is being posted as a card of its own
        await self.cards.posted(
            instance.tenant, instance.card_id, message, wanted.unfurl
        )
        return Preview(url, await self._drawn(instance, record))

    async def _drawn(self, instance: CardInstance, record: Record) -> RecordCard:
        """Draw what the room sees, as the integration reads it, and note that it does."""
        reading = self.mentions.posting.reading
        answers = await reading.read(instance.tenant, [record.ref], urgent=True)
        seen = answers.seen[record.ref]
        if not isinstance(seen, Record):
            # The room gets no more than that there is something: the author sees it.
            seen = replace(record, facts=(), body=None, offers=(), secured=True)
        lasting = not instance.unfurl
        drawn = await self.drawing.for_room(instance, seen, lasting=lasting)
        entry = shown(instance, drawn.card, drawn.decision, withheld=drawn.hidden)
        await self.log.note(entry)
        card = await self.drawing.issued(instance, drawn)
        if instance.unfurl:
            await self.cards.shown(
                replace(
                    instance,
                    rev=drawn.rev,
                    digest=drawn.digest,
                    standing=card.standing,
                    shown_us=self.drawing.clock(),
                )
            )
        return card
