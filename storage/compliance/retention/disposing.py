"""One batch of a disposition, decided and written while nobody else can append."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from bridge.ranges import ranges
from bridge.retention import State
from storage.compliance.retention import barrier, item_rows
from storage.compliance.retention.item_rows import ItemState
from storage.compliance.retention.judging import Judged, Judgement, same
from storage.compliance.retention.kin import kin
from storage.hot import Program, Statement
from storage.writes import Entry, Write

SUBJECT = "atom|atom"
_KEPT = {State.HELD, State.ERASURE_DEFERRED}


class Outdated(Exception):
    """A hold, a rule or a label changed meanwhile; judge again."""


@dataclass(slots=True)
class Batch:
    """
    A judgement, and what it came to once it was carried out.

    `gone` are shredded, `kept` are those about which something else was noted.
    """

    tenant: str
    judgement: Judgement
    clock: Callable[[], int]
    gone: tuple[Judged, ...] = ()
    kept: tuple[Judged, ...] = ()

    @property
    def worth_a_lock(self) -> bool:
        """Whether anything is to go or to be noted; what stays held is neither."""
        return any(j.verdict.goes or _is_news(j) for j in self.judgement.all)

    def carry_out(self, seq: int) -> Program[Write | None]:
        """
        Return what to write, as the entry at `seq`; None if there is nothing to do.

        This is where purging and holding meet. The lock is had already: a hold that
        was made before is seen by the barrier's version, and one that is made later
        finds what is gone in the log before it. Raises `Outdated`.
        """
        if (yield from barrier.locked(self.tenant)) != self.judgement.version:
            raise Outdated
        going = [j for j in self.judgement.all if j.verdict.goes]
        noted = [j for j in self.judgement.all if _is_news(j)]
        going = yield from self._still(going)
        self.gone, self.kept = tuple(going), tuple(noted)
        if not (going or noted):
            return None
        return self._write(seq)

    def _still(self, going: list[Judged]) -> Program[list[Judged]]:
        """Return those of which nothing became known since they were judged."""
        if not going:
            return []
        seqs = [judged.member.seq for judged in going]
        families = yield from kin(self.tenant, seqs)
        states = yield from item_rows.states(self.tenant, seqs)
        on_their_way = yield from item_rows.on_their_way(self.tenant, seqs)
        return [
            judged
            for judged in going
            if same(judged.kin, families.get(judged.member.seq))
            and states.get(judged.member.seq) == judged.before
            and judged.member.seq not in on_their_way
        ]

    def _write(self, seq: int) -> Write:
        now = self.clock()
        changes: list[Statement] = []
        if self.gone:
            changes += item_rows.blanked(
                self.tenant, {j.member.seq: j.member.cap_us for j in self.gone}
            )
            changes.append(_disposition(self.tenant, seq, self.gone, now))
        states = [*_states(self.gone, State.SHREDDED), *_states(self.kept)]
        stays = [s for s in states if s.state is not State.ACTIVE]
        again = [s.seq for s in states if s.state is State.ACTIVE]
        if stays:
            changes.append(item_rows.decided(self.tenant, stays, now))
        if again:
            changes.append(item_rows.forgotten(self.tenant, again))
        return Write(self.tenant, entry=self._entry(now), changes=tuple(changes))

    def _entry(self, now_us: int) -> Entry:
        count = len(self.gone)
        text = f"{count} entries were disposed of" if count != 1 else "1 entry went"
        if not self.gone:
            text = f"{len(self.kept)} entries that are due are kept, or no longer due"
        return Entry(
            etype="retention.dispose" if self.gone else "retention.apply",
            platform="atom",
            subject=SUBJECT,
            src_us=now_us,
            body={
                "text": text,
                "author": {"id": "atom", "name": "ATOM", "avatar": ""},
                "detail": {
                    "seqs": ranges(j.member.seq for j in self.gone),
                    "because": [*_reasons(self.gone)],
                    "kept": [*_reasons(self.kept)],
                    "trusted_us": self.judgement.now_us,
                    "barrier": self.judgement.version,
                },
            },
            via="self",
        )


def _is_news(judged: Judged) -> bool:
    """Whether an entry that stays has to be noted: held by others than before, say."""
    state, before = judged.verdict.state, judged.before
    if state in _KEPT:
        return before is None or (before.state, before.why) != (state, _why(judged))
    return state is State.ACTIVE and before is not None and not before.erasure_us


def _states(
    judged: Iterable[Judged], state: State | None = None
) -> Iterator[ItemState]:
    for each in judged:
        yield ItemState(
            each.member.seq,
            state or each.verdict.state,
            each.member.cap_us,
            each.verdict.due_us or 0,
            each.item.erasure_us,
            _why(each),
        )


def _why(judged: Judged) -> str:
    """Return in a word what a verdict rests on, to see later whether that changed."""
    if judged.verdict.matters:
        return "hold " + " ".join(judged.verdict.matters)
    winner = judged.verdict.winner
    return f"{winner.role} {winner.id} {winner.version}" if winner else ""


def _reasons(judged: Iterable[Judged]) -> Iterator[Mapping[str, Any]]:
    """Yield each reason once, with the positions of which it is true."""
    grouped: dict[tuple[object, ...], list[Judged]] = {}
    for each in judged:
        rules = tuple((c.role, c.id, c.version) for c in each.verdict.considered)
        grouped.setdefault((_why(each), each.verdict.state, rules), []).append(each)
    for those in grouped.values():
        first = those[0].verdict
        yield {
            "why": _why(those[0]),
            "state": str(first.state),
            "holds": list(first.matters),
            "considered": [
                {**each.as_dict(), "at_us": None} for each in first.considered
            ],
            "seqs": ranges(each.member.seq for each in those),
        }


def _disposition(
    tenant: str, seq: int, gone: Iterable[Judged], now_us: int
) -> Statement:
    seqs = [judged.member.seq for judged in gone]
    return Statement(
        "INSERT INTO disposition (tenant, seq, at_us, items, ranges, told) "
        "VALUES (:tenant, :seq, :now, :items, :ranges, 0)",
        {
            "tenant": tenant,
            "seq": seq,
            "now": now_us,
            "items": len(seqs),
            "ranges": orjson.dumps(ranges(seqs)).decode(),
        },
    )
