"""
Who could read along at a time, and what a platform's own lists say about it.

Whoever is found is in from when they were found, not from an earlier time that nobody
can vouch for.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from bridge.messages import Channel
from storage.compliance.acts import Act, Acts
from storage.compliance.membership.changes import came, row_of, went
from storage.hot import HotStore, Statement
from storage.rows import clean_id


@dataclass(frozen=True, slots=True)
class Membership:
    """Reads intervals, and brings them into line with what a platform lists."""

    store: HotStore
    acts: Acts
    clock: Callable[[], int]

    async def visible_to(self, tenant: str, channel: Channel, at_us: int) -> list[str]:
        """Return who could read what was said in a conversation at a time, sorted."""
        rows = await self.store.fetch(
            Statement(
                "SELECT DISTINCT subject FROM membership WHERE tenant = :tenant "
                "AND platform = :platform AND conv = :conv AND from_us <= :at "
                "AND (to_us IS NULL OR to_us > :at) ORDER BY subject",
                row_of(tenant, channel, "", at_us),
            )
        )
        return [subject for (subject,) in rows]

    async def conversations(
        self, tenant: str, channel: Channel, subject: str
    ) -> list[tuple[int, int | None]]:
        """Return from when until when somebody was in a conversation."""
        rows = await self.store.fetch(
            Statement(
                "SELECT from_us, to_us FROM membership WHERE tenant = :tenant "
                "AND platform = :platform AND conv = :conv AND subject = :subject "
                "ORDER BY from_us",
                row_of(tenant, channel, subject, 0),
            )
        )
        return [(begin, end) for begin, end in rows]

    async def found(
        self, tenant: str, channel: Channel, people: Collection[str]
    ) -> tuple[frozenset[str], frozenset[str]]:
        """
        Note whom a platform lists now; returns who is new and who is gone.

        Nothing is written if nothing changed. Who came and went in between is not
        known to anybody: the entries say `found`, for when it was seen.
        """
        now = self.clock()
        known = frozenset(await self.visible_to(tenant, channel, now))
        listed = frozenset(clean_id(person) for person in people)
        new, gone = listed - known, known - listed
        if new:
            changes = came(tenant, channel, new, now)
            await self._note(tenant, channel, "member.join", new, changes)
        if gone:
            changes = went(tenant, channel, gone, now)
            await self._note(tenant, channel, "member.leave", gone, changes)
        return new, gone

    async def _note(
        self,
        tenant: str,
        channel: Channel,
        etype: str,
        people: Collection[str],
        changes: tuple[Statement, ...],
    ) -> None:
        done = "in" if etype == "member.join" else "gone from"
        act = Act(
            tenant,
            etype,
            "atom",
            f"{len(people)} found {done} the channel",
            {"how": "found", "channel": str(channel), "members": sorted(people)},
            team=channel.team,
            conv=channel.id,
        )
        await self.acts.note(act, changes)
