"""Which histories are to be brought across, and what the log says about them."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bridge.history import VIA, Wish
from bridge.messages import Channel, EventKind
from storage.hot import HotStore, Program, Row, Statement
from storage.journal import Journal
from storage.log_reader import LogReader
from storage.rows import clean_id
from storage.status import waiting
from storage.writes import Entry, Write

_COLUMNS = "tenant, id, link, source, targets, since_us, until_us"


@dataclass(frozen=True, slots=True)
class StoredWishes:
    """
    Implements `bridge.history.Wishes`.

    Two processes that take a wish at once do no harm: each post's number is used once.
    """

    store: HotStore
    journal: Journal
    clock: Callable[[], int]

    async def add(self, wanted: Sequence[Wish], actor: str) -> None:
        for wish in wanted:
            text = f"history of {wish.source}, {wish.days} days, wanted"
            keep = Statement(
                f"INSERT INTO history ({_COLUMNS}, created_us, lease_us, outcome) "
                "VALUES (:tenant, :id, :link, :source, :targets, :since_us, :until_us, "
                ":created_us, 0, '')",
                {**_row(wish), "created_us": self.clock()},
            )
            await self._write(wish, actor, text, keep)

    async def claim(self, tenant: str, us: int) -> Wish | None:
        return await self.store.run(lambda: self._claim(tenant, us))

    async def hold(self, wish: Wish, us: int) -> None:
        await self.store.run(lambda: self._hold(wish, us))

    async def close(self, wish: Wish, outcome: str) -> None:
        closed = Statement(
            "UPDATE history SET outcome = :outcome WHERE tenant = :tenant AND id = :id",
            {"outcome": outcome, "tenant": wish.tenant, "id": wish.id},
        )
        text = f"history of {wish.source}, {wish.days} days: {outcome}"
        await self._write(wish, "atom", text, closed)

    def _claim(self, tenant: str, us: int) -> Program[Wish | None]:
        now = self.clock()
        free = (
            "SELECT id FROM history WHERE tenant = :whose AND outcome = '' "
            "AND lease_us <= :now ORDER BY created_us, id LIMIT 1"
        )
        rows = yield Statement(
            "UPDATE history SET lease_us = :until WHERE tenant = :tenant AND lease_us "
            f"<= :free AND outcome = '' AND id = ({free}) RETURNING {_COLUMNS}",
            {
                "until": now + us,
                "tenant": tenant,
                "free": now,
                "whose": tenant,
                "now": now,
            },
        )
        return _wish(rows[0]) if rows else None

    def _hold(self, wish: Wish, us: int) -> Program[None]:
        yield Statement(
            "UPDATE history SET lease_us = :until WHERE tenant = :tenant AND id = :id",
            {"until": self.clock() + us, "tenant": wish.tenant, "id": wish.id},
        )

    async def _write(
        self, wish: Wish, actor: str, text: str, change: Statement
    ) -> None:
        entry = Entry(
            etype="bridge.link",
            platform="atom",
            subject=f"atom|{actor}",
            src_us=self.clock(),
            body={
                "change": "history",
                "text": text,
                "channels": [str(c) for c in (wish.source, *wish.targets)],
                "author": {"id": actor, "name": actor, "avatar": ""},
            },
            via="self",
            link=wish.link,
        )
        await self.journal.write(Write(wish.tenant, entry=entry, changes=(change,)))


@dataclass(frozen=True, slots=True)
class StoredArchive:
    """Implements `bridge.history.Archive`."""

    store: HotStore
    reader: LogReader

    async def posted(self, wish: Wish) -> Sequence[frozenset[str]]:
        posts: list[frozenset[str]] = []
        while True:
            message, kind = wish.message(len(posts)), EventKind.HISTORY_POST
            found = await self.reader.about(wish.tenant, wish.source.id, message, kind)
            if not found:
                return posts
            detail = found[0].body.get("detail") or {}
            posts.append(frozenset(detail.get("messages", "").split()))

    async def crossed(self, wish: Wish) -> Collection[str]:
        rows = await self.store.fetch(
            Statement(
                "SELECT DISTINCT msg FROM log WHERE tenant = :tenant AND conv = :conv "
                "AND cap_us >= :until AND msg <> '' AND via <> :via "
                f"AND etype = '{EventKind.MESSAGE_CREATE}'",
                {
                    "tenant": wish.tenant,
                    "conv": clean_id(wish.source.id),
                    "until": wish.until_us,
                    "via": VIA,
                },
            )
        )
        return {message for (message,) in rows}

    async def idle(self, wish: Wish) -> bool:
        return not await waiting(self.store, wish.tenant, wish.link)


def _row(wish: Wish) -> Mapping[str, Any]:
    return {
        "tenant": wish.tenant,
        "id": wish.id,
        "link": wish.link,
        "source": str(wish.source),
        "targets": " ".join(str(target) for target in wish.targets),
        "since_us": wish.since_us,
        "until_us": wish.until_us,
    }


def _wish(row: Row) -> Wish:
    tenant, id_, link, source, targets, since_us, until_us = row
    return Wish(
        tenant,
        id_,
        link,
        Channel.parse(source),
        tuple(Channel.parse(target) for target in targets.split()),
        since_us,
        until_us,
    )
