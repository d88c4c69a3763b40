"""
Several deeds in one composite call: Salesforce does all of them or none.

The call itself succeeds whatever its parts say, and those that were undone because of
another say so. It counts once in the quota. When its answer is lost every deed is looked
up: as there are all or none, what stands there of one stands of all.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bridge.errors import AtomError, ServiceUnavailable
from bridge.records.forms import Deed
from bridge.records.model import RecordRef
from bridge.records.ports import Access, Done, PartFailed, Unsure
from connectors.salesforce import ids, manners
from connectors.salesforce.adding import COMMENT, Adder, Parts, told
from connectors.salesforce.asking import NEW, kind_of, text_of
from connectors.salesforce.changing import Changer, ref_of
from connectors.salesforce.client import DATA, Part, Written, http_date
from connectors.salesforce.rendering import moment, revision

MOST = 25  # parts of one call
_BAD = 400
_HALTED = "PROCESSING_HALTED"
_PAUSES = (0.2, 0.6)  # seconds before another try at a locked record

Piece = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Prepared:
    """
    One deed as parts of a call. `stands` looks whether it was done, after a lost answer;
    `done` reads back what came of it. `id` is of what is changed.
    """

    pieces: tuple[Piece, ...]
    stands: Callable[[], Awaitable[Written | None]]
    done: Callable[[Written], Awaitable[Done]]
    id: str = ""


class Together:
    """Does several deeds at once, as one account."""

    def __init__(self, parts: Parts, adder: Adder, changer: Changer) -> None:
        self._p, self._adder, self._changer = parts, adder, changer

    def many(self, deeds: Sequence[Deed]) -> int:
        """
        Return how many of the first deeds fit into a call, at least 1.

        A change of a record that another one touched before it does not: its condition
        would be older than that.
        """
        touched: set[RecordRef | None] = set()
        pieces = 0
        for n, deed in enumerate(deeds):
            changes = deed.ref is not None and self._changer.changes(
                deed.act, deed.ref.kind
            )
            adds = deed.act in NEW or self._adder.adds(deed.act, deed.kind)
            pieces += 2 if deed.act == "escalate" else 1
            if not (changes or adds) or pieces > MOST:
                return max(1, n)
            if changes and deed.ref in touched:
                return max(1, n)
            touched.add(deed.ref)
        return max(1, len(deeds))

    async def perform(self, access: Access, deeds: Sequence[Deed]) -> Sequence[Done]:
        """Raises `PartFailed`, and what a line raises for the call as a whole."""
        since_us = round(datetime.now(UTC).timestamp() * 1_000_000)
        for pause in (*_PAUSES, None):
            try:
                return await self._once(access, deeds, since_us)
            except (PartFailed, manners.Locked) as failed:
                locked = failed.error if isinstance(failed, PartFailed) else failed
                if pause is None or not isinstance(locked, manners.Locked):
                    raise
                await asyncio.sleep(pause)
        raise AssertionError  # the last try ends it

    async def _once(
        self, access: Access, deeds: Sequence[Deed], since_us: int
    ) -> Sequence[Done]:
        prepared: list[_Prepared | Done] = []
        for n, deed in enumerate(deeds):
            try:
                prepared.append(await self._prepared(access, deed, since_us))
            except AtomError as error:
                raise PartFailed(n, error) from error
        left = {n: p for n, p in enumerate(prepared) if isinstance(p, _Prepared)}
        written = await self._written(access, deeds, left) if left else {}
        return [
            await one.done(written[n]) if isinstance(one, _Prepared) else one
            for n, one in enumerate(prepared)
        ]

    async def _written(
        self, access: Access, deeds: Sequence[Deed], left: Mapping[int, _Prepared]
    ) -> Mapping[int, Written]:
        owners = [n for n, one in left.items() for _ in one.pieces]
        pieces = [piece for one in left.values() for piece in one.pieces]
        try:
            answers, request = await self._p.client.composite(
                access, pieces, writes=True
            )
        except Unsure:
            found: dict[int, Written] = {}
            for n, one in left.items():
                stands = await one.stands()
                if stands is None:
                    raise
                found[n] = stands
            return found
        await self._refused(access, deeds, owners, answers)
        firsts = {n: owners.index(n) for n in left}
        return {
            n: Written(one.id or _id(answers[firsts[n]]), request, created=True)
            for n, one in left.items()
        }

    async def _refused(
        self,
        access: Access,
        deeds: Sequence[Deed],
        owners: Sequence[int],
        answers: Sequence[Part],
    ) -> None:
        """Raise what the first part that failed by itself says, if any did."""
        failed = [n for n, one in enumerate(answers) if one.status >= _BAD]
        own = [n for n in failed if _HALTED not in str(answers[n].body)]
        if not failed:
            return
        if not own:
            raise PartFailed(
                owners[failed[0]], ServiceUnavailable("Salesforce undid all of it")
            )
        place, answer = owners[own[0]], answers[own[0]]
        error = manners.told(answer.status, answer.body, writes=False)
        if isinstance(error, manners.Changed):
            error = await self._changer.conflict(access, deeds[place])
        raise PartFailed(place, error)

    async def _prepared(
        self, access: Access, deed: Deed, since_us: int
    ) -> _Prepared | Done:
        if deed.act in NEW or self._adder.adds(deed.act, ref_of(deed).kind):
            return await self._addition(access, deed, since_us)
        return await self._change(access, deed)

    async def _addition(
        self, access: Access, deed: Deed, since_us: int
    ) -> _Prepared | Done:
        addition = await self._adder.addition(access, deed)
        found, keyed = await self._adder.earlier(access, addition, deed)
        if found is not None:
            return await addition.done(found)
        path = f"sobjects/{addition.object}"
        if keyed:
            path += f"/{self._p.key_field}/{deed.key}"
        piece = _piece("PATCH" if keyed else "POST", path, addition.values)
        since_us = deed.tried_us or since_us

        async def stands() -> Written | None:
            return await self._adder.written(access, addition, deed, since_us)

        return _Prepared((piece,), stands, addition.done)

    async def _change(self, access: Access, deed: Deed) -> _Prepared | Done:
        changer, ref = self._changer, ref_of(deed)
        kind = kind_of(self._p.kinds, ref.kind)
        values = await changer.values(access, deed, kind)
        row = await changer.settled(access, kind, ref, values)
        before, wanted = told(row, values), {n: text_of(v) for n, v in values.items()}
        why = deed.values.get("CommentBody", "") if deed.act == "escalate" else ""
        if before == wanted and (not why or await self._adder.said(access, ref, why)):
            record = await self._p.reader.one(access, ref)
            return Done(record, before=before, after=wanted, again=True)
        await changer.unchanged(access, deed, row, before)
        since = {"If-Unmodified-Since": http_date(moment(row["LastModifiedDate"]))}
        path = f"sobjects/{kind.object}/{ids.long(ref.id)}"
        pieces = [_piece("PATCH", path, values, since)]
        if deed.act == "escalate":
            said = {"ParentId": ref.id, "CommentBody": why, "IsPublished": False}
            pieces.append(_piece("POST", f"sobjects/{COMMENT}", said))

        async def stands() -> Written | None:
            try:
                return await changer.if_done(access, kind, ref, revision(row), wanted)
            except Unsure:
                return None

        async def done(written: Written) -> Done:
            return await changer.done(access, kind, ref, written, before, wanted)

        return _Prepared(tuple(pieces), stands, done, ref.id)


def _piece(
    method: str,
    path: str,
    body: Mapping[str, Any],
    headers: Mapping[str, str] | None = None,
) -> Piece:
    piece: dict[str, Any] = {"method": method, "url": f"{DATA}/{path}", "body": body}
    return piece | {"httpHeaders": headers} if headers else piece


def _id(answer: Part) -> str:
    """Return the id of what a part made. Raises `Unsure`: it was made nevertheless."""
    made = answer.body.get("id") if isinstance(answer.body, Mapping) else None
    if not made:
        raise Unsure("Salesforce does not say what was made")
    return ids.long(str(made))
