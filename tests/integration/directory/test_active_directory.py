"""Active Directory read and followed, on a Samba domain controller."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from bridge.directory.model import Fate, Kind, Standing
from policy.directory.active_directory.cursor import cursor
from policy.directory.active_directory.settings import Way
from policy.directory.active_directory.source import ActiveDirectory
from tests.certificates import certificates
from tests.samba import Samba
from tests.samba_told import following, settings_for, told_by
from tests.samba_world import (
    DISABLED,
    FINANCE,
    GROUPS,
    READER,
    ROOT,
    SALES,
    Admin,
)

WORLD = {"ana", "bo", "cy", "dan", "eve", "fay", "gil", "hal"}


@pytest.fixture
def admin(samba: Samba) -> Iterator[Admin]:
    """An administrator; what they do stays, so each test hires its own people."""
    with samba.admin() as made:
        yield made


@pytest.fixture
def source(samba: Samba) -> ActiveDirectory:
    return ActiveDirectory(settings_for(samba))


async def test_everybody_is_read_disabled_ones_included(
    source: ActiveDirectory,
) -> None:
    told = await told_by(source)

    assert told.everything
    assert told.people() >= WORLD
    assert "pc1$" not in told.people()
    assert told.named("fay").standing is Standing.DISABLED
    assert told.named("gil").standing is Standing.EXPIRED
    assert told.named("bo").attributes["manager"] == told.named("ana").id
    assert told.named("hal").guest
    assert "zoe" not in told.people()


async def test_contacts_are_guests_if_asked_for(samba: Samba) -> None:
    told = await told_by(ActiveDirectory(settings_for(samba, contacts=True)))

    assert told.named("Zoe").guest


async def test_pages_add_up(samba: Samba) -> None:
    told = await told_by(ActiveDirectory(settings_for(samba, page_size=3)))

    assert told.everything
    assert told.people() >= WORLD


async def test_who_is_below_a_base_is_read_with_the_groups_of_all(samba: Samba) -> None:
    told = await told_by(ActiveDirectory(settings_for(samba, bases=(FINANCE,))))

    assert told.people() == {"ana", "bo", "cy"}
    assert told.group("Sales").kind is Kind.GROUP
    assert {e.name for e in told.entries.values() if e.kind is Kind.UNIT} == {
        *("ad", "Company", "Finance")
    }


async def test_a_base_that_is_not_there_is_not_an_empty_company(samba: Samba) -> None:
    mistyped = f"OU=Compnay,{ROOT}"
    told = await told_by(ActiveDirectory(settings_for(samba, bases=(mistyped,))))

    assert not told.last.complete
    assert "nothing under this base DN" in told.last.why
    assert not told.everything


async def test_d05_nested_groups_with_a_cycle_are_edges(
    source: ActiveDirectory,
) -> None:
    told = await told_by(source)

    everybody, auditors = told.group("Everybody"), told.group("Auditors")
    assert everybody.members is not None
    assert auditors.id in everybody.members
    assert auditors.members == frozenset({everybody.id})


async def test_d06_a_changed_primary_group_moves_access(
    source: ActiveDirectory, admin: Admin
) -> None:
    ida = admin.person("ida", FINANCE)
    payroll = admin.dn_of("Payroll")
    told = await told_by(source)
    assert told.named("ida").parents == {told.group("Domain Users").id}

    admin.put_in(payroll, ida)
    admin.set(ida, primaryGroupID=int(rid(admin, payroll)))
    await told_by(source, told.last.cursor, told)

    assert told.named("ida").parents == {told.group("Payroll").id}


async def test_a_primary_group_outside_of_the_bases_is_read_too(samba: Samba) -> None:
    settings = settings_for(samba, bases=(FINANCE,), group_bases=(GROUPS,))

    told = await told_by(ActiveDirectory(settings))

    assert told.named("ana").parents == {told.group("Domain Users").id}
    assert "Domain Admins" not in {entry.name for entry in told.entries.values()}


async def test_d09_a_change_names_only_what_changed(
    source: ActiveDirectory, admin: Admin
) -> None:
    jo = admin.person("jo", FINANCE, title="Clerk", department="Finance")
    told = await told_by(source)

    admin.set(jo, title=[], mail="jo@atom.test")
    await told_by(source, told.last.cursor, told)

    attributes = told.named("jo").attributes
    assert attributes["department"] == "Finance"  # not named in the change
    assert "title" not in attributes  # named, without a value
    assert attributes["mail"] == "jo@atom.test"


async def test_d09_who_left_a_group_leaves_nobody_else(
    source: ActiveDirectory, admin: Admin
) -> None:
    kim, lee, mia = (admin.person(name, FINANCE) for name in ("kim", "lee", "mia"))
    team = admin.group("Team", [kim, lee])
    told = await told_by(source)

    admin.take_out(team, kim)
    admin.put_in(team, mia)
    await told_by(source, told.last.cursor, told)

    assert told.members("Team") == {"lee", "mia"}
    changed = [e for e in told.last.entries if e.kind is Kind.GROUP]
    assert changed == []  # the list itself was not read again


async def test_a_new_group_comes_with_its_members(
    source: ActiveDirectory, admin: Admin
) -> None:
    told = await told_by(source)

    ned = admin.person("ned", SALES)
    admin.group("Newcomers", [ned])
    await told_by(source, told.last.cursor, told)

    assert told.members("Newcomers") == {"ned"}


async def test_a_list_that_becomes_a_security_group_comes_with_its_members(
    source: ActiveDirectory, admin: Admin
) -> None:
    news = admin.dn_of("Newsletter")
    told = await told_by(source)
    assert "Newsletter" not in {entry.name for entry in told.entries.values()}

    admin.set(news, groupType=-2147483646)
    await told_by(source, told.last.cursor, told)
    assert told.members("Newsletter") == {"Ana Ruiz"}

    admin.set(news, groupType=2)
    await told_by(source, told.last.cursor, told)
    assert "Newsletter" not in {entry.name for entry in told.entries.values()}


async def test_d07_a_renamed_person_stays_the_same_person(
    source: ActiveDirectory, admin: Admin
) -> None:
    oda = admin.person("oda", FINANCE, mail="oda@atom.test")
    told = await told_by(source)
    before = told.named("oda")

    admin.set(oda, userPrincipalName="oda.new@ad.atom.test", mail="new@atom.test")
    admin.move(admin.rename(oda, r"CN=Smith\, Oda (R&D)*"), SALES)
    await told_by(source, told.last.cursor, told)

    after = told.entries[before.id]
    assert after.path == rf"CN=Smith\, Oda (R&D)*,{SALES}"
    assert after.unit == told.named("Sales", Kind.UNIT).id
    assert after.attributes["user_name"] == "oda.new@ad.atom.test"
    assert not told.gone


async def test_who_moves_out_of_the_base_is_not_deleted(
    samba: Samba, admin: Admin
) -> None:
    pia = admin.person("pia", FINANCE)
    id_ = admin.id_of(pia)
    source = ActiveDirectory(settings_for(samba, bases=(FINANCE,)))
    told = await told_by(source)

    moved = admin.move(pia, SALES)
    await told_by(source, told.last.cursor, told)
    assert [(g.id, g.fate) for g in told.gone] == [(id_, Fate.OUT_OF_SCOPE)]

    admin.put_in(admin.dn_of("Sales"), moved)
    admin.move(moved, FINANCE)
    await told_by(source, told.last.cursor, told)
    assert "pia" in told.members("Sales")


async def test_d08_a_new_hire_of_the_same_name_is_somebody_else(
    source: ActiveDirectory, admin: Admin
) -> None:
    quy = admin.person("quy", FINANCE, mail="quy@atom.test")
    admin.put_in(admin.dn_of("Finance"), quy)
    told = await told_by(source)
    former = told.named("quy").id

    admin.delete(quy)
    admin.person("quy", FINANCE, mail="quy@atom.test")
    await told_by(source, told.last.cursor, told)

    assert [(g.id, g.fate) for g in told.gone] == [(former, Fate.DELETED)]
    assert told.named("quy").id != former
    assert not [e for e in told.edges if e.member == told.named("quy").id]


async def test_d10_numbers_of_another_controller_mean_nothing(samba: Samba) -> None:
    source = ActiveDirectory(settings_for(samba, changes=Way.USN))
    told = await told_by(source)
    held = cursor(told.last.cursor)
    assert held is not None

    restored = replace(held, controller="00000000-0000-0000-0000-000000000000")
    again = await told_by(source, restored.encode())

    assert again.everything
    assert again.people() >= WORLD


async def test_d10_changes_come_by_number_where_dirsync_is_not_wanted(
    samba: Samba, admin: Admin
) -> None:
    source = ActiveDirectory(settings_for(samba, changes=Way.USN))
    rex, sam = admin.person("rex", FINANCE), admin.person("sam", FINANCE)
    told = await told_by(source)
    gone = told.named("sam").id

    admin.put_in(admin.dn_of("Finance"), rex)
    admin.set(rex, userAccountControl=DISABLED | 32)
    admin.delete(sam)
    await told_by(source, told.last.cursor, told)

    assert not told.last.whole
    assert "rex" in told.members("Finance")
    assert told.named("rex").standing is Standing.DISABLED
    assert gone in {each.id for each in told.gone}


async def test_without_the_right_to_replicate_changes_come_all_the_same(
    samba: Samba, admin: Admin
) -> None:
    source = ActiveDirectory(settings_for(samba, READER))
    told = await told_by(source)
    held = cursor(told.last.cursor)

    admin.put_in(admin.dn_of("Finance"), admin.person("tea", FINANCE))
    await told_by(source, told.last.cursor, told)

    assert held is not None
    assert (held.way, held.own_security) == (Way.DIRSYNC, True)
    assert not told.last.whole
    assert "tea" in told.members("Finance")


async def test_dirsync_alone_is_refused_in_words(samba: Samba) -> None:
    wrong = replace(settings_for(samba), page_size=3, changes=Way.DIRSYNC)
    told = await told_by(ActiveDirectory(wrong))
    held = cursor(told.last.cursor)
    assert held is not None

    # A cookie that no controller made.
    forged = replace(held, cookie=b"not a cookie")
    again = await told_by(ActiveDirectory(wrong), forged.encode())

    assert again.everything


@pytest.mark.parametrize("stored", [b"nonsense", b"{}"])
async def test_a_cursor_of_something_else_reads_everything(
    source: ActiveDirectory, stored: bytes
) -> None:
    assert (await told_by(source, stored)).everything


async def test_other_settings_read_everything_again(samba: Samba) -> None:
    told = await told_by(ActiveDirectory(settings_for(samba)))
    narrower = ActiveDirectory(settings_for(samba, bases=(FINANCE,)))

    again = await told_by(narrower, told.last.cursor)

    assert again.everything
    assert "dan" not in again.people()


async def test_something_deleted_and_brought_back_reads_everything(
    source: ActiveDirectory, admin: Admin
) -> None:
    uma = admin.person("uma", FINANCE)
    admin.put_in(admin.dn_of("Finance"), uma)
    told = await told_by(source)
    id_ = told.named("uma").id
    admin.delete(uma)
    await told_by(source, told.last.cursor, told)

    admin.bring_back(id_, uma)
    await told_by(source, told.last.cursor, told)

    assert told.everything
    assert id_ in told.entries
    assert "uma" not in told.members("Finance")


async def test_what_happens_is_told_as_it_happens(
    source: ActiveDirectory, admin: Admin
) -> None:
    vic = admin.person("vic", FINANCE)
    told = await told_by(source)
    id_ = told.named("vic").id

    async with following(source, told) as follow:
        admin.put_in(admin.dn_of("Finance"), vic)
        await follow.until(lambda: "vic" in told.members("Finance"))
        admin.set(vic, userAccountControl=DISABLED | 32)
        await follow.until(lambda: told.entries[id_].standing is Standing.DISABLED)
        admin.take_out(admin.dn_of("Finance"), vic)
        await follow.until(lambda: "vic" not in told.members("Finance"))
        admin.delete(vic)
        await follow.until(lambda: id_ not in told.entries)

    assert told.gone[-1].fate is Fate.DELETED
    # What was told can be read on from.
    await told_by(source, told.last.cursor, told)
    assert not told.last.whole


async def test_deletions_are_found_without_the_right_to_see_them(
    samba: Samba, admin: Admin
) -> None:
    source = ActiveDirectory(settings_for(samba, READER, vanished_seconds=0.2))
    wim = admin.person("wim", FINANCE)
    told = await told_by(source)
    id_ = told.named("wim").id

    async with following(source, told) as follow:
        admin.delete(wim)
        await follow.until(lambda: id_ not in told.entries)

    assert told.gone[-1].fate is Fate.OUT_OF_SCOPE


async def test_without_that_right_a_new_process_reads_everything(
    samba: Samba, admin: Admin
) -> None:
    leo = admin.person("leo", FINANCE)
    told = await told_by(ActiveDirectory(settings_for(samba, READER)))
    admin.delete(leo)

    again = await told_by(
        ActiveDirectory(settings_for(samba, READER)), told.last.cursor
    )

    assert again.everything
    assert "leo" not in again.people()


async def test_whoever_follows_hears_that_nothing_changed(samba: Samba) -> None:
    source = ActiveDirectory(settings_for(samba, sign_of_life_seconds=0.05))
    told = await told_by(source)
    before = len(told.readings)

    async with following(source, told) as follow:
        await follow.until(lambda: len(told.readings) > before)

    assert told.last.complete
    assert cursor(told.last.cursor) is not None


async def test_an_account_expires_without_a_change(samba: Samba, admin: Admin) -> None:
    now = [1_900_000_000.0]
    source = ActiveDirectory(settings_for(samba), clock=lambda: now[0])
    ticks = int((now[0] + 30 + 11_644_473_600) * 10_000_000)
    admin.person("xia", FINANCE, accountExpires=str(ticks))
    told = await told_by(source)
    assert told.named("xia").standing is Standing.ACTIVE

    now[0] += 120
    await told_by(source, told.last.cursor, told)

    assert told.named("xia").standing is Standing.EXPIRED


async def test_a_wrong_password_is_told_as_one(samba: Samba) -> None:
    settings = settings_for(samba)
    wrong = replace(settings, ldap=replace(settings.ldap, password="nope"))

    told = await told_by(ActiveDirectory(wrong))

    assert not told.last.complete
    assert "password is wrong" in told.last.why
    assert "nope" not in told.last.why
    assert not told.entries


async def test_a_disabled_account_of_atom_is_told_as_one(
    samba: Samba, admin: Admin
) -> None:
    dn = admin.person("spare", f"CN=Users,{ROOT}")
    admin.give_password(dn, "Spare-Secret-1!")
    admin.set(dn, userAccountControl=DISABLED)
    settings = settings_for(samba, "spare@ad.atom.test")
    off = replace(settings, ldap=replace(settings.ldap, password="Spare-Secret-1!"))

    told = await told_by(ActiveDirectory(off))

    assert "the account is disabled" in told.last.why


async def test_a_certificate_that_is_not_trusted_stops_it(
    samba: Samba, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = certificates(tmp_path_factory.mktemp("other"), samba.address)
    settings = settings_for(samba)
    told = await told_by(
        ActiveDirectory(
            replace(settings, ldap=replace(settings.ldap, ca_file=str(other.ca)))
        )
    )

    assert "certificate is not trusted" in told.last.why
    assert not told.last.complete
    assert not told.entries


async def test_d01_a_restarted_controller_takes_nobody_away(
    source: ActiveDirectory, samba: Samba
) -> None:
    told = await told_by(source)
    before = dict(told.entries)

    samba.kill()
    down = await told_by(source, told.last.cursor)
    samba.start()
    with samba.admin() as admin:
        admin.put_in(admin.dn_of("Finance"), admin.person("yan", FINANCE))
    await told_by(source, told.last.cursor, told)

    assert not down.last.complete
    assert not down.gone
    assert before.keys() <= told.entries.keys()
    assert "yan" in told.members("Finance")


async def test_d01_whoever_follows_hears_that_the_controller_went(
    source: ActiveDirectory, samba: Samba
) -> None:
    told = await told_by(source)

    async with following(source, told) as follow:
        samba.kill()
        try:
            await follow.until(lambda: not told.last.complete)
        finally:
            samba.start()

    assert not told.gone


def rid(admin: Admin, dn: str) -> str:
    """Return the last number of something's SID."""
    raw = admin.raw(dn, "objectSid")
    return str(int.from_bytes(raw[-4:], "little"))
