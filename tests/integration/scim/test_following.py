"""The directory follows what is pushed: at once, through its brake, nothing lost."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bots.directory_settings import DirectorySettings, SourceSettings
from bots.following import read_once
from bots.settings import Settings
from bots.settings_scim import ScimSettings
from bridge.directory.model import Standing, Subject
from bridge.directory.scim import ScimKind
from bridge.errors import StoreUnavailable
from tests.scim_client import ENTERPRISE, ScimServer, scim_server


def settings(home: Path, **scim: str | bool) -> Settings:
    source = SourceSettings(name="okta", kind="scim")
    return Settings(
        home=home,
        directory=DirectorySettings(sources=(source,)),
        scim=ScimSettings.model_validate({"roles": "Approver=approver", **scim}),
    )


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[ScimServer]:
    # A directory is of a company that is there when ATOM comes up.
    async with scim_server(tmp_path):
        pass
    async with scim_server(tmp_path, settings(tmp_path)) as running:
        yield running


def people(server: ScimServer) -> dict[str, Subject]:
    view = server.core.directory
    assert view is not None
    return {subject.name: subject for subject in view.subjects("acme")}


async def test_who_is_pushed_is_known_when_the_answer_comes(
    server: ScimServer,
) -> None:
    ana = await server.user(
        "ana",
        displayName="Ana",
        userType="Guest",
        roles=[{"value": "APPROVER"}, {"value": "policy-admin"}],
        **{ENTERPRISE: {"department": "Finance"}},
    )
    group = await server.group("staff", ana.id)

    known = people(server)["Ana"]

    assert known.standing is Standing.ACTIVE
    assert known.guest
    assert known.department == "finance"
    assert f"group:{group.id}" in known.ancestors
    assert "role:approver" in known.ancestors
    assert not any("admin" in ancestor for ancestor in known.ancestors)


@pytest.mark.parametrize("value", [False, "False"])
async def test_who_is_deactivated_may_do_nothing_any_more(
    server: ScimServer, *, value: bool | str
) -> None:
    ana = await server.user("ana")

    said = await server.patch(
        f"/Users/{ana.id}", {"op": "Replace", "path": "active", "value": value}
    )

    assert said.status == 200
    assert people(server)["ana"].standing is Standing.DISABLED


async def test_who_is_put_in_a_group_and_out_is_followed_through_others(
    server: ScimServer,
) -> None:
    ana = await server.user("ana")
    inner = await server.group("inner", ana.id)
    outer = await server.group("outer", inner.id)
    assert f"group:{outer.id}" in people(server)["ana"].ancestors

    await server.patch(
        f"/Groups/{inner.id}",
        {"op": "remove", "path": f'members[value eq "{ana.id}"]'},
    )

    assert people(server)["ana"].ancestors == frozenset()


async def test_who_is_deleted_has_left_and_can_be_seen_by_the_log(
    server: ScimServer,
) -> None:
    ana = await server.user("ana")

    assert (await server.ask("DELETE", f"/Users/{ana.id}")).status in {202, 204}

    left = people(server).get("ana")
    assert left is None or left.standing is not Standing.ACTIVE


async def test_what_the_directorys_brake_holds_is_accepted_and_waits(
    server: ScimServer,
) -> None:
    persons = [(await server.user(f"u{n}")).id for n in range(40)]
    groups = [await server.group(f"g{n}", *persons[:30]) for n in range(8)]

    answers = [
        await server.patch(
            f"/Groups/{group.id}",
            {
                "op": "remove",
                "path": "members",
                "value": [{"value": person} for person in persons[:9]],
            },
        )
        for group in groups
    ]

    statuses = [each.status for each in answers]
    assert statuses[0] == 200
    assert statuses[-1] == 202
    last = groups[-1]
    assert len(await server.members(last.id)) == 21
    assert f"group:{last.id}" in people(server)["u0"].ancestors


async def test_what_was_stored_and_not_handed_over_is_read_later(
    server: ScimServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    side = server.core.sources
    assert side.sync is not None
    ana = await server.user("ana")

    async def away(*_: object) -> None:
        raise StoreUnavailable("the database does not answer")

    with monkeypatch.context() as broken:
        broken.setattr(type(side.sync.store), "apply", away)
        said = await server.patch(
            f"/Users/{ana.id}", {"op": "replace", "path": "active", "value": False}
        )
    assert said.status == 202
    assert people(server)["ana"].standing is Standing.ACTIVE

    followed = await side.sync.store.followed("acme")
    reading = await read_once(server.core.scim.source(), followed["okta"].cursor)
    assert reading is not None
    await side.sync.apply(reading)

    assert people(server)["ana"].standing is Standing.DISABLED


async def test_what_is_handed_over_late_does_not_undo_what_is_newer(
    server: ScimServer,
) -> None:
    scim = server.core.scim
    ana = await server.user("ana")
    old = await scim.store.one("acme", ScimKind.USER, ana.id)
    assert old is not None
    await server.patch(
        f"/Users/{ana.id}", {"op": "replace", "path": "active", "value": False}
    )

    # As from another process, which stood still between its two steps.
    await scim.followed.receive("acme", scim.followed.translation.changed(old))

    assert people(server)["ana"].standing is Standing.DISABLED


async def test_reading_everything_changes_nothing(server: ScimServer) -> None:
    side = server.core.sources
    assert side.sync is not None
    persons = [(await server.user(f"u{n}")).id for n in range(4)]
    await server.group("staff", *persons)
    await server.ask("DELETE", f"/Users/{persons[0]}")
    before = dict(people(server))

    reading = await read_once(server.core.scim.source())
    assert reading is not None
    assert reading.whole
    assert reading.complete
    outcome = await side.sync.apply(reading)

    assert outcome.changes == ()
    assert people(server) == before


async def test_without_a_source_what_is_pushed_is_kept_and_counts_for_nothing(
    tmp_path: Path,
) -> None:
    async with scim_server(tmp_path) as server:
        await server.user("ana")

        assert server.core.directory is None
        assert not server.core.scim.followed.follows("acme")
        assert (await server.get("/Users")).body["totalResults"] == 1
