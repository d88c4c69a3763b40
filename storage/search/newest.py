"""The newest of what was found, without putting everything in order."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from storage.hot import Statement
from storage.search.index import SearchIndex

_FEW = 2000  # found: they are put in order
_STEP = 2000  # messages that are gone through at once, newest first
_MOST_STEPS = 4

Hit = tuple[int, int]  # when it was said, and its position: newest first
_BEGIN: Hit = (2**62, 2**62)


@dataclass(frozen=True, slots=True)
class Newest:
    """Tells when what was found was said."""

    index: SearchIndex
    tenant: str

    async def after(
        self, seqs: Sequence[int], last: Hit | None, limit: int
    ) -> list[Hit]:
        """
        Return at most so many, newest first, from after `last` on.

        `seqs` are all that was found, lowest first.
        """
        at, hits = last or _BEGIN, list[Hit]()
        if len(seqs) > _FEW:
            # Where much is found, the newest messages of all are full of it.
            for _ in range(_MOST_STEPS):
                step = await self._step(at, seqs[-1])
                hits += [hit for hit in step if _is_among(hit[1], seqs)]
                if len(hits) >= limit or len(step) < _STEP:
                    return hits[:limit]
                at = step[-1]
        return hits + await self._ordered(seqs, at, limit - len(hits))

    async def _step(self, at: Hit, upto: int) -> list[Hit]:
        """Return messages of before `at`; what came after `upto` was not asked for."""
        t = self.index.keeper.tables(self.tenant)
        rows = await self.index.ask(
            Statement(
                f"SELECT d.sent_us, d.seq FROM {t.doc} d WHERE {t.of('d')}"
                "d.sent_us <= :sent AND (d.sent_us < :sent OR d.seq < :seq) "
                "AND d.seq <= :upto "
                f"ORDER BY d.sent_us DESC, d.seq DESC LIMIT {_STEP}",
                {
                    "tenant": self.tenant,
                    "sent": at[0],
                    "seq": at[1],
                    "upto": upto,
                },
            )
        )
        return [(sent, seq) for sent, seq in rows]

    async def _ordered(self, seqs: Sequence[int], at: Hit, limit: int) -> list[Hit]:
        t = self.index.keeper.tables(self.tenant)
        found = orjson.dumps([[seq] for seq in seqs]).decode()
        rows = await self.index.ask(
            Statement(
                f"SELECT d.sent_us, d.seq FROM {t.rows('found', 'n')} AS k "
                f"CROSS JOIN {t.doc} d WHERE {t.of('d')}d.seq = k.a AND "
                "d.sent_us <= :sent AND (d.sent_us < :sent OR d.seq < :seq) "
                f"ORDER BY d.sent_us DESC, d.seq DESC LIMIT {int(limit)}",
                {
                    "tenant": self.tenant,
                    "found": found,
                    "sent": at[0],
                    "seq": at[1],
                },
            )
        )
        return [(sent, seq) for sent, seq in rows]


def _is_among(seq: int, seqs: Sequence[int]) -> bool:
    at = bisect_left(seqs, seq)
    return at < len(seqs) and seqs[at] == seq
