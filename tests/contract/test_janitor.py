"""What no platform repeats any more is forgotten; the rest stays."""

from storage.hot import Insert, Program, Statement
from storage.janitor import Janitor
from tests.contract.conftest import TENANT, Store

NOW = 100 * 24 * 3600 * 1_000_000
OLD = NOW - 36 * 24 * 3600 * 1_000_000


async def test_only_old_marks_are_forgotten(store: Store) -> None:
    def fill() -> Program[None]:
        yield Insert(
            "seen",
            [
                {"tenant": TENANT, "key": f"k{n}", "seq": n, "at_us": at}
                for n, at in enumerate([OLD] * 3 + [NOW])
            ],
        )

    await store.database.hot.run(fill)

    await Janitor(store.database, lambda: NOW).tidy()

    rows = await store.database.hot.fetch(Statement("SELECT key FROM seen"))
    assert [row[0] for row in rows] == ["k3"]
