"""Who wants to hear of what, and the lines that wait to be told."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bridge.errors import Conflict
from bridge.records.books import Subscription
from bridge.records.model import RecordRef
from storage.compliance.acts import Act, Acts
from storage.hot import HotStore, Program, Statement
from storage.records.sealing import CompanySeal
from storage.records.shapes import hashed, listed, subscription_of, subscription_text
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

    async def hold_back(
        self,
        subscription: Subscription,
        event: str,
        ref: RecordRef,
        line: str,
        at_us: int,
    ) -> bool:
        name = hashed(event)
        row = _of(subscription) | {
            "event": name,
            "ref": str(ref),
            "line": await self.sealer.seal(
                subscription.tenant, f"{event}\n{line}", _about(subscription, name)
            ),
            "at_us": at_us,
        }

        def program() -> Program[bool]:
            kept = yield Statement(
                "INSERT INTO record_line (tenant, subscription, event, ref, line, "
                "at_us) VALUES (:tenant, :subscription, :event, :ref, :line, :at_us) "
                "ON CONFLICT (tenant, subscription, event) DO NOTHING RETURNING event",
                row,
            )
            return bool(kept)

        return await self.store.run(program)

    async def due(
        self, subscription: Subscription, before_us: int
    ) -> Sequence[tuple[str, RecordRef, str]]:
        rows = await self.store.fetch(
            Statement(
                f"SELECT event, ref, line FROM record_line WHERE {_ONE} "
                "AND line IS NOT NULL AND at_us < :before ORDER BY at_us, event",
                _of(subscription) | {"before": before_us},
            )
        )
        found = []
        for name, ref, line in rows:
            about = _about(subscription, name)
            text = await self.sealer.unseal(subscription.tenant, bytes(line), about)
            event, _, told = text.partition("\n")
            found.append((event, RecordRef.parse(ref), told))
        return found

    async def told(self, subscription: Subscription, events: Sequence[str]) -> None:
        update = f"UPDATE record_line SET line = NULL WHERE {_ONE} AND event"
        names = listed([hashed(event) for event in events])

        def program() -> Program[None]:
            yield Statement(
                f"{update} IN (SELECT value FROM json_each(:events))",
                _of(subscription) | {"events": names},
                postgres=f"{update} = ANY(ARRAY(SELECT "
                "jsonb_array_elements_text(:events::text::jsonb)))",
            )

        await self.store.run(program)

    async def sweep(self, before_us: int) -> int:
        """Forget the events of lines that were told before a time."""

        def program() -> Program[int]:
            gone = yield Statement(
                "DELETE FROM record_line WHERE line IS NULL AND at_us < :before "
                "RETURNING event",
                {"before": before_us},
            )
            return len(gone)

        return await self.store.run(program)


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
