"""What was carried from channels into records, and what became of it in chat."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bridge.messages import Channel
from bridge.records.books import Carried
from bridge.records.model import RecordRef
from storage.hot import HotStore, Program, Row, Statement, run_one
from storage.rows import clean_id, clean_text

_COLUMNS = "channel, message, ref, person, address, deed, latest, seq, done, said_us, at_us, gone"


@dataclass(frozen=True, slots=True)
class StoredCarried:
    """
    Implements `bridge.records.books.CarriedBook`.

    What was said is in the log alone: here are only its positions.
    """

    store: HotStore
    clock: Callable[[], int]

    async def keep(self, carried: Carried) -> None:
        names = ("tenant", *_COLUMNS.split(", "))
        await self._run(
            f"INSERT INTO record_said ({', '.join(names)}) "
            f"VALUES ({', '.join(f':{name}' for name in names)}) "
            "ON CONFLICT (tenant, channel, message) DO NOTHING",
            _row(carried),
        )

    async def became(
        self, tenant: str, channel: Channel, message: str, seq: int, *, gone: bool
    ) -> bool:
        return await self._run(
            "UPDATE record_said SET seq = :seq, gone = :gone, at_us = :now "
            "WHERE tenant = :tenant AND channel = :channel AND message = :message "
            "AND seq < :seq AND gone = 0 RETURNING message",
            {
                "tenant": tenant,
                "channel": clean_text(str(channel)),
                "message": clean_id(message),
                "seq": seq,
                "gone": int(gone),
                "now": self.clock(),
            },
        )

    async def due(self, tenant: str, before_us: int) -> Sequence[Carried]:
        rows = await self.store.fetch(
            Statement(
                f"SELECT {_COLUMNS} FROM record_said WHERE tenant = :tenant "
                "AND done < seq AND at_us <= :before ORDER BY seq LIMIT 100",
                {"tenant": tenant, "before": before_us},
            )
        )
        return [_read(tenant, row) for row in rows]

    async def follows(self, carried: Carried, latest: str) -> None:
        row = {"done": carried.seq, "latest": latest}
        await self._set("done = :done, latest = :latest", carried, row)

    async def later(self, carried: Carried, at_us: int) -> None:
        await self._set("at_us = :at_us", carried, {"at_us": at_us})

    async def wrote(
        self, tenant: str, channel: Channel, ref: RecordRef, deed: str
    ) -> None:
        await self._run(
            "INSERT INTO record_wrote (tenant, deed, ref, channel, at_us) "
            "VALUES (:tenant, :deed, :ref, :channel, :now) "
            "ON CONFLICT (tenant, deed) DO NOTHING",
            {
                "tenant": tenant,
                "deed": deed,
                "ref": str(ref),
                "channel": clean_text(str(channel)),
                "now": self.clock(),
            },
        )

    async def written(
        self, tenant: str, ref: RecordRef, since_us: int
    ) -> Sequence[tuple[Channel, str, int]]:
        rows = await self.store.fetch(
            Statement(
                "SELECT channel, deed, at_us FROM record_wrote "
                "WHERE tenant = :tenant AND ref = :ref AND at_us >= :since",
                {"tenant": tenant, "ref": str(ref), "since": since_us},
            )
        )
        return [(Channel.parse(channel), deed, at_us) for channel, deed, at_us in rows]

    async def sweep(self, before_us: int) -> int:
        def program() -> Program[int]:
            gone = yield Statement(
                "DELETE FROM record_said WHERE said_us < :before RETURNING tenant",
                {"before": before_us},
            )
            yield Statement(
                "DELETE FROM record_wrote WHERE at_us < :before RETURNING tenant",
                {"before": before_us},
            )
            return len(gone)

        return await self.store.run(program)

    async def _set(self, what: str, carried: Carried, row: dict[str, object]) -> None:
        mine = _row(carried)
        key = {name: mine[name] for name in ("tenant", "channel", "message")}
        await self._run(
            f"UPDATE record_said SET {what} WHERE tenant = :tenant "
            "AND channel = :channel AND message = :message",
            {**row, **key},
        )

    async def _run(self, sql: str, row: dict[str, object]) -> bool:
        return bool(await run_one(self.store, Statement(sql, row)))


def _read(tenant: str, row: Row) -> Carried:
    channel, message, ref, person, address, deed, latest, *more = row
    seq, done, said_us, at_us, gone = more
    return Carried(
        tenant,
        Channel.parse(channel),
        message,
        RecordRef.parse(ref),
        person,
        address,
        deed,
        latest,
        seq,
        done,
        said_us,
        at_us,
        gone=bool(gone),
    )


def _row(carried: Carried) -> dict[str, object]:
    return {
        "tenant": carried.tenant,
        "channel": clean_text(str(carried.channel)),
        "message": clean_id(carried.message),
        "ref": str(carried.ref),
        "person": clean_id(carried.person),
        "address": clean_text(carried.address),
        "deed": carried.deed,
        "latest": carried.latest,
        "seq": carried.seq,
        "done": carried.done,
        "said_us": carried.said_us,
        "at_us": carried.at_us,
        "gone": int(carried.gone),
    }
