"""Why memberships of linked channels ended, each on record before it is acted upon."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bridge.keeping import Ended
from bridge.messages import Channel
from storage.compliance.acts import Act, Acts
from storage.hot import HotStore, Statement
from storage.rows import clean_id, clean_text


@dataclass(frozen=True, slots=True)
class StoredDepartures:
    """Implements `bridge.keeping.Departures`."""

    store: HotStore
    acts: Acts
    clock: Callable[[], int]

    async def ended(self, tenant: str, channel: Channel) -> Mapping[str, Ended]:
        rows = await self.store.fetch(
            Statement(
                "SELECT user_id, ended FROM departure "
                "WHERE tenant = :tenant AND channel = :channel",
                {"tenant": tenant, "channel": clean_text(str(channel))},
            )
        )
        return {user: Ended(ended) for user, ended in rows}

    async def note(
        self, tenant: str, channel: Channel, user: str, ended: Ended, text: str
    ) -> None:
        """That ATOM took somebody out stays so, however the platform tells of it."""
        row = self._row(tenant, channel, user) | {
            "ended": str(ended),
            "at_us": self.clock(),
        }
        keep = "" if ended is Ended.SYNC else "WHERE departure.ended <> 'sync'"
        await self._note(
            tenant,
            channel,
            "member.chose" if ended is Ended.CHOICE else "member.kept",
            (user, text),
            Statement(
                "INSERT INTO departure (tenant, channel, user_id, ended, at_us) "
                "VALUES (:tenant, :channel, :user_id, :ended, :at_us) "
                "ON CONFLICT (tenant, channel, user_id) DO UPDATE SET "
                f"ended = excluded.ended, at_us = excluded.at_us {keep}",
                row,
            ),
        )

    async def back(self, tenant: str, channel: Channel, user: str, text: str) -> None:
        await self._note(
            tenant,
            channel,
            "member.kept",
            (user, text),
            Statement(
                "DELETE FROM departure WHERE tenant = :tenant "
                "AND channel = :channel AND user_id = :user_id",
                self._row(tenant, channel, user),
            ),
        )

    async def _note(
        self,
        tenant: str,
        channel: Channel,
        etype: str,
        told: tuple[str, str],
        change: Statement,
    ) -> None:
        user, text = told
        act = Act(
            tenant,
            etype,
            "atom",
            text,
            {"user": user, "channel": str(channel)},
            team=channel.team,
            conv=channel.id,
        )
        await self.acts.note(act, (change,))

    def _row(self, tenant: str, channel: Channel, user: str) -> dict[str, object]:
        return {
            "tenant": tenant,
            "channel": clean_text(str(channel)),
            "user_id": clean_id(user),
        }
