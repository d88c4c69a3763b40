"""
Commands that are captured and not answered yet, where every process sees them.

A command gets its row in the transaction that captures it, and loses it when it is
answered. What it does is written by its claim: the row is looked at, and the effect
noted in it, in the same transaction. So whoever takes a command up knows whether it
had an effect, and the former owner cannot have one any more.
"""

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from bridge.messages import Channel, Event, Person, PersonKind, Platform
from bridge.unanswered import AskedFor, Claim, Left, Stage
from storage.claims import first_claim, on_behalf
from storage.compliance.sealing import open_raw
from storage.hot import HotStore, Program, Rows, Statement, run_one
from storage.log_reader import LogEntry, LogReader
from storage.outbox import database_clock

_MOST = 50  # are taken up at once
# So long may pass between the commit of a command and the moment its process knows.
_GRACE_US = 30_000_000
_MINE = "tenant = :tenant AND key = :key AND owner = :owner AND epoch = :epoch"


@dataclass(frozen=True, slots=True)
class StoredCommands:
    """Implements `bridge.unanswered.CommandBook`; `clock` is in microseconds UTC."""

    store: HotStore
    reader: LogReader
    owner: str
    clock: Callable[[], int]

    def claim(self, tenant: str, event: Event) -> Claim | None:
        return first_claim(tenant, event, self.owner)

    def behalf(self, claim: Claim) -> AbstractContextManager[None]:
        return on_behalf(claim)

    async def stage(self, claim: Claim, stage: Stage) -> bool:
        sql = f"UPDATE unanswered SET stage = :stage WHERE {_MINE} RETURNING key"
        return bool(await self._run(sql, _row(claim) | {"stage": str(stage)}))

    async def answered(self, claim: Claim) -> None:
        await self._run(f"DELETE FROM unanswered WHERE {_MINE}", _row(claim))

    async def later(self, claim: Claim, stage: Stage | None, pause_us: int) -> None:
        row = _row(claim) | {"until": self.clock() + pause_us}
        staged = ""
        if stage is not None:
            staged, row["stage"] = ", stage = :stage", str(stage)
        await self._run(
            f"UPDATE unanswered SET owner = '', until_us = :until{staged} "
            f"WHERE {_MINE}",
            row,
        )

    async def left(self, under_way: Collection[Claim]) -> Sequence[Left]:
        rows = await self.store.run(self._left)
        busy = {(claim.tenant, claim.key) for claim in under_way}
        young = self.clock() - _GRACE_US
        return [
            found
            for row in rows
            if not (
                (found := _left(row)).claim.owner == self.owner
                and ((row[0], row[1]) in busy or found.asked_us > young)
            )
        ]

    async def take(self, left: Left) -> Claim | None:
        rows = await self._run(
            "UPDATE unanswered SET owner = :taker, epoch = epoch + 1 "
            f"WHERE {_MINE} RETURNING epoch",
            _row(left.claim) | {"taker": self.owner},
        )
        if not rows:
            return None
        return Claim(left.claim.tenant, left.claim.key, self.owner, int(rows[0][0]))

    async def asked(self, left: Left) -> AskedFor | None:
        tenant = left.claim.tenant
        entry = await self.reader.entry(tenant, left.seq) if left.seq >= 0 else None
        if entry is None or entry.erased:
            return None
        row, author = entry.row, entry.body["author"]
        platform = Platform(row["platform"])
        return AskedFor(
            tenant,
            left.account,
            Channel(platform, row["team"], row["conv"]),
            Person(
                platform,
                author["id"],
                author.get("name", ""),
                kind=PersonKind(row["actor_kind"]),
            ),
            entry.body.get("detail", {}).get("command", ""),
            row["thread"],
            row["msg"],
            left.asked_us,
            await self._raw(tenant, entry),
            await self._did(left),
        )

    async def _did(self, left: Left) -> str:
        if left.effect < 0:
            return ""
        rows = await self.store.fetch(
            Statement(
                "SELECT etype FROM log WHERE tenant = :tenant AND seq = :seq",
                {"tenant": left.claim.tenant, "seq": left.effect},
            )
        )
        return str(rows[0][0]) if rows else ""

    async def _raw(self, tenant: str, entry: LogEntry) -> bytes:
        rows = await self.store.fetch(
            Statement(
                "SELECT raw_ct FROM log WHERE tenant = :tenant AND seq = :seq",
                {"tenant": tenant, "seq": entry.seq},
            )
        )
        key = await self.reader.item(tenant, entry)
        if key is None or not rows or rows[0][0] is None:
            return b""
        return open_raw(key, bytes(rows[0][0]))

    def _left(self) -> Program[Rows]:
        alive = yield from database_clock()
        return (
            yield Statement(
                "SELECT u.tenant, u.key, u.owner, u.epoch, u.account, u.stage, "
                "coalesce(s.seq, -1), u.effect, u.asked_us FROM unanswered u "
                "LEFT JOIN seen s ON s.tenant = u.tenant AND s.key = u.key "
                "WHERE u.until_us <= :now AND (u.owner = :me OR NOT EXISTS (SELECT 1 "
                "FROM worker w WHERE w.id = u.owner AND w.until_us > :alive)) "
                # Who has not said that it lives would have it taken away again.
                "AND EXISTS (SELECT 1 FROM worker m WHERE m.id = :me "
                "AND m.until_us > :alive) "
                "ORDER BY u.asked_us, u.key LIMIT :most",
                {"now": self.clock(), "me": self.owner, "alive": alive, "most": _MOST},
            )
        )

    async def _run(self, sql: str, row: dict[str, object]) -> Rows:
        return await run_one(self.store, Statement(sql, row))


def _row(claim: Claim) -> dict[str, object]:
    return {
        "tenant": claim.tenant,
        "key": claim.key,
        "owner": claim.owner,
        "epoch": claim.epoch,
    }


def _left(row: Sequence[object]) -> Left:
    tenant, key, owner, epoch, account, stage, seq, effect_seq, asked_us = row
    return Left(
        Claim(str(tenant), str(key), str(owner), int(str(epoch))),
        str(account),
        Stage(str(stage)),
        int(str(seq)),
        int(str(effect_seq)),
        int(str(asked_us)),
    )
