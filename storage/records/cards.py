"""The cards that stand somewhere: one row each, changed by compare-and-set."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import orjson

from bridge.messages import Channel
from bridge.records.books import CardInstance
from bridge.records.model import RecordRef
from storage.hot import HotStore, Program, Statement, run_one
from storage.records.shapes import CARD, card_of, card_row, listed
from storage.rows import clean_id, clean_text

_LISTED = "card_id IN (SELECT value FROM json_each(:cards))"
_LISTED_POSTGRES = (
    "card_id = ANY(ARRAY(SELECT jsonb_array_elements_text(:cards::text::jsonb)))"
)


@dataclass(frozen=True, slots=True)
class StoredCards:
    """Implements `bridge.records.books.CardBook`."""

    store: HotStore
    clock: Callable[[], int]

    async def plan(self, cards: Sequence[CardInstance]) -> Sequence[CardInstance]:
        now = self.clock()
        rows = [card_row(card, now) for card in cards]
        return await self.store.run(lambda: _plan(rows)) if rows else []

    async def get(self, tenant: str, card_id: str) -> CardInstance | None:
        found = await self._found(tenant, "card_id = :card", card=clean_id(card_id))
        return found[0] if found else None

    async def of_record(self, tenant: str, ref: RecordRef) -> Sequence[CardInstance]:
        return await self._found(
            tenant, "ref = :ref AND state <> 'retired'", ref=str(ref)
        )

    async def in_channel(self, tenant: str, channel: Channel) -> Sequence[CardInstance]:
        return await self._found(
            tenant,
            "channel = :channel AND state <> 'retired'",
            channel=clean_text(str(channel)),
        )

    async def unfinished(self, tenant: str, before_us: int) -> Sequence[CardInstance]:
        return await self._found(
            tenant,
            "state IN ('planned', 'posting') AND moved_us < :before",
            before=before_us,
        )

    async def records(self, tenant: str) -> Sequence[RecordRef]:
        rows = await self.store.fetch(
            Statement(
                "SELECT DISTINCT ref FROM record_card "
                "WHERE tenant = :tenant AND state <> 'retired' ORDER BY ref",
                {"tenant": tenant},
            )
        )
        return [RecordRef.parse(row[0]) for row in rows]

    async def posting(self, tenant: str, card_id: str) -> bool:
        return await self._changed(
            tenant, card_id, "state = 'posting', moved_us = :now", "state = 'planned'"
        )

    async def posted(
        self, tenant: str, card_id: str, message: str, unfurl: Mapping[str, str]
    ) -> None:
        # One that was let go of meanwhile stays so, but it is known where it stands.
        await self._changed(
            tenant,
            card_id,
            "state = CASE WHEN state = 'retired' THEN state ELSE 'posted' END, "
            "message = :message, unfurl = :unfurl, moved_us = :now",
            message=clean_id(message),
            unfurl=orjson.dumps(dict(unfurl)).decode(),
        )

    async def unposted(self, tenant: str, card_id: str) -> None:
        await self._changed(
            tenant, card_id, "state = 'planned', moved_us = :now", "state = 'posting'"
        )

    async def shown(self, card: CardInstance) -> bool:
        return await self._changed(
            card.tenant,
            card.card_id,
            "rev = :rev, rev_text = :rev_text, digest = :digest, "
            "standing = :standing, shown_us = :shown",
            "state <> 'retired' AND "
            "(rev < :rev OR (rev = :rev AND shown_us <= :shown))",
            rev=card.rev.order,
            rev_text=clean_text(card.rev.text),
            digest=card.digest,
            standing=str(card.standing),
            shown=card.shown_us,
        )

    async def retire(self, tenant: str, card_ids: Sequence[str]) -> None:
        row = {"tenant": tenant, "cards": listed(card_ids), "now": self.clock()}

        def program() -> Program[None]:
            card = "UPDATE record_card SET state = 'retired', moved_us = :now"
            act = "UPDATE record_act SET superseded = 1"
            for update in (card, act):
                yield Statement(
                    f"{update} WHERE tenant = :tenant AND {_LISTED}",
                    row,
                    postgres=f"{update} WHERE tenant = :tenant AND {_LISTED_POSTGRES}",
                )

        await self.store.run(program)

    async def _found(
        self, tenant: str, where: str, **given: object
    ) -> list[CardInstance]:
        rows = await self.store.fetch(
            Statement(
                f"SELECT {CARD} FROM record_card WHERE tenant = :tenant AND {where} "
                "ORDER BY made_us, card_id",
                {"tenant": tenant, **given},
            )
        )
        return [card_of(row) for row in rows]

    async def _changed(
        self, tenant: str, card_id: str, change: str, when: str = "", **given: object
    ) -> bool:
        row = {"tenant": tenant, "card": clean_id(card_id), **given}
        if ":now" in change:
            row["now"] = self.clock()
        sql = (
            f"UPDATE record_card SET {change} WHERE tenant = :tenant "
            f"AND card_id = :card{f' AND {when}' if when else ''} RETURNING card_id"
        )

        return bool(await run_one(self.store, Statement(sql, row)))


def _plan(rows: Sequence[Mapping[str, object]]) -> Program[Sequence[CardInstance]]:
    kept = []
    for row in rows:
        names = ", ".join(row)
        values = ", ".join(f":{name}" for name in row)
        yield Statement(
            f"INSERT INTO record_card ({names}) VALUES ({values}) "
            "ON CONFLICT (tenant, place) DO NOTHING",
            row,
        )
        found = yield Statement(
            f"SELECT {CARD} FROM record_card WHERE tenant = :tenant AND place = :place",
            {"tenant": row["tenant"], "place": row["place"]},
        )
        kept += [card_of(each) for each in found]
    return kept
