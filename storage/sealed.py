"""
Entries' bodies, sealed before the transaction that writes them.

Sealing is most of what an entry costs in CPU time. Within the transaction it would be
done on SQLite's thread, where every hash gives Python's one lock away and waits to get
it back, and with the database's lock in hand.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from storage.compliance.keys.items import ItemKey
from storage.compliance.keys.subjects import SubjectKey, Supply
from storage.compliance.sealing import raw_commitment, seal_body, seal_raw
from storage.rows import canonical_and_exact, uuid7
from storage.writes import Entry, Write


@dataclass(frozen=True, slots=True)
class Sealed:
    """
    What an entry says, as the log keeps it; `body` is what is in `ct`.

    It is `exact` unless something in it was no Unicode text.
    """

    eid: str
    key: SubjectKey
    body: bytes
    cmt: bytes
    raw_cmt: bytes | None
    ct: bytes
    raw_ct: bytes | None
    exact: bool

    @classmethod
    def of(cls, entry: Entry, key: SubjectKey, now_us: int) -> "Sealed":
        eid = str(uuid.UUID(int=uuid7(now_us)))
        item = ItemKey.of(key.secret, eid)
        body, exact = canonical_and_exact(entry.body)
        return cls(
            eid,
            key,
            body,
            cmt=item.commitment(body),
            raw_cmt=raw_commitment(item, entry.raw),
            ct=seal_body(item, body),
            raw_ct=seal_raw(item, entry.raw) if entry.raw is not None else None,
            exact=exact,
        )


@dataclass(frozen=True, slots=True)
class Batch:
    """
    Writes that go together, the entry of each sealed with a key of `supply`.

    `sealed` has as many for each write as that has in `together`: None for one without
    an entry.
    """

    writes: Sequence[Write]
    sealed: Sequence[Sequence[Sealed | None]]
    supply: Supply

    @classmethod
    def of(cls, writes: Sequence[Write], supply: Supply, now_us: int) -> "Batch":
        def sealed(entry: Entry | None) -> Sealed | None:
            if entry is None:
                return None
            return Sealed.of(entry, supply.keys[entry.subject], now_us)

        each = [[sealed(one.entry) for one in write.together] for write in writes]
        return cls(writes, each, supply)
