"""From a change in OpenLDAP to who is who, and to what the policy says to a message."""

from pathlib import Path

from bots.directory_side import source_of
from bots.following import read_once
from bridge.access import Action, Asked
from bridge.directory.model import Kind, Standing
from bridge.messages import Channel, Person, Platform
from policy.cedar.bundle import Draft, build
from policy.cedar.engine import Engine
from policy.cedar.naming import FromDirectory
from policy.default import MembershipPolicy
from tests.acme_ldif import FORMER, PEOPLE, group, people_of, person
from tests.contract.conftest import TENANT
from tests.faulty_line import line_to
from tests.followed_directory import MEANS, followed_directory, source_settings
from tests.slapd import ADD, DELETE, REPLACE, Slapd

_FIN_SLACK = Channel(Platform.SLACK, "T1", "C-FIN")
_FIN_TEAMS = Channel(Platform.TEAMS, "19:team", "19:fin")
_FRONT = """
spaces:
  finance: ["slack:T1/C-FIN", "teams:19:team/19:fin"]
rules:
  - id: finance-talks
    allow: [bridge.post, bridge.read]
    who: {group: dept-Finance}
    where: {links_between: [space:finance, space:finance]}
    reason: Finance talks in its own channels.
"""


async def test_the_next_message_is_decided_by_what_changed_in_openldap(
    own_slapd: Slapd, tmp_path: Path
) -> None:
    own_slapd.change(person(3), ADD, carLicense=["T1/U3"])
    asked = Asked(
        TENANT,
        Person(Platform.SLACK, "U3", "U3"),
        Action.POST,
        _FIN_SLACK,
        _FIN_TEAMS,
        "L1",
        "T1",
    )
    async with followed_directory(tmp_path, own_slapd) as world:
        view = world.side.view
        engine = Engine(view, MembershipPolicy(), ttl=30)
        bundle = build(TENANT, Draft(_FRONT, ""), FromDirectory(view, TENANT), ("why",))
        engine.use(bundle)
        before = await engine.decide(asked)

        own_slapd.change(group("dept-Finance"), ADD, member=[person(3)])
        await world.until(lambda: "dept-Finance" in world.groups(person(3)))
        inside = await engine.decide(asked)

        own_slapd.change(person(3), REPLACE, pwdAccountLockedTime=["000001010000Z"])
        await world.until(lambda: world.at(person(3)).standing is Standing.DISABLED)
        disabled = await engine.decide(asked)

        own_slapd.change(person(3), DELETE, pwdAccountLockedTime=[])
        await world.until(lambda: world.at(person(3)).standing is Standing.ACTIVE)
        own_slapd.change(group("dept-Finance"), DELETE, member=[person(3)])
        await world.until(lambda: "dept-Finance" not in world.groups(person(3)))
        outside = await engine.decide(asked)

    allowed = [each.allowed for each in (before, inside, disabled, outside)]
    assert allowed == [False, True, False, False]
    assert inside.rule == "finance-talks"
    assert disabled.rule == "atom-inactive"
    assert before.directory != inside.directory != outside.directory


async def test_trap_groups_in_groups_are_followed_to_their_end_by_atom_itself(
    own_slapd: Slapd, tmp_path: Path
) -> None:
    """OpenLDAP finds nobody by Active Directory's rule for them, and says success."""
    async with followed_directory(tmp_path, own_slapd) as world:
        first = people_of("Finance", own_slapd.people)[0]
        through = world.groups(first)
        around = world.groups(person(0)), world.groups(person(1))
        circles = world.side.view.circles(TENANT)
        own_slapd.change(group("deal-room"), DELETE, member=[group("deal-desk")])
        await world.until(lambda: "deal-room" not in world.groups(first))
        after = world.groups(first)

    assert {"dept-Finance", "all-staff", "deal-desk", "deal-room", "readers"} <= through
    assert all({"cycle-a", "cycle-b"} <= each for each in around)
    assert [set(each) for each in circles] == [{"cycle-a", "cycle-b"}]
    # Only what had no other way is lost.
    assert through - after == {"deal-room", "readers"}


async def test_renamed_units_and_people_stay_who_they_are(
    own_slapd: Slapd, tmp_path: Path
) -> None:
    async with followed_directory(tmp_path, own_slapd) as world:
        before = {s.id: s for s in world.side.view.subjects(TENANT)}
        somebody = world.at(person(1))
        own_slapd.move(f"ou=Sales,{PEOPLE}", "ou=Verkauf")
        moved = person(1).replace("ou=Sales", "ou=Verkauf")
        await world.until(
            lambda: (
                world.side.view.name_of(
                    TENANT, Kind.UNIT, own_slapd.uuid(f"ou=Verkauf,{PEOPLE}")
                )
                == "Verkauf"
            )
        )
        await world.until(lambda: world.at(moved))
        after = {s.id: s for s in world.side.view.subjects(TENANT)}

        assert world.at(moved).id == somebody.id
        assert after.keys() == before.keys()
        assert world.at(moved).ancestors == somebody.ancestors
        assert not any(outcome.frozen for outcome in world.outcomes)


async def test_an_answer_that_breaks_off_removes_nobody(
    slapd: Slapd, tmp_path: Path
) -> None:
    async with (
        followed_directory(tmp_path, slapd) as world,
        line_to(slapd.tls_port) as line,
    ):
        sync = world.side.required(TENANT)
        before = world.side.view.subjects(TENANT)
        edges = sync.state.edges("ldap")
        source = source_of(
            source_settings(slapd, f"ldaps://127.0.0.1:{line.port}"), MEANS
        )
        whole = await read_once(source)
        passed = line.passed
        assert whole
        assert whole.complete
        for tenth in range(10):
            line.passed, line.cut_after = 0, passed * tenth // 10

            reading = await read_once(source)
            assert reading
            outcome = await sync.apply(reading)

            assert outcome.problem
            assert not outcome.changes
            assert not outcome.frozen
        assert world.side.view.subjects(TENANT) == before
        assert sync.state.edges("ldap") == edges


async def test_many_who_vanish_at_once_wait_for_a_word_and_a_leaver_does_not(
    own_slapd: Slapd, tmp_path: Path
) -> None:
    async with followed_directory(tmp_path, own_slapd) as world:
        leavers = [world.at(path).id for path in people_of("Sales", own_slapd.people)]
        own_slapd.move(f"ou=Sales,{PEOPLE}", "ou=Sales", FORMER)
        await world.until(lambda: any(each.frozen for each in world.outcomes))
        own_slapd.change(person(2), REPLACE, pwdAccountLockedTime=["000001010000Z"])
        await world.until(lambda: world.at(person(2)).standing is Standing.DISABLED)

        standing = {each.id: each.standing for each in world.side.view.subjects(TENANT)}

    assert {standing[each] for each in leavers} == {Standing.ACTIVE}
