"""Large groups and units in Active Directory, on a Samba domain controller."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.directory.model import Kind
from policy.directory.active_directory.settings import ActiveDirectorySettings
from policy.directory.active_directory.source import ActiveDirectory
from tests.range_line import RangeLine, range_line
from tests.samba import Samba, running_samba
from tests.samba_many import hire
from tests.samba_told import Told, settings_for, told_by
from tests.samba_world import COMPANY, GROUPS, SALES

MANY, MOVED = 3_001, 150
SIZES = (1_499, 1_500, 1_501, MANY)


@pytest.fixture(scope="module")
def crowded(samba_domain: Path) -> Iterator[Samba]:
    """A controller with 3,001 people and groups of them, and a branch of 150."""
    with running_samba(samba_domain) as server:
        server.stop()
        hire(server, MANY, SIZES)
        hire(server, MOVED, unit="Branch")
        server.start()
        yield server


def through(line: RangeLine) -> ActiveDirectorySettings:
    settings = settings_for(line.server)
    return replace(settings, ldap=replace(settings.ldap, servers=(line.url,)))


def sizes(told: Told) -> dict[str, int]:
    counted = {
        entry.name: len(entry.members or ())
        for entry in told.entries.values()
        if entry.kind is Kind.GROUP
    }
    return {f"Crowd {size}": counted[f"Crowd {size}"] for size in SIZES}


async def test_d04_every_member_of_large_groups_counts_once(crowded: Samba) -> None:
    async with range_line(crowded) as line:
        told = await told_by(ActiveDirectory(through(line)))

    assert told.everything
    assert sizes(told) == {f"Crowd {size}": size for size in SIZES}
    assert line.pieces > len(SIZES)


async def test_d04_the_same_without_ranges(crowded: Samba) -> None:
    told = await told_by(ActiveDirectory(settings_for(crowded)))

    assert told.everything
    assert sizes(told) == {f"Crowd {size}": size for size in SIZES}


async def test_d04_somebody_who_comes_between_two_pieces_counts_once(
    crowded: Samba,
) -> None:
    late: list[str] = []
    async with range_line(crowded) as line:

        def join() -> None:
            if late:
                return
            with crowded.admin() as admin:
                late.append(admin.person("late", SALES))
                for size in SIZES:
                    admin.put_in(f"CN=Crowd {size},{GROUPS}", late[0])

        line.before_more = join
        told = await told_by(ActiveDirectory(through(line)))

    with crowded.admin() as admin:
        admin.delete(late[0])
    assert told.everything
    id_ = told.named("late").id
    # The group that was read first may have been complete before.
    inside = sum(id_ in (told.group(f"Crowd {size}").members or ()) for size in SIZES)
    assert inside >= 1
    assert all(
        size <= n <= size + 1
        for size, n in zip(SIZES, sizes(told).values(), strict=True)
    )


async def test_d01_a_line_that_breaks_in_the_middle_takes_nobody_away(
    crowded: Samba,
) -> None:
    async with range_line(crowded) as line:
        line.cut_after = 1_000_000
        # No groups, so that the line breaks among the people.
        settings = replace(through(line), group_bases=(SALES,))
        told = await told_by(ActiveDirectory(settings))

    some = [name for name in told.people() if name.startswith("c0")]
    assert 0 < len(some) < MANY
    assert not told.last.complete
    assert "closed the connection" in told.last.why
    assert not told.last.cursor
    assert not told.gone


async def test_d07_a_moved_unit_takes_everybody_along(crowded: Samba) -> None:
    source = ActiveDirectory(settings_for(crowded))
    told = await told_by(source)
    people = (e for e in told.entries.values() if e.kind is Kind.PERSON)
    before = {person.id for person in people if "OU=Branch," in person.path}

    with crowded.admin() as admin:
        moved = admin.move(f"OU=Branch,{COMPANY}", SALES)
        await told_by(source, told.last.cursor, told)
        admin.move(moved, COMPANY)

    assert len(before) == MOVED
    assert not told.gone
    assert {told.entries[id_].path.partition(",")[2] for id_ in before} == {moved}
    unit = told.named("Branch", Kind.UNIT)
    assert unit.unit == told.named("Sales", Kind.UNIT).id
    assert {told.entries[id_].unit for id_ in before} == {unit.id}


async def test_d07_what_is_moved_out_of_the_base_is_told_one_by_one(
    crowded: Samba,
) -> None:
    source = ActiveDirectory(
        settings_for(crowded, bases=(f"OU=Branch,{COMPANY}", SALES))
    )
    told = await told_by(source)
    before = told.people()

    with crowded.admin() as admin:
        moved = admin.move(f"OU=Branch,{COMPANY}", GROUPS)
        await told_by(source, told.last.cursor, told)
        admin.move(moved, COMPANY)

    assert len(before) == MOVED + 2
    assert told.people() == {"dan", "eve"}
    assert len({gone.id for gone in told.gone}) >= MOVED
