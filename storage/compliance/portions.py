"""
Portions of a log, for processes that read, open and hash them.

Such a process has the database and no way to the key-encryption keys, which may be in
an HSM. It is handed the few subject keys that its portion needs, and nothing else.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from storage.compliance.keys.gone import Gone
from storage.compliance.keys.items import ItemKey, SealBroken
from storage.compliance.keys.ring import Stored, stored
from storage.compliance.leaf import COLUMNS, leaf_maker
from storage.compliance.sealing import open_body, raw_fault
from storage.compliance.tree import leaf_hash
from storage.crew import connected
from storage.hot import Address, HotStore, Row, Rows, Statement

_HELD = ("leaf", "ct", "raw_ct")
_READ = (*_HELD, *COLUMNS)
_EID, _KEY, _CMT, _RAW = (
    _READ.index(name) for name in ("eid", "key_ref", "cmt", "raw_cmt")
)
_SEQ = _READ.index("seq")
_made_of = leaf_maker(_READ)

Opened = Callable[
    [str, Mapping[str, Stored | None]], Awaitable[Mapping[str, bytes | None]]
]


@dataclass(frozen=True, slots=True)
class Portion:
    """
    Entries with `first <= seq < end`, and what opens them.

    `secrets` has None for each key that was destroyed; `gone` is what the log itself
    says is gone.
    """

    address: Address
    tenant: str
    first: int
    end: int
    secrets: Mapping[str, bytes | None] = field(repr=False)
    gone: Gone

    def rows(self, columns: Iterable[str]) -> Rows:
        """Read the entries' rows, lowest first."""
        statement = Statement(
            f"SELECT {', '.join(columns)} FROM log WHERE tenant = :tenant "
            "AND seq >= :first AND seq < :end ORDER BY seq",
            {"tenant": self.tenant, "first": self.first, "end": self.end},
        )
        with connected(self.address) as lines:
            return lines.fetch(statement)


@dataclass(frozen=True, slots=True)
class Portions:
    """
    Cuts logs into portions of at most `most` entries.

    `opened` opens subject keys by their rows. What it leaves out is missing.
    """

    store: HotStore
    opened: Opened
    gone: Gone
    most: int

    async def of(self, tenant: str, first: int, size: int) -> AsyncIterator[Portion]:
        """Yield the log from a position up to a size."""
        for start in range(first, size, self.most):
            end = min(start + self.most, size)
            found = await _keys(self.store, tenant, start, end)
            yield Portion(
                self.store.address,
                tenant,
                start,
                end,
                await self.opened(tenant, found),
                self.gone.part(found, start, end),
            )


async def _keys(
    store: HotStore, tenant: str, first: int, end: int
) -> dict[str, Stored | None]:
    rows = await store.fetch(
        Statement(
            "SELECT l.key_ref, k.ref, k.version, k.wrapped FROM (SELECT DISTINCT "
            "key_ref FROM log WHERE tenant = :tenant AND seq >= :first AND seq < :end"
            ") l LEFT JOIN subject_key k ON k.tenant = :tenant AND k.ref = l.key_ref",
            {"tenant": tenant, "first": first, "end": end},
        )
    )
    return {
        named: None if ref is None else stored((version, wrapped))
        for named, ref, version, wrapped in rows
    }


@dataclass(frozen=True, slots=True)
class OpenedBody:
    """
    An entry's body, and the nonce (hexadecimal) that opens the commitment to it.

    Both are empty of what was erased.
    """

    nonce: str = ""
    body: bytes = b""

    @property
    def erased(self) -> bool:
        return not self.body


def opened_of(
    row: Mapping[str, Any], secrets: Mapping[str, bytes | None]
) -> OpenedBody:
    """Open an entry. Raises `SealBroken`, or `KeyError` if its key is missing."""
    secret = secrets[row["key_ref"]] if row["ct"] else None
    if secret is None:
        return OpenedBody()
    item = ItemKey.of(secret, row["eid"])
    return OpenedBody(item.nonce.hex(), open_body(item, row["ct"]))


def whole(portion: Portion) -> bytes:
    """
    Return the leaf hashes of a portion in which nothing is wrong, one after the other.

    Otherwise nothing is returned: what is wrong is for others to say.
    """
    rows = portion.rows(_READ)
    if len(rows) != portion.end - portion.first:
        return b""
    for seq, row in enumerate(rows, portion.first):
        if row[_SEQ] != seq or not _is_whole(row, portion):
            return b""
    return b"".join([row[0] for row in rows])


def _is_whole(row: Row, portion: Portion) -> bool:
    leaf, ct, raw_ct = row[0], row[1], row[2]
    ref = row[_KEY]
    try:
        if leaf_hash(_made_of(row)) != leaf:
            return False
    except (TypeError, ValueError):
        return False
    secret = portion.secrets.get(ref)
    if not ct or (secret is None and ref in portion.secrets):
        said = portion.gone
        return said.key(ref) or (not ct and said.entry(row[_SEQ]))
    if secret is None:
        return False
    item = ItemKey.of(secret, row[_EID])
    try:
        if item.commitment(open_body(item, ct)) != row[_CMT]:
            return False
        return not raw_fault(item, raw_ct, row[_RAW])
    except (SealBroken, ValueError):
        return False
