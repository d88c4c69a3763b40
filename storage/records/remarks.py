"""Which remarks of business systems stand in threads, by marks that hold nothing of them."""

from collections.abc import Callable
from dataclasses import dataclass

from bridge.messages import Channel
from bridge.records.books import CardState
from storage.hot import HotStore, Program, Statement, run_one
from storage.rows import clean_id, clean_text


@dataclass(frozen=True, slots=True)
class StoredRemarks:
    """Implements `bridge.records.books.RemarkBook`."""

    store: HotStore
    clock: Callable[[], int]

    async def plan(self, tenant: str, mark: str, channel: Channel) -> CardState:
        row = {"tenant": tenant, "mark": clean_id(mark)}

        def program() -> Program[CardState]:
            yield Statement(
                "INSERT INTO record_remark (tenant, mark, channel, state, message, "
                "at_us) VALUES (:tenant, :mark, :channel, :state, '', :now) "
                "ON CONFLICT (tenant, mark) DO NOTHING",
                {
                    **row,
                    "channel": clean_text(str(channel)),
                    "state": str(CardState.PLANNED),
                    "now": self.clock(),
                },
            )
            known = yield Statement(
                "SELECT state FROM record_remark "
                "WHERE tenant = :tenant AND mark = :mark",
                row,
            )
            return CardState(known[0][0])

        return await self.store.run(program)

    async def posting(self, tenant: str, mark: str) -> bool:
        return await self._to(tenant, mark, CardState.POSTING, CardState.PLANNED)

    async def posted(self, tenant: str, mark: str, message: str) -> None:
        await self._to(tenant, mark, CardState.POSTED, CardState.POSTING, message)

    async def unposted(self, tenant: str, mark: str) -> None:
        await self._to(tenant, mark, CardState.PLANNED, CardState.POSTING)

    async def sweep(self, before_us: int) -> int:
        gone = await run_one(
            self.store,
            Statement(
                "DELETE FROM record_remark WHERE at_us < :before RETURNING tenant",
                {"before": before_us},
            ),
        )
        return len(gone)

    async def _to(
        self,
        tenant: str,
        mark: str,
        state: CardState,
        before: CardState,
        message: str = "",
    ) -> bool:
        """Move one on; False if it was not where it has to be."""

        moved = await run_one(
            self.store,
            Statement(
                "UPDATE record_remark SET state = :state, message = :message, "
                "at_us = :now WHERE tenant = :tenant AND mark = :mark "
                "AND state = :before RETURNING mark",
                {
                    "state": str(state),
                    "message": clean_id(message),
                    "now": self.clock(),
                    "tenant": tenant,
                    "mark": clean_id(mark),
                    "before": str(before),
                },
            ),
        )
        return bool(moved)
