"""
Which messages are brought across in one post.

A channel takes so many calls, however long each message is. While one is full, what one
person said in a row goes in one post: all of it stands there sooner, in its order and
under its author's name.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from bridge.admission import Admission
from bridge.composing import Composer, note
from bridge.delivery import AttemptState, Delivery, Operation
from bridge.document import Document
from bridge.links import Link
from bridge.messages import PersonKind, Platform
from bridge.options import Join
from bridge.others import HOPS, ORIGIN
from bridge.plain import plain_text
from bridge.ports import Copies, Ended, History, Ledger, Outcome
from bridge.segments import Mate
from bridge.standing import Standing

# Slack counts its posts by the second, and is never full for long.
_CROWDED = {Platform.TEAMS}
_MOST = 20
_WITHIN_US = 300_000_000
_APPS = {PersonKind.BOT, PersonKind.SYSTEM}
_CHANGES = {Operation.EDIT, Operation.DELETE}

Companions = Callable[[Delivery], Sequence[Delivery]]


def alone(_head: Delivery) -> Sequence[Delivery]:
    """Return that nothing waits behind a delivery."""
    return ()


@dataclass(frozen=True, slots=True)
class Joining:
    """
    Chooses a post's companions. `companions` tells what waits behind a head.

    Nothing overtakes: the first message that cannot be joined ends the row. What was
    deleted meanwhile is passed over, and so are changes of what is joined, which are
    in it already; these end by themselves afterwards.
    """

    ledger: Ledger
    copies: Copies
    admission: Admission
    composer: Composer
    companions: Companions = alone

    async def mates(
        self, head: Delivery, history: History, link: Link
    ) -> tuple[Mate, ...]:
        """Return all messages to post together, the head first; nothing for one."""
        if not _may_lead(head, history, link):
            return ()
        found = [Mate(head, history)]
        for delivery in self.companions(head):
            told = {mate.delivery.message for mate in found}
            if delivery.operation in _CHANGES and delivery.message in told:
                continue
            if len(found) == _MOST or not _may_follow(head, delivery):
                break
            story = await self.ledger.history(delivery)
            if (story.deleted or story.erased) and not story.fault:
                continue
            mate = Mate(delivery, story)
            if not await self._goes_with(found, mate, link):
                break
            found.append(mate)
        return tuple(found) if len(found) > 1 else ()

    async def noted(
        self, delivery: Delivery, history: History | None = None
    ) -> tuple[Mate, ...]:
        """Return the messages of the post that was noted, in their order."""
        found = []
        for one in delivery.joined:
            if one.message == delivery.message and history is not None:
                found.append(Mate(delivery, history))
                continue
            other = replace(
                delivery,
                seq=one.seq,
                n=one.n,
                message=one.message,
                version_us=one.version_us,
                attempts=0,
                tries=0,
                unknown_since_us=0,
                again=None,
            )
            found.append(Mate(other, await self.ledger.history(other)))
        return tuple(found)

    async def for_all(
        self, delivery: Delivery, history: History, outcome: Outcome
    ) -> Outcome:
        """Let an outcome that nobody knows be that of all that was in the post."""
        if delivery.again:
            return outcome  # an admin decides on each by itself
        others = tuple(
            Ended(
                replace(
                    mate.delivery,
                    joined=delivery.joined,
                    unknown_since_us=delivery.unknown_since_us,
                ),
                outcome,
                mate.story,
            )
            for mate in await self.noted(delivery, history)
            if mate.delivery.key != delivery.key
        )
        return replace(outcome, others=others)

    async def _goes_with(self, found: Sequence[Mate], mate: Mate, link: Link) -> bool:
        head, story = found[0].story, mate.story
        if story.fault or story.in_doubt or _kind(story) != _kind(head):
            return False
        standing = await Standing.of(self.copies, mate.delivery, story)
        if standing.copy is not None:
            return False
        if await self.admission.denial(mate.delivery, story, link):
            return False
        documents = [each.story.document for each in (*found, mate)]
        blocks = tuple(block for document in documents for block in document.blocks)
        return self.composer.fits(found[0].delivery, head.author, Document(blocks))


def _may_lead(head: Delivery, history: History, link: Link) -> bool:
    """Whether others may be joined to a post. After trouble it goes by itself."""
    plain = head.operation is Operation.POST and not (head.again or head.tries)
    people = history.author.kind not in _APPS and bool(history.author.id)
    crowded = head.target.platform in _CROWDED and link.options.join is Join.BUSY
    return plain and people and crowded and not history.files


def _may_follow(head: Delivery, delivery: Delivery) -> bool:
    near = delivery.created_us - head.created_us <= _WITHIN_US
    return delivery.fresh and near


def _kind(story: History) -> tuple[object, ...]:
    """Return what has to be the same in all messages of one post."""
    return (
        story.author,
        note(story, orphan=False),
        story.told.get(HOPS, ""),
        story.told.get(ORIGIN, ""),
        bool(story.files),
    )


def with_mates(
    outcome: Outcome, noted: Delivery, standing: Standing, mates: Sequence[Mate]
) -> Outcome:
    """Let all that were in a post that was made end with it."""
    if outcome.state is not AttemptState.DELIVERED:
        return outcome
    rows = {row.message: row for row in standing.segments}
    others = tuple(
        Ended(
            replace(mate.delivery, joined=noted.joined),
            replace(
                outcome,
                copy=rows[mate.delivery.message],
                text=plain_text(mate.story.document),
                more=(),
            ),
            mate.story,
        )
        for mate in mates
        if mate.delivery.key != noted.key
    )
    return replace(outcome, others=others)
