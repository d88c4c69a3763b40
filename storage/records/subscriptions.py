"""Who wants to hear of what, and the lines that wait to be told."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bridge.errors import Conflict
from bridge.records.books import MOST_UNJUDGED, Held, Subscription
from bridge.records.model import RecordRef
from storage.compliance.acts import Act, Acts
from storage.hot import HotStore, Program, Statement, run_one
from storage.records.sealing import CompanySeal
from storage.records.shapes import (
    change_of,
    change_text,
    hashed,
    listed,
    subscription_of,
    subscription_text,
)
from storage.rows import clean_id

_ROWS = "tenant, id, person, what, made_us"
_ONE = "tenant = :tenant AND subscription = :subscription"


@dataclass(frozen=True, slots=True)
class StoredSubscriptions:
    """Implements `bridge.records.books.SubscriptionBook`. Lines are sealed."""

    store: HotStore
    acts: Acts
    sealer: CompanySeal
    clock: Callable[[], int]

    async def add(self, subscription: Subscription) -> None:
        row = {
            "tenant": subscription.tenant,
            "id": clean_id(subscription.id),
            "person": clean_id(subscription.person),
            "what": subscription_text(subscription),
            "made_us": subscription.made_us or self.clock(),
        }
        insert = Statement(
            f"INSERT INTO record_subscription ({_ROWS}) "
            "VALUES (:tenant, :id, :person, :what, :made_us)",
            row,
        )
        key = f"record-follow:{subscription.id}"
        receipt = await self.acts.note(_act(subscription), (insert,), key)
        if receipt.duplicate:
            raise Conflict("There is such a subscription already.")

    async def remove(self, tenant: str, id_: str) -> bool:
        found = [each for each in await self.of(tenant) if each.id == id_]
        if not found:
            return False
        row = {"tenant": tenant, "id": clean_id(id_)}
        act = _act(found[0], ended=True)
        changes = (
            Statement(
                "DELETE FROM record_subscription WHERE tenant = :tenant AND id = :id",
                row,
            ),
            Statement(
                "DELETE FROM record_line WHERE tenant = :tenant AND subscription = :id",
                row,
            ),
        )
        await self.acts.note(act, changes)
        return True

    async def of(self, tenant: str) -> Sequence[Subscription]:
        rows = await self.store.fetch(
            Statement(
                f"SELECT {_ROWS} FROM record_subscription WHERE tenant = :tenant "
                "ORDER BY made_us, id",
                {"tenant": tenant},
            )
        )
        return [subscription_of(row) for row in rows]

    async def hold_back(self, subscription: Subscription, held: Held) -> bool:
        name = hashed(held.event)
        line = held.line if held.change is None else change_text(held.change)
        row = _of(subscription) | {
            "event": name,
            "ref": str(held.ref),
            "line": await self.sealer.seal(
                subscription.tenant, f"{held.event}\n{line}", _about(subscription, name)
            ),
            "at_us": held.at_us,
            "unjudged": int(held.change is not None),
        }

        def program() -> Program[bool]:
            if held.change is not None:
                [(waiting,)] = yield Statement(
                    f"SELECT COUNT(*) FROM record_line WHERE {_ONE} "
                    "AND unjudged = 1 AND line IS NOT NULL",
                    _of(subscription),
                )
                if waiting >= MOST_UNJUDGED:
                    return False
            kept = yield Statement(
                "INSERT INTO record_line (tenant, subscription, event, ref, line, "
                "at_us, unjudged) VALUES (:tenant, :subscription, :event, :ref, :line, "
                ":at_us, :unjudged) "
                "ON CONFLICT (tenant, subscription, event) DO NOTHING RETURNING event",
                row,
            )
            return bool(kept)

        return await self.store.run(program)

    async def due(self, subscription: Subscription, before_us: int) -> Sequence[Held]:
        rows = await self.store.fetch(
            Statement(
                "SELECT event, ref, line, at_us, unjudged FROM record_line "
                f"WHERE {_ONE} AND line IS NOT NULL AND at_us < :before "
                "ORDER BY at_us, event",
                _of(subscription) | {"before": before_us},
            )
        )
        found = []
        for name, ref, line, at_us, unjudged in rows:
            about = _about(subscription, name)
            text = await self.sealer.unseal(subscription.tenant, bytes(line), about)
            event, _, told = text.partition("\n")
            change = change_of(told) if unjudged else None
            told = "" if unjudged else told
            found.append(Held(event, RecordRef.parse(ref), told, int(at_us), change))
        return found

    async def told(self, subscription: Subscription, events: Sequence[str]) -> None:
        update = f"UPDATE record_line SET line = NULL WHERE {_ONE} AND event"
        names = listed([hashed(event) for event in events])

        await run_one(
            self.store,
            Statement(
                f"{update} IN (SELECT value FROM json_each(:events))",
                _of(subscription) | {"events": names},
                postgres=f"{update} = ANY(ARRAY(SELECT "
                "jsonb_array_elements_text(:events::text::jsonb)))",
            ),
        )

    async def sweep(self, before_us: int) -> int:
        """Forget the events of lines that were told before a time."""

        gone = await run_one(
            self.store,
            Statement(
                "DELETE FROM record_line WHERE line IS NULL AND at_us < :before "
                "RETURNING event",
                {"before": before_us},
            ),
        )
        return len(gone)


def _act(subscription: Subscription, *, ended: bool = False) -> Act:
    what = str(subscription.ref or "") or (
        f"{subscription.system}:{subscription.instance}/{subscription.kind}"
    )
    channel = subscription.channel
    return Act(
        subscription.tenant,
        "record.unfollow" if ended else "record.follow",
        subscription.by,
        f"{'does not follow' if ended else 'follows'} {what}"
        f"{' any more' if ended else ''}",
        {
            "subscription": subscription.id,
            "record": what,
            "filter": subscription.filter,
            "person": subscription.person,
            "every": subscription.every,
            "secured": subscription.secured,
        },
        team=channel.team if channel else "",
        conv=channel.id if channel else "",
    )


def _of(subscription: Subscription) -> dict[str, object]:
    return {
        "tenant": subscription.tenant,
        "subscription": clean_id(subscription.id),
    }


def _about(subscription: Subscription, event: str) -> str:
    return f"line|{subscription.tenant}|{subscription.id}|{event}"
