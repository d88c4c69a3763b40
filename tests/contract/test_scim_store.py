"""Every SCIM store keeps the same promises, on every database."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.directory.scim import (
    Change,
    Lookup,
    Member,
    Membership,
    ScimKind,
    ScimStore,
    Stale,
)
from bridge.errors import Conflict
from storage.database import opened
from storage.database_url import database_url as parsed
from storage.migrate import upgrade
from storage.scim.resources import StoredScim
from tests.contract.conftest import TENANT, ticking_clock
from tests.databases import migrated_template
from tests.fakes_scim import FakeScim
from tests.servers import Postgres

USER, GROUP = ScimKind.USER, ScimKind.GROUP


@pytest.fixture(params=["fake", "sqlite", "postgresql"])
async def scim(
    request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[ScimStore]:
    clock = ticking_clock()
    if request.param == "fake":
        yield FakeScim(clock)
        return
    with ExitStack() as stack:
        url = f"sqlite:///{tmp_path}/atom.db"
        if request.param == "postgresql":
            server: Postgres = request.getfixturevalue("postgres")
            url = stack.enter_context(server.database(migrated_template(server)))
        async with opened(parsed(url)) as database:
            await upgrade(database.engine)
            yield StoredScim(database.hot, clock)


def user(name: str, expected: int = 0) -> Change:
    return Change(
        USER,
        f"id-{name}",
        expected,
        {"userName": name},
        unique=name,
        label=name,
        external=f"x-{name}",
    )


def group(name: str, *members: str, expected: int = 0) -> Change:
    joined = tuple(Member(f"id-{m}", USER, m.upper()) for m in members)
    document = {"displayName": name}
    return Change(GROUP, f"id-{name}", expected, document, label=name, joined=joined)


async def test_what_was_written_is_read_as_it_was(scim: ScimStore) -> None:
    written = await scim.write(TENANT, user("ana"))

    read = await scim.one(TENANT, USER, "id-ana")

    assert read == written
    assert read is not None
    assert (read.version, read.document) == (1, {"userName": "ana"})
    assert await scim.one(TENANT, GROUP, "id-ana") is None
    assert await scim.one("other", USER, "id-ana") is None


async def test_a_change_replaces_the_version_that_it_was_made_for(
    scim: ScimStore,
) -> None:
    first = await scim.write(TENANT, user("ana"))

    second = await scim.write(
        TENANT, replace(user("ana", 1), document={"userName": "ana", "title": "CFO"})
    )

    assert (second.version, second.created_us) == (2, first.created_us)
    assert second.modified_us > first.modified_us
    with pytest.raises(Stale):
        await scim.write(TENANT, user("ana", 1))


async def test_of_two_writers_of_one_version_one_wins(scim: ScimStore) -> None:
    await scim.write(TENANT, user("ana"))

    outcomes = await asyncio.gather(
        *(scim.write(TENANT, user("ana", 1)) for _ in range(5)),
        return_exceptions=True,
    )

    assert sum(1 for each in outcomes if isinstance(each, Stale)) == 4


async def test_a_name_is_one_living_users(scim: ScimStore) -> None:
    await scim.write(TENANT, user("ana"))

    with pytest.raises(Conflict):
        await scim.write(TENANT, replace(user("ana"), id="id-other"))

    assert await scim.count(TENANT, USER) == 1
    await scim.write("other", user("ana"))
    await scim.write(TENANT, replace(user("ana", 1), deleted=True))
    await scim.write(TENANT, replace(user("ana"), id="id-other"))
    assert [k.id for k in await scim.found(TENANT, USER, Lookup(label="ana"))] == [
        "id-other"
    ]


async def test_a_new_name_frees_the_old_one(scim: ScimStore) -> None:
    await scim.write(TENANT, user("ana"))
    await scim.write(TENANT, replace(user("ana", 1), unique="ann", label="ann"))

    await scim.write(TENANT, replace(user("ana"), id="id-2"))

    assert await scim.found(TENANT, USER, Lookup(label="ann")) != []


async def test_a_refused_change_leaves_nothing_behind(scim: ScimStore) -> None:
    await scim.write(TENANT, user("ana"))
    await scim.write(TENANT, user("bob"))
    _, before = await scim.changes(TENANT, 0, 10)

    with pytest.raises(Conflict):
        await scim.write(TENANT, replace(user("bob", 1), unique="ana", label="ana"))

    kept = await scim.one(TENANT, USER, "id-bob")
    assert kept is not None
    assert kept.version == 1
    assert (await scim.changes(TENANT, 0, 10))[1] == before


async def test_lookups_find_by_every_field_that_is_given(scim: ScimStore) -> None:
    for name in ("ana", "bob"):
        await scim.write(TENANT, user(name))
    await scim.write(TENANT, group("staff", "ana"))
    await scim.write(TENANT, group("empty"))

    async def found(kind: ScimKind, lookup: Lookup) -> list[str]:
        return [kept.id for kept in await scim.found(TENANT, kind, lookup)]

    assert await found(USER, Lookup(external="x-bob")) == ["id-bob"]
    assert await found(USER, Lookup(label="ana", external="x-bob")) == []
    assert await found(GROUP, Lookup(member="id-ana")) == ["id-staff"]
    assert await found(GROUP, Lookup(id="id-empty", member="id-ana")) == []


async def test_pages_and_scans_go_in_the_order_of_making(scim: ScimStore) -> None:
    for number in range(7):
        await scim.write(TENANT, user(f"u{number}"))
    await scim.write(TENANT, replace(user("u2", 1), deleted=True))

    assert await scim.count(TENANT, USER) == 6
    page = await scim.page(TENANT, USER, 1, 3)
    assert [kept.id for kept in page] == ["id-u1", "id-u3", "id-u4"]
    first, after = await scim.scan(TENANT, USER, 0, 4)
    rest, end = await scim.scan(TENANT, USER, after, 4)
    assert [k.id for k in (*first, *rest)] == [f"id-u{n}" for n in (0, 1, 3, 4, 5, 6)]
    assert end == 0


async def test_members_come_and_go_and_are_known_by_their_groups(
    scim: ScimStore,
) -> None:
    for name in ("ana", "bob"):
        await scim.write(TENANT, user(name))
    await scim.write(TENANT, group("staff", "ana", "bob"))
    outer = replace(group("all"), joined=(Member("id-staff", GROUP),))
    await scim.write(TENANT, outer)

    assert await scim.members(TENANT, ["id-staff", "id-all"]) == {
        "id-staff": [Member("id-ana", USER, "ANA"), Member("id-bob", USER, "BOB")],
        "id-all": [Member("id-staff", GROUP)],
    }
    assert await scim.memberships(TENANT, ["id-ana"]) == {
        "id-ana": [
            Membership("id-staff", "staff", direct=True),
            Membership("id-all", "all", direct=False),
        ]
    }
    await scim.write(TENANT, replace(group("staff", expected=1), left=("id-ana",)))
    assert await scim.memberships(TENANT, ["id-ana"]) == {"id-ana": []}


async def test_groups_in_a_circle_end_the_way_upwards(scim: ScimStore) -> None:
    await scim.write(TENANT, user("ana"))
    await scim.write(TENANT, group("a", "ana"))
    await scim.write(TENANT, replace(group("b"), joined=(Member("id-a", GROUP),)))
    await scim.write(
        TENANT, replace(group("a", expected=1), joined=(Member("id-b", GROUP),))
    )

    found = await scim.memberships(TENANT, ["id-ana"])

    assert {each.group for each in found["id-ana"]} == {"id-a", "id-b"}


async def test_what_is_deleted_is_in_nothing_any_more(scim: ScimStore) -> None:
    await scim.write(TENANT, user("ana"))
    await scim.write(TENANT, group("staff", "ana"))

    await scim.write(TENANT, replace(user("ana", 1), document={}, deleted=True))

    assert await scim.members(TENANT, ["id-staff"]) == {"id-staff": []}
    assert await scim.kinds(TENANT, ["id-ana", "id-staff", "id-no"]) == {
        "id-staff": GROUP
    }
    with pytest.raises(Stale):
        await scim.write(TENANT, user("ana", 2))


async def test_changes_are_told_in_order_each_resource_by_its_last(
    scim: ScimStore,
) -> None:
    await scim.write(TENANT, user("ana"))
    await scim.write(TENANT, user("bob"))
    await scim.write(TENANT, user("ana", 1))
    await scim.write(TENANT, replace(user("bob", 1), deleted=True))

    some, newest = await scim.changes(TENANT, 0, 10)

    assert [(kept.id, kept.deleted) for kept in some] == [
        ("id-ana", False),
        ("id-bob", True),
    ]
    assert newest == some[-1].change
    assert await scim.changes(TENANT, some[0].change, 10) == ([some[1]], newest)
    assert await scim.changes("other", 0, 10) == ([], 0)


async def test_a_word_is_spent_by_the_change_that_needs_it(
    database_url: str,
) -> None:
    async with opened(parsed(database_url)) as database:
        await upgrade(database.engine)
        scim = StoredScim(database.hot, ticking_clock())
        await scim.write(TENANT, user("ana"))
        await scim.write(TENANT, group("staff", "ana"))
        assert not await scim.allowed(TENANT, "id-staff")
        await scim.allow(TENANT, "id-staff", 2**60)
        await scim.allow(TENANT, "id-staff", 2**60)
        await scim.allow(TENANT, "id-other", 1)

        small = replace(group("staff", expected=1), left=("id-ana",))
        await scim.write(TENANT, small)
        assert await scim.allowed(TENANT, "id-staff")
        assert not await scim.allowed("other", "id-staff")
        assert not await scim.allowed(TENANT, "id-other")

        await scim.write(TENANT, replace(small, expected=2, spends=True))
        assert not await scim.allowed(TENANT, "id-staff")


async def test_many_members_go_in_and_out_at_once(scim: ScimStore) -> None:
    several = tuple(Member(f"m{n}", USER) for n in range(1_200))
    await scim.write(TENANT, replace(group("big"), joined=several))

    left = tuple(member.id for member in several[100:])
    await scim.write(TENANT, replace(group("big", expected=1), left=left))

    assert len((await scim.members(TENANT, ["id-big"]))["id-big"]) == 100
