"""What stands of a message on the target, and which call comes next to put it right."""

from dataclasses import dataclass, replace
from typing import Self

from bridge.delivery import Copy, Delivery, Operation, Post
from bridge.ports import Copies, History, Sender
from bridge.segments import Mate, gone_together, shared_copy, stamp


@dataclass(frozen=True, slots=True)
class Composition:
    """
    What is to stand there: the parts of a message, none when it is to be gone.

    `post` is the message without its words, and `budget` how much each part may weigh.
    `segments` are the rows of all messages that share it, as they are to be, if several
    do; `version_us` then stands for all of theirs (`bridge.segments.stamp`). `mates`
    are those that are to be posted together, in this order.
    """

    post: Post
    parts: tuple[Post, ...]
    version_us: int
    budget: int
    segments: tuple[Copy, ...] = ()
    mates: tuple[Mate, ...] = ()

    def as_sent(self, delivery: Delivery) -> Self:
        """Return it with the versions that were meant when a delivery was noted."""
        if not delivery.joined:
            return replace(self, version_us=delivery.version_us)
        sent = {one.message: one.version_us for one in delivery.joined}
        rows = tuple(
            replace(row, version_us=sent[row.message], deleted=False, marked=False)
            for row in self.segments
        )
        return replace(self, version_us=stamp(rows), segments=rows)


@dataclass(frozen=True, slots=True)
class Step:
    """
    One call: post, edit or delete the part with this number.

    `post` is that part as it is to be; `copy` is what stands there, None for a post.
    """

    operation: Operation
    part: int
    post: Post
    copy: Copy | None = None

    async def call(self, sender: Sender) -> str:
        """Make the call; returns the part's id there. Raises what senders raise."""
        if self.copy is None:
            return await sender.post(self.post)
        marks = self.part == 1 and self.post.tombstone
        if marks or self.operation is Operation.EDIT:
            await sender.edit(self.copy.remote, self.post)
        else:
            await sender.delete(self.copy.remote, self.post)
        return self.copy.remote


@dataclass(frozen=True, slots=True)
class Standing:
    """
    A message's copy and the further parts of it, as far as anybody knows.

    Where it shares the copy with other messages, `segments` are the rows of all of them,
    `copy` stands for the whole, and `message` is the one that is asked about. `former`
    is its row from before the last step. `mates` are the messages that are to be posted
    together, this one among them, while none of them stands there.
    """

    copy: Copy | None = None
    more: tuple[Copy, ...] = ()
    segments: tuple[Copy, ...] = ()
    message: str = ""
    former: Copy | None = None
    mates: tuple[Mate, ...] = ()

    @classmethod
    async def of(cls, copies: Copies, delivery: Delivery, history: History) -> Self:
        """
        Look up what stands of a delivery's message on its target.

        Copies come from deliveries, and those from what the log tells of the message:
        the first delivery of the only entry about it need not ask. That is nearly every
        one.
        """
        if delivery.fresh and history.alone:
            return cls()
        copy = await copies.copy_of(
            delivery.tenant,
            delivery.link,
            delivery.source,
            delivery.message,
            delivery.target,
        )
        return await cls.whole(copies, copy)

    @classmethod
    async def whole(cls, copies: Copies, copy: Copy | None) -> Self:
        """Look up a copy's further parts. Almost all copies have none."""
        if copy is not None and copy.segment:
            return await cls._shared(copies, copy)
        if copy is None or copy.deleted or copy.parts == 1:
            return cls(copy)
        return cls(copy, tuple(await copies.more_of(copy)))

    @classmethod
    async def _shared(cls, copies: Copies, own: Copy) -> Self:
        rows = tuple(await copies.segments_of(own))
        if gone_together(rows):
            # Nothing of it is left: what comes back comes back by itself.
            return cls(own)
        whole = shared_copy(rows)
        more = () if whole.deleted or whole.parts == 1 else await copies.more_of(whole)
        return cls(whole, tuple(more), rows, own.message)

    @property
    def own(self) -> Copy | None:
        """The message's own row: its copy, or its share of one."""
        for row in self.segments:
            if row.message == self.message:
                return row
        return self.copy

    @property
    def parts(self) -> tuple[Copy, ...]:
        """What stands there: part 1, part 2 and so on, without a gap."""
        if self.copy is None or self.copy.deleted:
            return ()
        return (self.copy, *self.more)

    @property
    def missing(self) -> bool:
        """Whether it does not stand there, or not all of it."""
        if self.own is None or self.own.deleted:
            return True
        return not self.parts or len(self.parts) < self.parts[0].parts

    @property
    def stands(self) -> bool:
        """Whether anything of the message stands there."""
        if not self.segments:
            return bool(self.parts)
        own = self.own
        return bool(own and not own.deleted) or not self._even

    @property
    def _even(self) -> bool:
        """Whether all parts of a shared copy were written together."""
        return all(part.version_us == self.parts[0].version_us for part in self.parts)

    def holds(self, version_us: int) -> bool:
        """Whether all of it stands there, in this version at least."""
        if self.segments:
            own = self.own
            known = own is not None and own.version_us >= version_us
            return known and not self.missing and self._even
        return not self.missing and all(
            part.version_us >= version_us for part in self.parts
        )

    def next_step(self, wanted: Composition) -> Step | None:
        """
        Return the next call that brings it closer to what is wanted, if one does.

        Parts are put right from the first on and removed from the last on, so that
        there never is a gap.
        """
        for number, post in enumerate(wanted.parts, 1):
            if number > len(self.parts):
                if self.copy and self.copy.marked:
                    # What was deleted is back, where a line says that it was.
                    return Step(Operation.EDIT, number, post, self.copy)
                return Step(Operation.POST, number, self._placed(post))
            part = self.parts[number - 1]
            known = (part.version_us, part.budget)
            if known != (wanted.version_us, wanted.budget):
                placed = replace(post, thread=part.remote_thread)
                return Step(Operation.EDIT, number, placed, part)
        if len(self.parts) > len(wanted.parts):
            last = self.parts[-1]
            post = replace(wanted.post, thread=last.remote_thread)
            return Step(Operation.DELETE, len(self.parts), post, last)
        return None

    def after(
        self, step: Step, wanted: Composition, delivery: Delivery, remote: str
    ) -> Self:
        """Return what stands there after a step. A post has got the id `remote`."""
        if step.operation is Operation.DELETE and step.part == 1:
            marked = step.post.tombstone
            gone = replace(self.parts[0], deleted=True, marked=marked, parts=1)
            gone_rows = [replace(r, deleted=True, marked=marked) for r in self.segments]
            return type(self)(gone, (), tuple(gone_rows), delivery.message, self.own)
        parts = [*self.parts]
        if step.copy and step.copy.marked:
            parts = [replace(step.copy, deleted=False, marked=False)]
        if step.operation is Operation.DELETE:
            parts.pop()
        elif step.operation is Operation.POST:
            made = Copy.of(delivery, remote, step.post.thread, wanted.version_us)
            first = (parts or wanted.segments or (made,))[0]
            made = replace(made, message=first.message, part=step.part)
            parts.append(replace(made, budget=wanted.budget))
        else:
            parts[step.part - 1] = replace(
                parts[step.part - 1],
                version_us=wanted.version_us,
                budget=wanted.budget,
            )
        count = max(len(parts), len(wanted.parts))
        copy = replace(parts[0], parts=count)
        rows = self.segments
        if step.part == 1 and wanted.segments:
            rows = tuple(
                replace(row, remote=copy.remote, remote_thread=copy.remote_thread)
                for row in wanted.segments
            )
        more = tuple(parts[1:])
        return type(self)(copy, more, rows, delivery.message, self.own)

    def noted(self, step: Step) -> tuple[Copy | None, tuple[Copy, ...]]:
        """Return the rows that a step, which led here, has changed: its own, others."""
        if not self.segments or self.copy is None:
            return self.copy, self._changed(step)
        # The first row speaks for the whole copy.
        first = replace(
            self.segments[0], parts=self.copy.parts, budget=self.copy.budget
        )
        rows = (first, *self.segments[1:])
        own = next((row for row in rows if row.message == self.message), first)
        return own, (*(row for row in rows if row is not own), *self._changed(step))

    def _changed(self, step: Step) -> tuple[Copy, ...]:
        """Return the further part that a step has changed, if any."""
        if step.part == 1:
            return ()
        if step.copy and step.operation is Operation.DELETE:
            return (replace(step.copy, deleted=True),)
        return (self.parts[step.part - 1],)

    def _placed(self, post: Post) -> Post:
        """Return a part as a reply to the first one, or in the first one's thread."""
        return replace(post, thread=self.parts[0].root) if self.parts else post
