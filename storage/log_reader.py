"""Reading the log: opening entries, and proving that nothing in it was changed."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from bridge.messages import EventKind
from storage.compliance.keys import KeyFile, SealBroken, TenantKey
from storage.compliance.leaf import leaf_of
from storage.compliance.sealing import open_body
from storage.compliance.tree import EMPTY_ROOT, Frontier
from storage.hot import HotStore, Row, Statement
from storage.schema import log

COLUMNS = tuple(column.name for column in log.columns)
_SELECT = f"SELECT {', '.join(COLUMNS)} FROM log"
_WITHOUT_RAW = tuple(name for name in COLUMNS if name != "raw_ct")
_PAGE = 1000

# Platforms send again for five minutes; what comes later was not heard in its time.
LATE_US = 6 * 60 * 1_000_000


@dataclass(frozen=True, slots=True)
class LogHead:
    """How long a tenant's log is, and the root of the tree over it."""

    size: int
    root: bytes

    @property
    def root_hex(self) -> str:
        return self.root.hex()


@dataclass(frozen=True, slots=True)
class LogEntry:
    """A log entry with its body opened."""

    row: Mapping[str, Any]
    body: Mapping[str, Any]

    @property
    def seq(self) -> int:
        seq: int = self.row["seq"]
        return seq

    @property
    def etype(self) -> str:
        etype: str = self.row["etype"]
        return etype


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer of a verification; `fault` is empty when all is well."""

    size: int
    root: bytes
    fault: str = ""

    @property
    def intact(self) -> bool:
        return not self.fault


@dataclass(frozen=True, slots=True)
class LogReader:
    """Reads one database's logs with the tenants' keys."""

    store: HotStore
    keys: KeyFile
    _read_keys: dict[str, TenantKey] = field(default_factory=dict, repr=False)

    async def head(self, tenant: str) -> LogHead:
        rows = await self.store.fetch(
            Statement(
                "SELECT size, root FROM head WHERE tenant = :tenant", {"tenant": tenant}
            )
        )
        return (
            LogHead(rows[0][0], bytes(rows[0][1])) if rows else LogHead(0, EMPTY_ROOT)
        )

    async def heads(self) -> dict[str, int]:
        """Return the size of every tenant's log."""
        rows = await self.store.fetch(Statement("SELECT tenant, size FROM head"))
        return dict(rows)

    async def entries(self, tenant: str, after: int, limit: int) -> list[LogEntry]:
        """Return entries with a position above `after`, lowest first."""
        key = self.keys.load(tenant)
        rows = await self._rows(tenant, after, limit)
        return [_opened(row, key) for row in rows]

    async def revisions(self, tenant: str, conv: str, msg: str) -> list[LogEntry]:
        """
        Return what is known of one message, in the order of capture.

        The platform's own words (`raw_ct`) are left out: every delivery asks this.
        """
        return await self.about(tenant, conv, msg, "message.%")

    async def leaf(self, tenant: str, seq: int) -> bytes | None:
        """Return an entry's place in the tree, which needs no key; None if it is gone."""
        rows = await self.store.fetch(
            Statement(
                "SELECT leaf FROM log WHERE tenant = :tenant AND seq = :seq",
                {"tenant": tenant, "seq": seq},
            )
        )
        return bytes(rows[0][0]) if rows else None

    async def about(
        self, tenant: str, conv: str, msg: str, kinds: str
    ) -> list[LogEntry]:
        """Return the entries about one message whose types match, oldest first."""
        key = self.key(tenant)
        rows = await self.store.fetch(
            Statement(
                f"SELECT {', '.join(_WITHOUT_RAW)} FROM log WHERE tenant = :tenant "
                "AND conv = :conv AND msg = :msg AND etype LIKE :kinds ORDER BY seq",
                {"tenant": tenant, "conv": conv, "msg": msg, "kinds": kinds},
                brief=True,
            )
        )
        return [_opened(_named(row, _WITHOUT_RAW), key) for row in rows]

    async def verify(
        self, tenant: str, progress: Callable[[int, int], None] = lambda _a, _b: None
    ) -> Verdict:
        """
        Read the whole log again and compare it with its head.

        Names the first position at which something is missing or was changed.
        """
        head, key = await self.head(tenant), self.keys.load(tenant)
        frontier = Frontier()
        async for row in self._all(tenant, head.size):
            seq = frontier.size
            if fault := _fault(row, seq, key):
                return Verdict(head.size, head.root, fault)
            frontier = frontier.append(row["leaf"])
            progress(frontier.size, head.size)
        if frontier.size != head.size:
            return Verdict(
                head.size, head.root, f"entry {frontier.size} and later are missing"
            )
        if frontier.root() != head.root:
            return Verdict(head.size, head.root, "the head's root is another one")
        return Verdict(head.size, head.root)

    def key(self, tenant: str) -> TenantKey:
        """
        Return the key as it was first read: a tenant's key never changes.

        Raises `BadInput` if it cannot be read.
        """
        if tenant not in self._read_keys:
            self._read_keys[tenant] = self.keys.load(tenant)
        return self._read_keys[tenant]

    async def _all(self, tenant: str, size: int) -> AsyncIterator[Mapping[str, Any]]:
        after = -1
        while rows := await self._rows(tenant, after, _PAGE):
            for row in rows:
                if row["seq"] >= size:
                    return
                yield row
            after = rows[-1]["seq"]

    async def _rows(
        self, tenant: str, after: int, limit: int
    ) -> list[Mapping[str, Any]]:
        rows = await self.store.fetch(
            Statement(
                f"{_SELECT} WHERE tenant = :tenant AND seq > :after "
                "ORDER BY seq LIMIT :limit",
                {"tenant": tenant, "after": after, "limit": limit},
            )
        )
        return [_named(row) for row in rows]


def _named(row: Row, columns: Sequence[str] = COLUMNS) -> Mapping[str, Any]:
    return dict(zip(columns, row, strict=True))


def _opened(row: Mapping[str, Any], key: TenantKey) -> LogEntry:
    item = key.item(row["key_ref"], row["eid"])
    return LogEntry(row, orjson.loads(open_body(item, row["ct"])))


def _fault(row: Mapping[str, Any], seq: int, key: TenantKey) -> str:
    if row["seq"] != seq:
        return f"entry {seq} is missing"
    if leaf_of(row) != row["leaf"]:
        return f"entry {seq}: a column does not match the entry's leaf"
    item = key.item(row["key_ref"], row["eid"])
    try:
        body = open_body(item, row["ct"])
    except SealBroken:
        return f"entry {seq}: column ct does not open with its key"
    if item.commitment(body) != row["cmt"]:
        return f"entry {seq}: column ct is not what was committed to"
    return ""


def late_us(entries: list[LogEntry]) -> int:
    """Return when a message was said, if it was captured much later, else 0."""
    said, captured = entries[0].row["src_us"], entries[0].row["cap_us"]
    if entries[0].etype != EventKind.MESSAGE_CREATE or captured - said < LATE_US:
        return 0
    return int(said)
