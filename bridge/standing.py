"""What stands of a message on the target, and which call comes next to put it right."""

from dataclasses import dataclass, replace
from typing import Self

from bridge.delivery import Copy, Delivery, Operation, Post
from bridge.ports import Copies, History, Sender


@dataclass(frozen=True, slots=True)
class Composition:
    """
    What is to stand there: the parts of a message, none when it is to be gone.

    `post` is the message without its words, and `budget` how much each part may weigh.
    """

    post: Post
    parts: tuple[Post, ...]
    version_us: int
    budget: int


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
    """A message's copy and the further parts of it, as far as anybody knows."""

    copy: Copy | None = None
    more: tuple[Copy, ...] = ()

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
        if copy is None or copy.deleted or copy.parts == 1:
            return cls(copy)
        return cls(copy, tuple(await copies.more_of(copy)))

    @property
    def parts(self) -> tuple[Copy, ...]:
        """What stands there: part 1, part 2 and so on, without a gap."""
        if self.copy is None or self.copy.deleted:
            return ()
        return (self.copy, *self.more)

    @property
    def missing(self) -> bool:
        """Whether it does not stand there, or not all of it."""
        return not self.parts or len(self.parts) < self.parts[0].parts

    def holds(self, version_us: int) -> bool:
        """Whether all of it stands there, in this version at least."""
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
            return type(self)(gone)
        parts = [*self.parts]
        if step.copy and step.copy.marked:
            parts = [replace(step.copy, deleted=False, marked=False)]
        if step.operation is Operation.DELETE:
            parts.pop()
        elif step.operation is Operation.POST:
            made = Copy.of(delivery, remote, step.post.thread, wanted.version_us)
            parts.append(replace(made, part=step.part, budget=wanted.budget))
        else:
            parts[step.part - 1] = replace(
                parts[step.part - 1],
                version_us=wanted.version_us,
                budget=wanted.budget,
            )
        count = max(len(parts), len(wanted.parts))
        return type(self)(replace(parts[0], parts=count), tuple(parts[1:]))

    def changed(self, step: Step) -> tuple[Copy, ...]:
        """Return the further part that a step, which led here, has changed, if any."""
        if step.part == 1:
            return ()
        if step.copy and step.operation is Operation.DELETE:
            return (replace(step.copy, deleted=True),)
        return (self.parts[step.part - 1],)

    def _placed(self, post: Post) -> Post:
        """Return a part as a reply to the first one, or in the first one's thread."""
        return replace(post, thread=self.parts[0].root) if self.parts else post
