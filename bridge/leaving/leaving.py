"""
Keep what must not leave from leaving: as it is heard, and again as it is delivered.

The log keeps everything as it was said. Here only copies are dealt with: `Leaving` says
what goes where as a message is captured, and `WatchedLedger` gives whoever makes a copy
nothing but what may be shown at its target, so no renderer ever has the rest.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from bridge.access import Action, Decision
from bridge.delivery import Delivery, Operation
from bridge.document import Document, Paragraph, Style, Text
from bridge.enforcement import outsiders
from bridge.leaving.findings import NOTHING, Inspection, Part
from bridge.leaving.flat import hidden, hidden_text
from bridge.leaving.ports import Inspects, Releases, Said, row_of
from bridge.leaving.rules import PASSES, Deed, Taken, Verdict, Where
from bridge.links import Link
from bridge.messages import HISTORY, Channel, Event, EventKind, File, Person
from bridge.ports import History, Lease, Ledger, Links, Outcome

_SAYING = {
    EventKind.MESSAGE_CREATE,
    EventKind.MESSAGE_EDIT,
    EventKind.MESSAGE_RESTORE,
}
_ACTIONS = {Operation.EDIT: Action.EDIT, Operation.FILE: Action.FILE}
_BARE = {Operation.DELETE, Operation.REACT}
_WITHHELD = Document(
    (Paragraph((Text("(what it says now may not be shown here)", (Style.ITALIC,)),)),)
)


@dataclass(frozen=True, slots=True)
class Plan:
    """What remains to be delivered of what was planned, and why the rest does not."""

    deliveries: tuple[Delivery, ...]
    decisions: tuple[Decision, ...] = ()
    taken: tuple[Taken, ...] = ()


@dataclass(frozen=True, slots=True)
class Leaving:
    """Looks at what people say, and decides for each place where it would be seen."""

    inspects: Inspects
    links: Links
    releases: Releases | None = None

    async def look(self, tenant: str, event: Event) -> Inspection:
        """Return what is in an event. Raises `StoreUnavailable` as `Inspects` does."""
        if event.kind not in _SAYING or event.channel is None:
            return NOTHING
        new = event.kind is EventKind.MESSAGE_CREATE
        row = row_of(event.channel, event.thread, event.author.id) if new else ""
        said = Said(event.document, event.files, event.author.name, row, event.message)
        return await self.inspects.look(tenant, said)

    async def plan(
        self, event: Event, found: Inspection, deliveries: Sequence[Delivery]
    ) -> Plan:
        """Return which deliveries of an event are made, and what is done about it."""
        if found.empty or event.channel is None or not deliveries:
            return Plan(tuple(deliveries))
        links = await self.links.of(deliveries[0].tenant, event.channel)
        known = {link.id: link for link in links}
        kept: list[Delivery] = []
        decisions: list[Decision] = []
        taken: list[Taken] = []
        for each in deliveries:
            verdict = PASSES
            if each.operation not in _BARE:
                verdict = self._judged(each, found, known.get(each.link))
            if verdict.deed is not Deed.ALLOW:
                taken.append(Taken(verdict, each.link, each.target))
            if verdict.deed is Deed.BLOCK:
                decisions.append(self.decision(each, verdict))
            # What stands there already must not go on saying what it said.
            if verdict.deed is not Deed.BLOCK or each.operation is Operation.EDIT:
                kept.append(each)
        return Plan(tuple(kept), tuple(decisions), tuple(taken))

    async def shown(self, delivery: Delivery, story: History) -> History:
        """Return a message as it may be shown at the delivery's target."""
        if delivery.operation in _BARE or story.fault or story.erased:
            return story
        said = Said(story.document, story.files, story.author.name)
        tenant = delivery.tenant
        found = await self.inspects.look_again(tenant, said, story.inspection)
        author = self._named(tenant, story.author)
        story = replace(story, author=author, inspection=found, label=found.label)
        if found.empty:
            return replace(story, earlier=await self._earlier(delivery, story, None))
        link = await self._link(delivery)
        verdict = self._judged(delivery, found, link)
        if verdict.deed is Deed.QUARANTINE and await self._released(delivery, story):
            verdict = PASSES
        return await self._withheld(delivery, story, verdict, link)

    async def judged(self, delivery: Delivery, found: Inspection) -> Verdict:
        """Return what is to be done about something where the delivery goes."""
        return self._judged(delivery, found, await self._link(delivery))

    def shown_name(self, tenant: str, name: str) -> str:
        """Return a display name as it may be shown."""
        return self.inspects.shown_name(tenant, name) if name else name

    def decision(self, delivery: Delivery, verdict: Verdict) -> Decision:
        """Return a verdict against a delivery as the policy would put it."""
        return Decision(
            allowed=False,
            rule=verdict.named,
            policy=self.inspects.rules(delivery.tenant),
            directory="none",
            action=_ACTIONS.get(delivery.operation, Action.POST),
            reason=verdict.says,
            target=str(delivery.target),
        )

    def _judged(
        self, delivery: Delivery, found: Inspection, link: Link | None
    ) -> Verdict:
        where = where_of(delivery, link)
        return self.inspects.judge(delivery.tenant, found, where)

    async def _withheld(
        self,
        delivery: Delivery,
        story: History,
        verdict: Verdict,
        link: Link | None,
    ) -> History:
        whole = delivery.message.startswith(
            HISTORY
        )  # told by many, of whom one is held
        if verdict.withholds and not whole:
            # Its files stand there no longer, either.
            former = (*story.former_files, *story.files)
            story = replace(story, document=_WITHHELD, files=(), former_files=former)
            return replace(story, earlier=(), verdict=verdict)
        shown = replace(
            story,
            document=hidden(story.document, verdict.spans(Part.TEXT)),
            files=tuple(_renamed(file, verdict) for file in story.files),
            verdict=verdict,
        )
        return replace(shown, earlier=await self._earlier(delivery, story, link))

    async def _earlier(
        self, delivery: Delivery, story: History, link: Link | None
    ) -> tuple[Document, ...]:
        """Return what was said before as it was shown, or would have been."""
        shown: list[Document] = []
        for document in story.earlier:
            found = await self.inspects.look_again(
                delivery.tenant, Said(document), None
            )
            if found.empty:
                shown.append(document)
                continue
            link = link or await self._link(delivery)
            verdict = self._judged(delivery, found, link)
            if not verdict.withholds:
                shown.append(hidden(document, verdict.spans(Part.TEXT)))
        return tuple(shown)

    async def _released(self, delivery: Delivery, story: History) -> bool:
        if self.releases is None:
            return False
        return await self.releases.released(delivery, story.version_us)

    async def _link(self, delivery: Delivery) -> Link | None:
        links = await self.links.of(delivery.tenant, delivery.source)
        return next((link for link in links if link.id == delivery.link), None)

    def _named(self, tenant: str, author: Person) -> Person:
        if not author.name:
            return author
        name = self.inspects.shown_name(tenant, author.name)
        return author if name == author.name else replace(author, name=name)


def where_of(delivery: Delivery, link: Link | None) -> Where:
    """Return where a delivery goes, as rules ask for it."""
    beyond = outsiders(link, delivery.target)
    return Where(delivery.link, str(delivery.target), beyond)


def _renamed(file: File, verdict: Verdict) -> File:
    spans = verdict.names_of_files(file.key)
    return replace(file, name=hidden_text(file.name, spans)) if spans else file


@dataclass(frozen=True, slots=True)
class WatchedLedger:
    """A ledger that tells of messages only what may be shown where they go."""

    ledger: Ledger
    leaving: Leaving

    async def history(self, delivery: Delivery) -> History:
        return await self.leaving.shown(delivery, await self.ledger.history(delivery))

    async def intend(self, delivery: Delivery, lease: Lease) -> Delivery:
        return await self.ledger.intend(delivery, lease)

    async def conclude(
        self, delivery: Delivery, lease: Lease, outcome: Outcome, origin: History
    ) -> Delivery:
        return await self.ledger.conclude(delivery, lease, outcome, origin)

    async def known(
        self, tenant: str, target: Channel, since_us: int
    ) -> Collection[str]:
        return await self.ledger.known(tenant, target, since_us)
