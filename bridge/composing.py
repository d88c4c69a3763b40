"""
What stands on the target for a message: who says it, where, and in which parts.

Everything that is sent comes from here, whichever delivery asks for it.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Protocol

from bridge.attribution import NOTHING_KNOWN, Attributes
from bridge.delivery import Copy, Delivery, Operation, Post
from bridge.document import Document, Names
from bridge.files import FileLine
from bridge.mentions import mentioned
from bridge.messages import HISTORY, Channel, Person, Platform
from bridge.naming import Naming, unasked
from bridge.others import HOPS, ORIGIN, origin_of
from bridge.parts import in_parts
from bridge.ports import Copies, History, People, Sender
from bridge.reactions import Reaction
from bridge.segments import Segment, rows_of, together, variants
from bridge.standing import Composition, Standing
from bridge.text import safe_url
from bridge.tuning import Tuning


class Origins(Protocol):
    """Where on its platform a channel is."""

    async def workspace(self, tenant: str, channel: Channel) -> str:
        """
        Return the name of the channel's workspace, or of its Teams tenant.

        Empty if the company has one only on that platform, or the name is not known.
        """
        ...


class Addresses(Protocol):
    """Where a message can be looked at."""

    async def of(self, channel: Channel, message: str) -> str:
        """Return its address on its platform, or nothing if that cannot be told."""
        ...


def as_called(_tenant: str, name: str) -> str:
    """The default: names are shown as they are."""
    return name


@dataclass(frozen=True, slots=True)
class Composer:
    """
    Makes posts. A reply whose root is not there waits for it for a while.

    It waits longer for a root that is still on its way.
    `lines` tells what a copy says about its message's files, and `story` what the log
    knows of a delivery's message. `called` says how a company lets a name be shown,
    and `attributes` what more is known of an author.
    """

    copies: Copies
    people: Mapping[Platform, People]
    origins: Origins
    senders: Mapping[Platform, Sender]
    clock: Callable[[], int]
    tuning: Tuning
    lines: Callable[[Delivery, History, Copy | None], Awaitable[tuple[FileLine, ...]]]
    story: Callable[[Delivery], Awaitable[History]]
    naming: Naming | None = None
    addresses: Mapping[Platform, Addresses] = field(default_factory=dict)
    called: Callable[[str, str], str] = as_called
    attributes: Attributes | None = None

    async def compose(
        self,
        delivery: Delivery,
        history: History,
        standing: Standing,
        reactions: tuple[Reaction, ...] = (),
        *,
        mark: bool = False,
    ) -> Composition | None:
        """
        Return what is to stand there, or None to wait for the root of its thread.

        The lines of reactions and files stand below the first part: that is where
        people see the message, and only one part changes with them. Where several share
        a copy, `mark` lets a line stand for one that is gone.
        """
        segments = await self._segments(delivery, history, standing)
        rows = tuple(segment.wanted(mark=mark) for segment in segments)
        told = together(segments, rows) if segments else history
        post = await self._post(delivery, told, standing.copy)
        if post is None:
            return None
        if segments:
            post = replace(post, files=await self._lines(delivery, segments, rows))
        budget = self._budget(delivery, standing.copy)
        gone = told.deleted if segments else delivery.operation is Operation.DELETE
        parts: tuple[Post, ...] = ()
        if not gone:
            parts = self._parts(post, delivery, budget)
            further = (replace(part, files=()) for part in parts[1:])
            parts = (replace(parts[0], reactions=reactions), *further)
        return Composition(post, parts, told.version_us, budget, rows, standing.mates)

    async def first(self, about: Delivery, story: History, copy: Copy) -> Post | None:
        """Return what the first part of a copy says, without reactions."""
        standing = Standing(copy)
        if copy.segment:
            standing = await Standing.whole(self.copies, copy)
        wanted = await self.compose(about, story, standing)
        return wanted.parts[0] if wanted and wanted.parts else None

    def fits(self, head: Delivery, author: Person, document: Document) -> bool:
        """Whether what a document says takes half of one part at most. Asks nobody."""
        target = head.target
        post = Post(head.marker, head.source, target, head.thread, author, document)
        sender = self.senders[target.platform]
        return len(in_parts(post, sender.weight, self._budget(head, None) // 2)) == 1

    async def sought(
        self, delivery: Delivery, history: History, standing: Standing
    ) -> Post | None:
        """
        Return the part that a lost answer was about, or None to wait for its root.

        Parts are posted in their order, so it is the first one that nobody knows of.
        """
        segments = await self._segments(delivery, history, standing)
        post = await self._post(delivery, history, standing.copy)
        if post is None:
            return None
        documents = variants(segments) if segments else _said(history)
        number = len(standing.parts) + 1
        budget = self._budget(delivery, standing.copy)
        said = [
            parts[number - 1].document
            for document in documents
            if len(
                parts := self._parts(replace(post, document=document), delivery, budget)
            )
            >= number
        ]
        return replace(
            post,
            thread=standing.parts[0].root if standing.parts else post.thread,
            marker=delivery.marker_of(number),
            document=said[0] if said else Document(),
            earlier=tuple(said[1:]),
        )

    async def _segments(
        self, delivery: Delivery, history: History, standing: Standing
    ) -> tuple[Segment, ...]:
        """Return the shares of all messages in a copy; nothing if there is only one."""
        if not standing.segments:
            pairs = zip(rows_of(standing.mates), standing.mates, strict=True)
            return tuple(Segment(row, mate.story) for row, mate in pairs)
        return tuple(
            [
                Segment(
                    row,
                    history
                    if row.message == delivery.message
                    else await self.story(_about(delivery, row)),
                )
                for row in standing.segments
            ]
        )

    async def _lines(
        self, delivery: Delivery, segments: Sequence[Segment], rows: Sequence[Copy]
    ) -> tuple[FileLine, ...]:
        found: list[FileLine] = []
        for segment, row in zip(segments, rows, strict=True):
            if row.remote and not row.deleted:
                about = _about(delivery, row)
                found += await self.lines(about, segment.story, row)
        return tuple(found)

    def _budget(self, delivery: Delivery, copy: Copy | None) -> int:
        """Return how much a part may weigh: what the platform has taken before."""
        usual = self.tuning.part(delivery.target.platform)
        return delivery.budget or (copy.budget if copy else 0) or usual

    def _parts(self, post: Post, delivery: Delivery, budget: int) -> tuple[Post, ...]:
        sender = self.senders[delivery.target.platform]
        return tuple(
            replace(post, document=document, marker=delivery.marker_of(number))
            for number, document in enumerate(in_parts(post, sender.weight, budget), 1)
        )

    async def _post(
        self, delivery: Delivery, history: History, copy: Copy | None
    ) -> Post | None:
        thread = copy.remote_thread if copy else await self._thread(delivery)
        if thread is None:
            return None
        people = self.people.get(delivery.source.platform)
        ids = {history.author.id, *mentioned(history.document)}
        found = await people.lookup(delivery.source, ids) if people else {}
        found = {id_: self._called(delivery, each) for id_, each in found.items()}
        author = history.author
        if known := found.get(author.id):
            author = author.named(known)
        names = await self._names(delivery, history, found)
        known_as = NOTHING_KNOWN
        if self.attributes:
            known_as = await self.attributes.of(delivery, history.author)
        orphan = bool(delivery.thread) and not thread
        return Post(
            marker=delivery.marker,
            source=delivery.source,
            target=delivery.target,
            thread=thread,
            author=author,
            document=history.document,
            people=found,
            note=note(history, orphan=orphan),
            names=names,
            workspace=await self.origins.workspace(delivery.tenant, delivery.source),
            hops=(*history.told.get(HOPS, "").split(), delivery.link),
            origin=history.told.get(ORIGIN, "")
            or origin_of(delivery.source, delivery.message),
            files=await self.lines(delivery, history, copy),
            address=await self._address(delivery) if orphan else "",
            account=known_as.account,
            confirmed=known_as.confirmed,
        )

    def _called(self, delivery: Delivery, person: Person) -> Person:
        name = self.called(delivery.tenant, person.name)
        return person if name == person.name else replace(person, name=name)

    async def _address(self, delivery: Delivery) -> str:
        """Return where the root is that is not on this side."""
        addresses = self.addresses.get(delivery.source.platform)
        if addresses is None:
            return ""
        return safe_url(await addresses.of(delivery.source, delivery.thread))

    async def _names(
        self, delivery: Delivery, history: History, people: Mapping[str, Person]
    ) -> Names:
        document = history.document
        if self.naming is None:
            return unasked(document, people)
        return await self.naming.names(delivery, document, people, history.author)

    async def _thread(self, delivery: Delivery) -> str | None:
        """Return the root's id on the target, "" for a new root, None to wait for it."""
        if not delivery.thread:
            return ""
        tenant, source, target = delivery.tenant, delivery.source, delivery.target
        root = await self.copies.copy_of(
            tenant, delivery.link, source, delivery.thread, target
        )
        if root:
            return root.root
        origin = await self.copies.origin_of(tenant, source, delivery.thread)
        if origin and origin.source == target:
            # Below a digest: it is not a message where it comes from.
            return "" if origin.message.startswith(HISTORY) else origin.message
        if origin:
            sibling = await self.copies.copy_of(
                tenant, origin.link, origin.source, origin.message, target
            )
            if sibling:
                return sibling.root
            if await self.copies.awaited(
                tenant, origin.link, origin.source, origin.message, target
            ):
                return None
        if self.clock() < delivery.created_us + self.tuning.orphan_patience_us:
            return None
        return ""


def _said(history: History) -> tuple[Document, ...]:
    return (history.document, *history.earlier)


def _about(delivery: Delivery, row: Copy) -> Delivery:
    """Return a delivery as if it were one about another message in the same copy."""
    # What is queued for files asks for the message as it is, whatever queued it.
    about = replace(delivery, operation=Operation.FILE, message=row.message, again=None)
    return replace(about, unknown_since_us=0, joined=())


def note(history: History, *, orphan: bool) -> str:
    notes = ["in reply to a message that is not here"] if orphan else []
    if history.told.get("broadcast"):
        notes.append("also sent to the channel")
    if history.late_us:
        said = datetime.fromtimestamp(history.late_us // 1_000_000, UTC)
        notes.append(f"said {said:%Y-%m-%d %H:%M} UTC")
    return "; ".join(notes)
