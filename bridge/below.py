"""What stands in the lines below a copy: reactions, and what becomes of files."""

from dataclasses import dataclass, replace

from bridge.chores import Change
from bridge.composing import Composer
from bridge.delivery import Copy, Delivery, Operation, Post
from bridge.filing import Filing
from bridge.links import Link
from bridge.options import Deletes
from bridge.ports import History
from bridge.reacting import Reactions
from bridge.reactions import Reaction
from bridge.standing import Composition, Standing
from bridge.tombstones import buried


@dataclass(frozen=True, slots=True)
class Below:
    """Composes what chores write, and notices when it was overtaken."""

    composer: Composer
    reactions: Reactions
    filing: Filing

    async def wanted(
        self, delivery: Delivery, history: History, standing: Standing, link: Link
    ) -> Composition | None:
        """Return what is to stand there, with what stands below it; None to wait."""
        below: tuple[Reaction, ...] = ()
        edits = delivery.operation is Operation.EDIT or bool(standing.segments)
        if standing.copy and edits:
            below = await self.reactions.below(standing.copy)
        mark = link.options.deletes is Deletes.MARK
        wanted = await self.composer.compose(
            delivery, history, standing, below, mark=mark
        )
        if wanted and not wanted.parts and mark:
            return replace(wanted, post=buried(wanted.post))
        return wanted

    async def lined(self, post: Post, copy: Copy) -> Post:
        """Return the post with the reactions that stand in a line below the copy."""
        return replace(post, reactions=await self.reactions.below(copy))

    async def post(self, delivery: Delivery, change: Change) -> Post | None:
        """Return what a chore lets the copy say, if it changes that."""
        if change.copy is None:
            return None
        post = await self.composer.first(change.about, change.story, change.copy)
        if post is None or delivery.operation is Operation.REACT:
            return post  # which brings its own line
        return await self.lined(post, change.copy)

    async def overtaken(
        self, about: Delivery, story: History, post: Post, copy: Copy
    ) -> str:
        """Return what happened while the post was on its way, if anything did."""
        if copy.segment:
            now = await self.composer.first(about, story, copy)
            if now is None or (now.document, now.files) != (post.document, post.files):
                return "what stands in the same copy was changed meanwhile"
        elif await self.filing.lines(about, story, copy) != post.files:
            return "files came meanwhile"
        if about.operation is Operation.REACT:
            return ""  # which looked by itself
        below = await self.reactions.below(copy)
        return "people reacted meanwhile" if below != post.reactions else ""
