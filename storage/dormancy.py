"""Links that go dormant and wake: what keeps them, on record, and told once."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

from bridge.holds import Cause
from bridge.links import Link
from bridge.messages import Channel
from storage.holds import News, found, noted, one, untold
from storage.hot import Program, Statement
from storage.journal import Journal
from storage.links import StoredLinks
from storage.writes import Entry, Write


@dataclass(frozen=True, slots=True)
class StoredHolds:
    """Implements `bridge.holds.Holds`."""

    links: StoredLinks
    journal: Journal
    clock: Callable[[], int]

    async def place(self, tenant: str, channel: Channel, cause: Cause) -> None:
        known = await self.links.of(tenant, channel)
        if any(
            (h.channel, h.cause) == (channel, cause) for k in known for h in k.holds
        ):
            return
        await self._run(tenant, one(tenant, channel, cause, self.clock()))

    async def settle(
        self, tenant: str, channel: Channel, causes: Collection[Cause]
    ) -> None:
        links = await self.links.of(tenant, channel)
        standing = {h.cause for k in links for h in k.holds if h.channel == channel}
        if links and standing == set(causes):
            return
        await self._run(tenant, found(tenant, channel, causes, self.clock()))

    async def untold(self, tenant: str) -> Sequence[News]:
        """Return what people were not told yet, oldest first."""
        return await untold(self.links.store, tenant)

    async def take(self, tenant: str, news: News, links: Sequence[Link]) -> bool:
        """
        Put a piece of news on record; returns whether it is ours to tell.

        Of several processes one is; if it dies before it tells, nobody does.
        """
        hold, over = news.hold, news.over
        marks = [noted(tenant, news)]
        if not links or (over and not news.told):
            await self._mark(marks)
            return False
        key = f"hold:{hold.channel}:{hold.cause}:{hold.since_us}:{int(over)}"
        change = "awake" if over else "dormant"
        entry = Entry(
            etype="bridge.link",
            platform="atom",
            subject="atom|atom",
            src_us=news.ended_us if over else hold.since_us,
            body={
                "change": f"{change}: {hold.cause}",
                "text": f"{change}, {hold.cause}: {hold.channel}",
                "channels": [str(hold.channel)],
                "links": [link.id for link in links],
                "author": {"id": "atom", "name": "ATOM", "avatar": ""},
            },
            via="self",
            link=links[0].id,
        )
        receipt = await self.journal.write(
            Write(tenant, keys=(key,), entry=entry, changes=tuple(marks))
        )
        if receipt.duplicate:
            await self._mark(marks)
        return not receipt.duplicate

    async def _run(self, tenant: str, statements: Iterable[Statement]) -> None:
        await self._mark(statements)
        await self.links.refresh(tenant)

    async def _mark(self, statements: Iterable[Statement]) -> None:
        steps = tuple(statements)
        await self.links.store.run(lambda: _all(steps))


def _all(steps: Iterable[Statement]) -> Program[None]:
    for step in steps:  # noqa: UP028 - a tuple cannot be sent rows
        yield step
