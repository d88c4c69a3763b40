"""OpenLDAP as a source: what is there, what changes, and what is gone."""

from dataclasses import replace

import pytest

from bridge.directory.model import Fate, Kind, Standing
from policy.directory.ldap.dn import dn_value
from policy.directory.ldap.source import LdapSource
from policy.directory.ldap.source_settings import LdapSourceSettings
from tests.acme_ldif import (
    BASE,
    DEPARTMENTS,
    FORMER,
    GROUPS,
    PEOPLE,
    SUFFIX,
    group,
    people_of,
    person,
)
from tests.integration.directory.mirror import Mirror
from tests.slapd import ADD, DELETE, REPLACE, Slapd, running_slapd

_NEW = f"uid=new,ou=Finance,{PEOPLE}"


def source(slapd: Slapd, **more: object) -> LdapSource:
    settings = LdapSourceSettings("acme", slapd.settings(), BASE, beat_seconds=0.1)
    return LdapSource(replace(settings, **more))  # type: ignore[arg-type] # any field


def mirror(slapd: Slapd, **more: object) -> Mirror:
    return Mirror(source(slapd, **more))


async def test_everything_is_read_with_its_place_and_relations(slapd: Slapd) -> None:
    told = mirror(slapd)

    reading = await told.read()

    assert (reading.whole, reading.complete, reading.gone) == (True, True, ())
    kinds = [entry.kind for entry in reading.entries]
    assert kinds.count(Kind.PERSON) == slapd.people
    assert len({entry.id for entry in reading.entries}) == len(reading.entries)
    assert told.at(person(3)).id == slapd.uuid(person(3))
    unit = told.entries[told.at(person(1)).unit]
    assert unit.path == f"ou=EMEA,ou=Sales,{PEOPLE}"
    assert told.entries[unit.unit].name == "Sales"
    assert told.at(person(1)).attributes["manager"] == told.at(person(0)).id
    odd = told.at(person(4))
    assert odd.attributes["department"] == "Vertrieb Österreich"
    assert told.entries[odd.unit].name == "Vertrieb Österreich"


async def test_groups_of_every_kind_hold_people_and_groups(slapd: Slapd) -> None:
    told = mirror(slapd)

    await told.read()

    finance = set(people_of("Finance", slapd.people))
    assert told.names(group("dept-Finance")) == finance
    assert told.names(group("deal-room")) == {group("deal-desk"), person(1)}
    assert told.names(group("unix")) == {person(2), person(3)}
    assert told.names(group("unique")) == {person(4)}
    assert told.names(group("all-staff")) == {group(f"dept-{d}") for d in DEPARTMENTS}
    # A cycle is told as it is; whoever follows it has to end.
    assert told.names(group("cycle-a")) == {person(0), group("cycle-b")}
    assert told.names(group("cycle-b")) == {person(1), group("cycle-a")}


async def test_reading_on_tells_only_what_changed(own_slapd: Slapd) -> None:
    told = mirror(own_slapd)
    await told.read()
    nothing = await told.read()
    id_of_7 = own_slapd.uuid(person(7))
    own_slapd.change(person(3), REPLACE, title=["Boss"])
    own_slapd.remove(person(7))

    reading = await told.read()

    assert (nothing.whole, nothing.complete, nothing.entries) == (False, True, ())
    assert [entry.path for entry in reading.entries] == [person(3)]
    assert [(each.id, each.fate) for each in reading.gone] == [(id_of_7, Fate.DELETED)]


async def test_another_process_reads_on_from_the_same_cursor(own_slapd: Slapd) -> None:
    first = mirror(own_slapd)
    await first.read()
    own_slapd.change(group("deal-desk"), ADD, member=[person(9)])
    second = Mirror(source(own_slapd), first.cursor)

    reading = await second.read()

    assert not reading.whole
    (entry,) = reading.entries
    assert own_slapd.uuid(person(9)) in (entry.members or ())


async def test_a_change_arrives_while_it_is_followed(own_slapd: Slapd) -> None:
    told = mirror(own_slapd)
    async with told.following():
        await told.until(lambda: told.has(person(3)))
        own_slapd.change(person(3), REPLACE, title=["Boss"], mail=["boss@acme.test"])

        await told.until(lambda: told.at(person(3)).attributes["title"] == "Boss")

        own_slapd.add_person(_NEW, mail="new@acme.test")
        await told.until(lambda: told.has(_NEW))
        own_slapd.change(group("dept-Finance"), ADD, member=[_NEW])
        await told.until(lambda: _NEW in told.names(group("dept-Finance")))
        own_slapd.change(group("dept-Finance"), DELETE, member=[_NEW])
        await told.until(lambda: _NEW not in told.names(group("dept-Finance")))
        id_of_new = told.at(_NEW).id
        own_slapd.remove(_NEW)
        await told.until(lambda: id_of_new in told.gone)

    assert told.gone[id_of_new].fate is Fate.DELETED
    assert [each.whole for each in told.readings].count(True) == 1


async def test_a_rename_is_the_same_person_and_in_the_same_groups(
    own_slapd: Slapd,
) -> None:
    told = mirror(own_slapd)
    async with told.following():
        await told.until(lambda: told.has(person(2)))
        before = told.at(person(2))
        own_slapd.move(person(2), "uid=renamed")
        renamed = f"uid=renamed,ou=Finance,{PEOPLE}"

        await told.until(lambda: told.has(renamed))

        assert told.at(renamed).id == before.id
        assert told.at(renamed).unit == before.unit
        assert renamed in told.names(group("dept-Finance"))
        assert not told.gone
        # The next change of the group does not lose them either.
        own_slapd.change(group("dept-Finance"), ADD, description=["x"])
        read_before = len(told.readings)
        await told.until(lambda: any(r.entries for r in told.readings[read_before:]))
        assert renamed in told.names(group("dept-Finance"))


async def test_somebody_moved_to_another_unit_is_there_at_once(
    own_slapd: Slapd,
) -> None:
    told = mirror(own_slapd)
    async with told.following():
        await told.until(lambda: told.has(person(2)))
        own_slapd.move(person(2), "uid=user00002", f"ou=Legal,{PEOPLE}")
        moved = f"uid=user00002,ou=Legal,{PEOPLE}"

        await told.until(lambda: told.has(moved))

    assert told.entries[told.at(moved).unit].path == f"ou=Legal,{PEOPLE}"


@pytest.mark.parametrize("following", [True, False], ids=["followed", "read later"])
async def test_a_renamed_unit_takes_everybody_along(*, following: bool) -> None:
    with running_slapd(people=400) as slapd:
        told = mirror(slapd)
        await told.read()
        before = {e.id: e.path for e in told.entries.values() if e.kind is Kind.PERSON}

        def arrived() -> bool:
            return told.has(f"ou=EMEA,ou=Verkauf,{PEOPLE}")

        if following:
            async with told.following():
                await told.until(lambda: len(told.readings) > 2)
                slapd.move(f"ou=Sales,{PEOPLE}", "ou=Verkauf")
                await told.until(arrived)
        else:
            told.source = source(slapd)  # a process that knows nothing
            slapd.move(f"ou=Sales,{PEOPLE}", "ou=Verkauf")
            await told.read()

    after = {e.id: e.path for e in told.entries.values() if e.kind is Kind.PERSON}
    assert after.keys() == before.keys()
    assert not told.gone
    assert sum("ou=Verkauf" in path for path in after.values()) == 80
    assert not any("ou=Sales" in path for path in after.values())


async def test_leaving_the_scope_is_not_being_deleted(own_slapd: Slapd) -> None:
    told = mirror(own_slapd)
    async with told.following():
        await told.until(lambda: told.has(person(2)))
        left, deleted = told.at(person(2)).id, told.at(person(3)).id
        own_slapd.move(person(2), "uid=user00002", FORMER)
        own_slapd.remove(person(3))

        await told.until(lambda: {left, deleted} <= told.gone.keys())

        assert told.gone[left].fate is Fate.OUT_OF_SCOPE
        assert told.gone[deleted].fate is Fate.DELETED
        own_slapd.move(f"uid=user00002,{FORMER}", "uid=user00002", f"ou=Legal,{PEOPLE}")
        await told.until(lambda: left in told.entries)
        # Their groups were mended by the server without a word.
        await told.until(
            lambda: f"uid=user00002,ou=Legal,{PEOPLE}" in told.names(group("unix"))
        )


@pytest.mark.parametrize("knowing", [True, False], ids=["same process", "restarted"])
async def test_a_unit_that_leaves_the_scope_takes_everybody_along(
    own_slapd: Slapd, *, knowing: bool
) -> None:
    told = mirror(own_slapd)
    await told.read()
    sales = {told.at(each).id for each in people_of("Sales", own_slapd.people)}
    own_slapd.move(f"ou=Sales,{PEOPLE}", "ou=Sales", FORMER)
    if not knowing:
        told.source = source(own_slapd)

    reading = await told.read()

    assert reading.complete
    assert not sales & told.entries.keys()
    assert reading.whole is not knowing  # who was below is known, or read anew
    if knowing:
        assert {told.gone[each].fate for each in sales} == {Fate.OUT_OF_SCOPE}
    own_slapd.move(f"ou=Sales,{FORMER}", "ou=Sales", PEOPLE)
    await told.read()
    assert sales <= told.entries.keys()
    assert told.names(group("dept-Sales")) == set(people_of("Sales", own_slapd.people))


async def test_a_new_hire_with_the_same_names_is_somebody_else(
    own_slapd: Slapd,
) -> None:
    told = mirror(own_slapd)
    async with told.following():
        await told.until(lambda: told.has(person(2)))
        before = told.at(person(2))
        own_slapd.remove(person(2))
        own_slapd.add_person(person(2), mail=before.attributes["mail"])

        await told.until(lambda: told.has(person(2)) and before.id in told.gone)

    after = told.at(person(2))
    assert after.id != before.id
    assert after.attributes["mail"] == before.attributes["mail"]
    finance = told.at(group("dept-Finance")).members or frozenset()
    assert after.id not in finance
    # A group that lists user names means whoever has the name: the directory's word.
    assert after.id in (told.at(group("unix")).members or ())


async def test_somebody_who_is_in_a_group_before_they_exist(own_slapd: Slapd) -> None:
    own_slapd.change(group("deal-desk"), ADD, member=[_NEW])
    told = mirror(own_slapd)
    async with told.following():
        await told.until(lambda: told.has(person(2)))
        own_slapd.add_person(_NEW)

        await told.until(lambda: told.has(_NEW))

        assert _NEW in told.names(group("deal-desk"))


async def test_a_primary_group_is_followed_whichever_comes_first(
    own_slapd: Slapd,
) -> None:
    told = mirror(own_slapd)
    posix = {"uidNumber": "1", "gidNumber": "700", "homeDirectory": "/home/new"}
    async with told.following():
        await told.until(lambda: told.has(person(2)))
        own_slapd.add(
            _NEW,
            ["inetOrgPerson", "posixAccount"],
            cn="new",
            sn="new",
            uid="new",
            **posix,
        )
        await told.until(lambda: told.has(_NEW))
        alone = told.at(_NEW).parents
        own_slapd.add(group("staff"), ["posixGroup"], gidNumber="700")
        await told.until(lambda: told.at(_NEW).parents)
        inside = told.at(_NEW).parents
        own_slapd.change(_NEW, REPLACE, gidNumber=["100"])
        await told.until(lambda: told.at(_NEW).parents != inside)

    assert alone == frozenset()
    assert inside == {told.at(group("staff")).id}
    assert told.at(_NEW).parents == {told.at(group("unix")).id}


async def test_odd_names_are_found_in_their_units_and_groups(own_slapd: Slapd) -> None:
    unit = f"ou={dn_value('Q+A, (R&D)*')},{PEOPLE}"
    name = 'Smith, Ana (R&D)*\\"#;<>= 佐藤'
    odd = f"cn={dn_value(name)},{unit}"
    own_slapd.add(unit, ["organizationalUnit"])
    own_slapd.add(odd, ["inetOrgPerson"], sn="Smith", uid="ana*)(uid=*")
    own_slapd.add(group("odd"), ["groupOfNames"], member=odd)
    told = mirror(own_slapd)

    await told.read()

    (ana,) = [e for e in told.entries.values() if e.name == name]
    assert told.entries[ana.unit].name == "Q+A, (R&D)*"
    assert told.at(group("odd")).members == frozenset({ana.id})
    own_slapd.add(group("later"), ["groupOfNames"], member=odd)
    own_slapd.move(odd, "cn=plain", PEOPLE)
    await told.read()
    assert told.at(group("later")).members == frozenset({ana.id})


@pytest.mark.parametrize(
    ("before", "after", "standing"),
    [
        ({}, {"pwdAccountLockedTime": ["000001010000Z"]}, Standing.DISABLED),
        ({}, {"pwdAccountLockedTime": ["20300101000000Z"]}, Standing.LOCKED),
        ({"shadow": True}, {"shadowExpire": ["1"]}, Standing.EXPIRED),
    ],
)
async def test_an_account_that_is_switched_off_is_told_so(
    own_slapd: Slapd,
    before: dict[str, object],
    after: dict[str, list[str]],
    standing: Standing,
) -> None:
    if before:
        own_slapd.change(person(2), ADD, objectClass=["shadowAccount"])
    told = mirror(own_slapd)
    async with told.following():
        await told.until(lambda: told.has(person(2)))
        active = told.at(person(2)).standing
        own_slapd.change(person(2), REPLACE, **after)

        await told.until(lambda: told.at(person(2)).standing is standing)

    assert active is Standing.ACTIVE


async def test_an_account_ends_on_its_day_though_nobody_touched_it(
    own_slapd: Slapd,
) -> None:
    own_slapd.change(person(2), ADD, objectClass=["shadowAccount"])
    own_slapd.change(person(2), REPLACE, shadowExpire=["20000"])
    now = [19_999 * 86_400.0]
    told = Mirror(LdapSource(source(own_slapd).settings, now=lambda: now[0]))
    async with told.following():
        await told.until(lambda: told.has(person(2)))
        before = told.at(person(2)).standing
        now[0] += 86_400

        await told.until(lambda: told.at(person(2)).standing is Standing.EXPIRED)

    assert before is Standing.ACTIVE


async def test_silence_is_told_as_such_and_the_cursor_stays(slapd: Slapd) -> None:
    told = mirror(slapd)
    async with told.following():
        await told.until(lambda: len(told.readings) > 3)

    beats = told.readings[1:]
    assert all(each.complete and not each.entries for each in beats)
    assert {each.cursor for each in beats} == {told.readings[0].cursor}


async def test_a_base_that_is_a_typo_or_a_filter_that_finds_nothing(
    slapd: Slapd,
) -> None:
    typo = await mirror(slapd, base=f"o=acne,{SUFFIX}").read()
    nothing = await mirror(slapd, filter="(uid=nobody)").read()

    assert not typo.complete
    assert "nothing under this base DN" in typo.why
    # An empty answer in good order is an answer; the brake is what guards it.
    assert (nothing.whole, nothing.complete, nothing.entries) == (True, True, ())


async def test_a_filter_narrows_what_is_followed(own_slapd: Slapd) -> None:
    wanted = "(|(objectClass=organizationalUnit)(title=Director))"
    told = mirror(own_slapd, filter=wanted)
    async with told.following():
        await told.until(lambda: told.has(person(0)))
        director = told.at(person(0)).id
        own_slapd.change(person(0), REPLACE, title=["Associate"])

        await told.until(lambda: director in told.gone)

    assert told.gone[director].fate is Fate.OUT_OF_SCOPE
    assert not told.has(person(1))
    assert not told.has(GROUPS.replace("ou=groups", "cn=unix"))
