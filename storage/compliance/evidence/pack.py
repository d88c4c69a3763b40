"""
Making an evidence pack: the same period and the same size of the log, the same bytes.

Everything in it is read from the first `size` entries, and nothing from the clock. A
control for which nothing was found says so; it is never shown as kept.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256
from typing import Any

import orjson

from bridge.errors import BadInput
from storage.compliance.evidence.controls import CONTROLS, VERSION, Control
from storage.compliance.evidence.periods import Period
from storage.compliance.evidence.queries import QUERIES, Query, Scope
from storage.compliance.proofs.checkpoints import Checkpoint, Seen
from storage.compliance.proofs.prover import Prover
from storage.compliance.tree import Frontier
from storage.hot import HotStore, Statement

KIND = "atom-evidence-pack/v1"
_SAMPLES = 3
_NOTHING = (
    "Nothing of the kind is on record in this period. That is no proof that the "
    "control works."
)
_PAGE = 10_000


class Verdict(StrEnum):
    """What can be said of a control. Only `shown` is good news."""

    SHOWN = "shown"
    PARTLY = "partly shown"
    NOTHING = "nothing found"
    GAP = "gap"


@dataclass(frozen=True, slots=True)
class Pack:
    """The pack as data, its canonical JSON, and the checkpoint it goes up to."""

    data: dict[str, Any]
    checkpoint: Checkpoint
    json: bytes = field(repr=False)

    @property
    def digest(self) -> str:
        return sha256(self.json).hexdigest()


@dataclass(frozen=True, slots=True)
class PackMaker:
    """Reads a company's log and makes packs of it."""

    store: HotStore
    prover: Prover

    async def make(
        self,
        tenant: str,
        period: Period,
        size: int = 0,
        progress: Callable[[int, int], None] = lambda _done, _all: None,
    ) -> Pack:
        """
        Make the pack for a period, as of the log's first `size` entries (0: all now).

        Raises `BadInput` if the log is shorter, or empty; `StoreUnavailable`; and
        what signing raises if the log contradicts what was signed before.
        """
        publisher = self.prover.publisher
        newest = await publisher.publish(tenant)
        if not 0 <= size <= newest.checkpoint.size or not newest.checkpoint.size:
            raise BadInput(f"the log has {newest.checkpoint.size} entries")
        size = size or newest.checkpoint.size
        root = await publisher.keeper.tree.root(tenant, size)
        at = Checkpoint(newest.checkpoint.origin, size, root)
        note = await publisher.signers.sign(tenant, at.text)
        keys = [str(known.key) for known in await publisher.signers.known(tenant)]
        scope = Scope(tenant, size, period.since_us, period.until_us)
        work = _Work(self.store, self.prover, scope, Seen(at, note, 0))
        work.whole = await work.read_whole(at.root, progress)
        controls = [
            await work.control(control, n, progress)
            for n, control in enumerate(CONTROLS, 1)
        ]
        data = {
            "kind": KIND,
            "catalogue": VERSION,
            "company": tenant,
            "period": {
                "text": str(period),
                "since_us": period.since_us,
                "until_us": period.until_us,
            },
            "log": {"size": size, "root": root.hex(), "whole": work.whole},
            "checkpoint": note,
            "verifier_keys": keys,
            "controls": controls,
            "proofs": dict(sorted(work.proofs.items())),
        }
        return Pack(data, at, orjson.dumps(data, option=orjson.OPT_SORT_KEYS))


@dataclass(slots=True)
class _Work:
    """One pack while it is put together; queries that controls share run once."""

    store: HotStore
    prover: Prover
    scope: Scope
    at: Seen
    whole: dict[str, Any] = field(default_factory=dict)
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)
    proofs: dict[str, str] = field(default_factory=dict)

    async def read_whole(
        self, root: bytes, progress: Callable[[int, int], None]
    ) -> dict[str, Any]:
        """Read every leaf up to the checkpoint: are all there, and is that the root?"""
        frontier, last_us, backwards = Frontier(), 0, 0
        while frontier.size < self.scope.size:
            rows = await self.store.fetch(
                Statement(
                    "SELECT seq, leaf, cap_us FROM log WHERE tenant = :tenant "
                    "AND seq >= :first AND seq < :size ORDER BY seq LIMIT :limit",
                    {
                        "tenant": self.scope.tenant,
                        "first": frontier.size,
                        "size": self.scope.size,
                        "limit": _PAGE,
                    },
                )
            )
            for seq, leaf, cap_us in rows:
                if seq != frontier.size:
                    break
                frontier = frontier.append(bytes(leaf))
                backwards += cap_us <= last_us
                last_us = cap_us
            progress(frontier.size, self.scope.size)
            if not rows or rows[-1][0] != frontier.size - 1:
                break
        return {
            "read": frontier.size,
            "missing_from": frontier.size if frontier.size < self.scope.size else None,
            "root_matches": frontier.root() == root,
            "times_not_rising": backwards,
        }

    async def control(
        self, control: Control, number: int, progress: Callable[[int, int], None]
    ) -> dict[str, Any]:
        shows = [await self.answer(QUERIES[name]) for name in control.shows]
        against = [await self.answer(QUERIES[name]) for name in control.against]
        verdict, because = self._verdict(control, shows, against)
        progress(number, len(CONTROLS))
        return {
            "id": control.id,
            "framework": control.framework,
            "title": control.title,
            "asks": control.asks,
            "beyond": control.beyond,
            "verdict": str(verdict),
            "because": because,
            "queries": [
                *({**answer, "role": "evidence"} for answer in shows),
                *({**answer, "role": "must find nothing"} for answer in against),
            ],
        }

    def _verdict(
        self,
        control: Control,
        shows: Sequence[dict[str, Any]],
        against: Sequence[dict[str, Any]],
    ) -> tuple[Verdict, str]:
        if control.whole_log and self.whole["missing_from"] is not None:
            return Verdict.GAP, f"Entry {self.whole['missing_from']} is missing."
        if control.whole_log and not self.whole["root_matches"]:
            return Verdict.GAP, "The entries do not have the root that was signed."
        found = [answer for answer in against if answer["total"]]
        if found:
            told = ", ".join(f"{a['total']} of '{a['says']}'" for a in found)
            return Verdict.GAP, f"Found what should not be there: {told}."
        empty = [answer["says"] for answer in shows if not answer["total"]]
        if len(empty) == len(shows):
            return Verdict.NOTHING, _NOTHING
        if empty:
            return Verdict.PARTLY, f"Nothing on record of: {'; '.join(empty)}."
        return Verdict.SHOWN, "Each query found entries; samples are proved below."

    async def answer(self, query: Query) -> dict[str, Any]:
        if query.name not in self.answers:
            self.answers[query.name] = await self._asked(query)
        return self.answers[query.name]

    async def _asked(self, query: Query) -> dict[str, Any]:
        rows = await self.store.fetch(query.counted(self.scope))
        found = sorted((etype, outcome, n, a, b) for etype, outcome, n, a, b in rows)
        total = sum(n for _, _, n, _, _ in found)
        return {
            "name": query.name,
            "version": query.version,
            "says": query.says,
            "sql": query.sql,
            "total": total,
            "rows": [
                {"type": etype, "outcome": outcome, "count": n, "first": a, "last": b}
                for etype, outcome, n, a, b in found
            ],
            "samples": [await self._sample(query, n) for n in _spread(total)],
        }

    async def _sample(self, query: Query, offset: int) -> dict[str, Any]:
        [row] = await self.store.fetch(query.sampled(self.scope, offset))
        seq, etype, cap_us, leaf = row
        if str(seq) not in self.proofs:
            [proof] = await self.prover.entries(self.scope.tenant, [seq], self.at)
            self.proofs[str(seq)] = proof
        return {"seq": seq, "type": etype, "at_us": cap_us, "leaf": bytes(leaf).hex()}


def _spread(total: int) -> list[int]:
    """Return which of `total` entries are shown: the first, the last, the middle."""
    return sorted({0, total // 2, total - 1})[:_SAMPLES] if total else []
