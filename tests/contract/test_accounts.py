"""Workspaces and tenants are one company's, and copies say which one they come from."""

import asyncio

import pytest
from sqlalchemy import event

from bridge.errors import Conflict
from bridge.messages import Channel, Platform
from bridge.places import Place
from storage.origins import StoredOrigins
from storage.places import StoredPlaces
from tests.contract.conftest import TENANT, Store
from tests.events import FALCON, PROJECT

GRACES = Channel(Platform.SLACK, "T02GLOBEX", "C11GENERAL")
HEIDIS = Channel(Platform.TEAMS, "19:globex@thread.tacv2", "19:plans@thread.tacv2")


async def owned(store: Store) -> list[tuple[str, str]]:
    return [(one.id, one.name) for one in await store.companies.accounts(TENANT)]


async def test_accounts_are_the_companys_they_were_bound_to(store: Store) -> None:
    await store.companies.bind(TENANT, Platform.SLACK, "T01ACME", "Acme")
    await store.companies.bind("globex", Platform.SLACK, "T02GLOBEX", "Globex")

    assert await owned(store) == [("T01ACME", "Acme")]
    assert await store.companies.tenant_of(Platform.SLACK, "T02GLOBEX") == "globex"
    assert await store.companies.tenant_of(Platform.TEAMS, "T01ACME") is None
    with pytest.raises(Conflict, match="another company"):
        await store.companies.bind(TENANT, Platform.SLACK, "T02GLOBEX", "Mine")
    assert [a.name for a in await store.companies.accounts("globex")] == ["Globex"]


async def test_a_name_is_kept_until_there_is_a_newer_one(store: Store) -> None:
    names = []
    for name in ("", "Acme", "", "Acme Corp"):
        await store.companies.bind(TENANT, Platform.SLACK, "T01ACME", name)
        names += [found for _, found in await owned(store)]

    assert names == ["", "Acme", "Acme", "Acme Corp"]


async def test_an_account_that_was_let_go_is_nobodys(store: Store) -> None:
    await store.companies.bind(TENANT, Platform.SLACK, "T01ACME", "Acme")

    await store.companies.unbind(Platform.SLACK, "T01ACME")

    assert await owned(store) == []
    assert await store.companies.tenant_of(Platform.SLACK, "T01ACME") is None


async def test_all_who_want_the_companies_at_once_need_one_connection(
    store: Store,
) -> None:
    lent: list[object] = []
    pool = store.database.engine.sync_engine.pool
    event.listen(pool, "checkout", lambda *given: lent.append(given[0]))
    await store.companies.create("globex", "Globex", "")
    lent.clear()

    known = await asyncio.gather(*(store.companies.all() for _ in range(20)))

    assert [[one.id for one in each] for each in known] == [["globex"]] * 20
    assert len(lent) == 1
    await store.companies.create("initech", "Initech", "")
    assert [one.id for one in await store.companies.all()] == ["globex", "initech"]


async def test_a_workspace_is_named_only_where_there_are_several(store: Store) -> None:
    places = StoredPlaces(store.database.hot, store.links.clock)
    origins = StoredOrigins(store.companies, places)
    for account, channel in (("t1", PROJECT), ("t2", HEIDIS)):
        await places.remember(Place(account, channel.team, "", "https://x/", "A team"))
    named = [FALCON, GRACES, PROJECT, HEIDIS]

    async def names() -> list[str]:
        return [await origins.workspace(TENANT, channel) for channel in named]

    await store.companies.bind(TENANT, Platform.SLACK, "T01ACME", "Acme")
    await store.companies.bind(TENANT, Platform.TEAMS, "t1", "")
    assert await names() == ["", "", "", ""]
    await store.companies.bind(TENANT, Platform.SLACK, "T02GLOBEX", "Globex")
    assert await names() == ["Acme", "Globex", "", ""]
    await store.companies.bind(TENANT, Platform.TEAMS, "t2", "Globex Ltd")
    assert await names() == ["Acme", "Globex", "A team", "Globex Ltd"]
