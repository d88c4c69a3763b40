"""The dead-letter list in the database, and what admins do about it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from bridge.delivery import Again, Delivery
from bridge.errors import Conflict
from bridge.letters import DeadLetter, Replayed
from bridge.links import Link
from storage.hot import HotStore, Row, Statement
from storage.journal import Journal
from storage.outbox import COLUMNS, Outbox, queued_row
from storage.replay import Gaps
from storage.rows import joined_of
from storage.writes import Entry, Write

_MOST = 1000
_WIDTH = COLUMNS.count(",") + 1
_SELECT = (
    f"SELECT {COLUMNS}, d.tries, d.reason, d.unknown_us, d.at_us, "
    "d.joined, g.entry, g.marker "
    "FROM dead_letter d "
    "JOIN outbox o ON o.tenant = d.tenant AND o.seq = d.seq AND o.n = d.n "
    "LEFT JOIN requeued g ON g.tenant = d.tenant AND g.seq = d.seq AND g.n = d.n "
    "WHERE d.tenant = :tenant {link} ORDER BY d.at_us, d.seq, d.n LIMIT :most"
)


@dataclass(frozen=True, slots=True)
class StoredDeadLetters:
    """
    Implements `bridge.letters.DeadLetters`.

    What is queued again is a new row of the outbox, queued by the log entry that says
    who wanted it. So the owner of its shard finds it like any other, and nothing that
    was written before is changed.
    """

    store: HotStore
    journal: Journal
    queue: Outbox
    clock: Callable[[], int]

    async def all(self, tenant: str, link: str = "") -> Sequence[DeadLetter]:
        sql = _SELECT.format(link="AND d.link = :link" if link else "")
        parameters: dict[str, object] = {"tenant": tenant, "most": _MOST}
        if link:
            parameters["link"] = link
        return [
            _letter(row) for row in await self.store.fetch(Statement(sql, parameters))
        ]

    async def retry(
        self, letters: Sequence[DeadLetter], actor: str, *, anyway: bool = False
    ) -> None:
        again = tuple(_again(letter, anyway=anyway) for letter in letters)
        reason = "sent again, even where a copy may stand" if anyway else "sent again"
        await self._write("retry", letters, actor, reason, again)

    async def drop(
        self, letters: Sequence[DeadLetter], actor: str, reason: str
    ) -> None:
        await self._write("drop", letters, actor, reason)

    async def replay(self, link: Link, since_us: int, actor: str) -> Replayed:
        gaps = Gaps(self.store, self.queue)
        missing = await gaps.since(link, since_us)
        letters = await self.all(link.tenant, link.id)
        unknown = {_of(letter.delivery) for letter in letters if letter.unknown}
        wanted = [d for d in missing.deliveries if _of(d) not in unknown]
        now = wanted[:_MOST]
        if now:
            chosen = {_of(delivery) for delivery in now}
            instead = [
                letter
                for letter in letters
                if not letter.unknown and _of(letter.delivery) in chosen
            ]
            await self._write_replay(link, instead, actor, since_us, tuple(now))
        left = missing.under_way + len(missing.deliveries) - len(wanted)
        return Replayed(len(now), left, more=len(wanted) > len(now))

    async def _write_replay(
        self,
        link: Link,
        instead: Sequence[DeadLetter],
        actor: str,
        since_us: int,
        again: tuple[Delivery, ...],
    ) -> None:
        body = {
            "since_us": since_us,
            "messages": [delivery.entry for delivery in again],
        }
        entry = _entry(
            "replay", instead, actor, "missing on the other side", self.clock()
        )
        entry = replace(entry, link=link.id, body={**entry.body, **body})
        await self._commit(link.tenant, entry, instead, again)

    async def _write(
        self,
        change: str,
        letters: Sequence[DeadLetter],
        actor: str,
        reason: str,
        again: tuple[Delivery, ...] = (),
    ) -> None:
        entry = _entry(change, letters, actor, reason, self.clock())
        await self._commit(letters[0].delivery.tenant, entry, letters, again)

    async def _commit(
        self,
        tenant: str,
        entry: Entry,
        letters: Sequence[DeadLetter],
        again: tuple[Delivery, ...],
    ) -> None:
        receipt = await self.journal.write(
            Write(
                tenant,
                # Whoever else dealt with one of them was quicker, and used its key.
                keys=tuple(f"letter:{letter.number}" for letter in letters),
                entry=entry,
                deliveries=again,
                changes=(_off_the_list(tenant, letters),) if letters else (),
            )
        )
        if receipt.duplicate:
            raise Conflict("Somebody dealt with one of these just now: look again.")


def _letter(row: Row) -> DeadLetter:
    tries, reason, unknown, at, joined, entry, marker = row[_WIDTH:]
    again = None if entry is None else Again(entry, marker)
    delivery = replace(
        queued_row(row[:_WIDTH]), tries=tries, again=again, joined=joined_of(joined)
    )
    return DeadLetter(delivery, reason, at, unknown)


def _again(letter: DeadLetter, *, anyway: bool) -> Delivery:
    """Return the delivery to queue in a letter's place."""
    before = letter.delivery
    looked_up = letter.unknown and not anyway
    return replace(
        before,
        seq=-1,
        n=-1,
        tries=0,
        unknown_since_us=letter.unknown_since_us if looked_up else 0,
        # A copy that may stand there carries the marker of the call that was lost.
        again=Again(before.entry, before.marker if looked_up else ""),
        part=1 if looked_up else 0,
        joined=before.joined if looked_up else (),
    )


def _of(delivery: Delivery) -> tuple[str, str, str]:
    """Tell deliveries of one message to one channel from all others."""
    return str(delivery.source), str(delivery.target), delivery.message


def _entry(
    change: str, letters: Sequence[DeadLetter], actor: str, reason: str, now_us: int
) -> Entry:
    links = {letter.delivery.link for letter in letters}
    told: Mapping[str, Any] = {
        "change": change,
        "text": f"{change} {', '.join(letter.number for letter in letters)}".strip(),
        "reason": reason,
        "letters": [
            {
                "letter": letter.number,
                "entry": letter.delivery.entry,
                "link": letter.delivery.link,
                "operation": letter.delivery.operation,
                "reason": letter.reason,
                "unknown": letter.unknown,
            }
            for letter in letters
        ],
        "author": {"id": actor, "name": actor, "avatar": ""},
    }
    return Entry(
        etype="admin.dead_letter",
        platform="atom",
        subject=f"atom|{actor}",
        src_us=now_us,
        body=told,
        via="self",
        link=links.pop() if len(links) == 1 else None,
    )


def _off_the_list(tenant: str, letters: Sequence[DeadLetter]) -> Statement:
    numbers = [[letter.delivery.seq, letter.delivery.n] for letter in letters]
    delete = "DELETE FROM dead_letter WHERE tenant = :tenant AND (seq, n) IN "
    return Statement(
        f"{delete} (SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') "
        "FROM json_each(:letters))",
        {"tenant": tenant, "letters": orjson.dumps(numbers).decode()},
        postgres=f"{delete} (SELECT (l ->> 0)::bigint, (l ->> 1)::smallint "
        "FROM jsonb_array_elements(:letters::text::jsonb) AS t(l))",
    )
