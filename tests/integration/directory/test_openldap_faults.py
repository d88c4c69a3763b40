"""A directory that is slow, wrong, partial, forgetful or away: nobody is lost for it."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.directory.model import Fate, Reading
from policy.directory.ldap.settings import LdapSettings
from policy.directory.ldap.shape import DS389
from policy.directory.ldap.source import LdapSource
from policy.directory.ldap.source_settings import LdapSourceSettings
from tests.acme_ldif import BASE, FORMER, PEOPLE, SMALL_READER, group, person
from tests.certificates import certificates
from tests.faulty_line import Line, line_to
from tests.integration.directory.mirror import Mirror
from tests.servers import free_port
from tests.slapd import ADD, REPLACE, Slapd, running_slapd

_DESK = group("deal-desk")


def _source(
    slapd: Slapd, *servers: str, seconds: int = 20, **more: object
) -> LdapSource:
    ldap = slapd.settings(*servers, seconds=seconds)
    settings = LdapSourceSettings(
        "acme", ldap, BASE, poll_seconds=0.1, beat_seconds=0.1
    )
    return LdapSource(replace(settings, **more))  # type: ignore[arg-type] # any field


@asynccontextmanager
async def _through_a_line(
    slapd: Slapd, seconds: int = 20, **more: object
) -> AsyncIterator[tuple[Line, Mirror]]:
    async with line_to(slapd.tls_port) as line:
        url = f"ldaps://127.0.0.1:{line.port}"
        yield line, Mirror(_source(slapd, url, seconds=seconds, **more))


@pytest.fixture(scope="module")
def paged_only() -> Iterator[Slapd]:
    with running_slapd(sync=False) as server:
        yield server


@pytest.mark.parametrize("tenth", range(1, 10))
@pytest.mark.parametrize("way", ["sync", "pages"])
async def test_a_line_cut_anywhere_removes_nobody(
    slapd: Slapd, paged_only: Slapd, way: str, tenth: int
) -> None:
    server = slapd if way == "sync" else paged_only
    async with _through_a_line(server, page=6) as (line, told):
        full = await told.read()
        line.cut_after, line.passed = line.passed * tenth // 10, 0
        told.cursor = b""

        cut = await told.read()

    assert full.complete
    assert (cut.complete, cut.whole, cut.gone, cut.cursor) == (False, False, (), b"")
    assert "\n" not in cut.why
    assert str(line.port) in cut.why
    # What came is told as it is, and what it lacks is not told as gone.
    whole = {entry.id: entry for entry in full.entries}
    for entry in cut.entries:
        assert entry.attributes == whole[entry.id].attributes
        assert (entry.members or frozenset()) <= (whole[entry.id].members or set())


async def test_a_reading_after_a_cut_goes_on_from_the_old_cursor(
    own_slapd: Slapd,
) -> None:
    async with _through_a_line(own_slapd) as (line, told):
        await told.read()
        own_slapd.remove(person(7))
        line.refusing = True
        refused = await told.read()
        line.refusing = False

        after = await told.read()

    assert not refused.complete
    assert [each.fate for each in after.gone] == [Fate.DELETED]


async def test_a_silent_line_is_incomplete(slapd: Slapd) -> None:
    async with _through_a_line(slapd, seconds=1) as (line, told):
        await told.read()
        task = asyncio.create_task(told.read())
        line.stall()

        reading = await task

    assert not reading.complete
    assert "1 seconds" in reading.why


async def test_a_line_that_dies_while_followed_ends_the_following(
    slapd: Slapd,
) -> None:
    async with _through_a_line(slapd, seconds=1) as (line, told):
        await told.read()
        following = told.source.follow(told.cursor)
        first = await anext(following)
        line.stall()

        rest = [reading async for reading in following]

    assert first.complete
    assert not rest[-1].complete
    assert "silent" in rest[-1].why
    assert not any(reading.gone for reading in rest)


async def test_following_survives_a_restart_and_misses_nothing(
    own_slapd: Slapd,
) -> None:
    told = Mirror(_source(own_slapd))
    async with told.following():
        await told.until(lambda: told.has(person(3)))
        gone = told.at(person(7)).id
        own_slapd.stop()
        await told.until(lambda: not told.readings[-1].complete)
        own_slapd.start()
        own_slapd.change(person(3), REPLACE, title=["Boss"])
        own_slapd.remove(person(7))

        await told.until(lambda: gone in told.gone or gone not in told.entries)
        await told.until(lambda: told.at(person(3)).attributes["title"] == "Boss")

    assert len([e for e in told.entries.values() if e.path.startswith("uid=")]) == 59


@pytest.mark.parametrize("knowing", [True, False], ids=["same process", "restarted"])
async def test_a_server_that_forgot_what_is_gone_names_what_is_there(
    *, knowing: bool
) -> None:
    with running_slapd(session_log=0) as slapd:
        told = Mirror(_source(slapd))
        await told.read()
        left, deleted = told.at(person(2)).id, told.at(person(7)).id
        slapd.change(person(3), REPLACE, title=["Boss"])
        slapd.move(person(2), "uid=user00002", FORMER)
        slapd.remove(person(7))
        if not knowing:
            told.source = _source(slapd)

        reading = await told.read()

    assert reading.complete
    assert reading.whole is not knowing
    assert told.at(person(3)).attributes["title"] == "Boss"
    assert not {left, deleted} & told.entries.keys()
    if knowing:
        fates = {each.id: each.fate for each in reading.gone}
        assert fates == {left: Fate.OUT_OF_SCOPE, deleted: Fate.DELETED}


async def test_what_is_gone_is_looked_up_before_it_is_told() -> None:
    with running_slapd(session_log=0) as slapd:
        async with _through_a_line(slapd) as (line, told):
            await told.read()
            passed = line.passed
            await told.read()
            quiet = line.passed - passed
            slapd.remove(person(7))
            # The refresh itself passes; asking what became of them does not.
            line.cut_after = line.passed + quiet + 200

            reading = await told.read()

    assert (reading.complete, reading.gone) == (False, ())


async def test_a_server_that_asks_to_start_over_is_read_whole() -> None:
    with running_slapd(60, "syncprov-reloadhint TRUE", session_log=0) as slapd:
        told = Mirror(_source(slapd))
        first = await told.read()
        old = b"rid=000,csn=20200101000000.000000Z#000000#000#000000"
        told.cursor = _source(slapd).settings.cursor(old)

        reading = await told.read()

        assert (reading.whole, reading.complete) == (True, True)
        assert len(reading.entries) == len(first.entries)


@pytest.mark.parametrize("modules", [("syncprov", "ppolicy"), ("ppolicy",)])
async def test_a_server_without_synchronization_is_read_again_and_again(
    modules: tuple[str, ...],
) -> None:
    with running_slapd(sync=False) as slapd:
        if modules != slapd.modules:
            slapd.stop()
            config = slapd.folder / "slapd.conf"
            config.write_text(config.read_text().replace("moduleload syncprov\n", ""))
            slapd.start()
        told = Mirror(_source(slapd))
        async with told.following():
            await told.until(lambda: told.has(person(3)))
            slapd.change(person(3), REPLACE, title=["Boss"])
            await told.until(lambda: told.at(person(3)).attributes["title"] == "Boss")
            deleted, left = told.at(person(7)).id, told.at(person(2)).id
            slapd.remove(person(7))
            slapd.move(person(2), "uid=user00002", FORMER)
            await told.until(lambda: {deleted, left} <= told.gone.keys())

    assert all(each.complete for each in told.readings)
    # Not being named is looked into before it is told.
    assert told.gone[deleted].fate is Fate.DELETED
    assert told.gone[left].fate is Fate.OUT_OF_SCOPE


async def test_what_was_modified_is_found_between_readings_of_everything() -> None:
    with running_slapd(sync=False) as slapd:
        told = Mirror(_source(slapd, poll_seconds=3600.0, look_seconds=0.05))
        renamed = person(1).replace("ou=Sales", "ou=Verkauf")
        new = f"uid=new,ou=Finance,{PEOPLE}"
        async with told.following():
            await told.until(lambda: told.has(person(3)))
            slapd.change(person(3), REPLACE, title=["Boss"])
            await told.until(lambda: told.at(person(3)).attributes["title"] == "Boss")
            slapd.add_person(new)
            slapd.change(group("deal-desk"), ADD, member=[new])
            await told.until(lambda: told.has(new) and new in told.names(_DESK))
            slapd.move(f"ou=Sales,{PEOPLE}", "ou=Verkauf")
            await told.until(lambda: told.has(renamed))
            slapd.remove(person(7))
            slapd.change(person(3), REPLACE, title=["Associate"])
            await told.until(
                lambda: told.at(person(3)).attributes["title"] == "Associate"
            )
            still_there = told.has(person(7))

    assert [each.whole for each in told.readings].count(True) == 1
    assert all(each.complete for each in told.readings)
    assert still_there  # who is gone is seen only when everything is read


@pytest.mark.parametrize("pages", [True, False], ids=["pages", "sync"])
async def test_a_part_on_another_server_is_never_asked_for(
    own_slapd: Slapd, *, pages: bool
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as elsewhere:
        elsewhere.settimeout(0.05)
        own_slapd.add(
            f"ou=berlin,{PEOPLE}",
            ["referral", "extensibleObject"],
            ou="berlin",
            ref=f"ldap://127.0.0.1:{elsewhere.getsockname()[1]}/ou=berlin",
        )
        careful = _source(own_slapd)
        careful.pages_only = pages
        content = _source(own_slapd, skip_referrals=True)
        content.pages_only = pages

        partial = await Mirror(careful).read()
        whole = await Mirror(content).read()

        with pytest.raises(TimeoutError):
            elsewhere.accept()
    # OpenLDAP's synchronization tells of its own tree alone, and so is everything.
    assert partial.complete is not pages
    assert pages is ("other server" in partial.why)
    assert (whole.whole, whole.complete) == (True, True)
    assert not any("berlin" in entry.path for entry in whole.entries)


async def test_an_id_that_changes_are_not_told_by_is_read_in_pages(
    slapd: Slapd,
) -> None:
    shape = replace(DS389, id="employeeNumber")

    reading = await Mirror(_source(slapd, shape=shape, page=7)).read()

    # Units have no employee number, and without an id nothing can be kept.
    assert not reading.complete
    assert "entries show no employeeNumber" in reading.why
    assert "10003" in {entry.id for entry in reading.entries}


async def test_an_account_with_a_size_limit_gets_nothing_for_everything() -> None:
    with running_slapd(people=520) as slapd:
        ldap = slapd.settings(account=SMALL_READER)
        told = Mirror(LdapSource(LdapSourceSettings("acme", ldap, BASE)))

        reading = await told.read()

    assert not reading.complete
    assert "size limit" in reading.why
    assert not reading.gone


async def test_what_cannot_be_reached_is_one_line_and_no_exception(
    slapd: Slapd, tmp_path: Path
) -> None:
    other = str(certificates(tmp_path, "localhost").ca)
    good = slapd.settings()
    for ldap, words in (
        (replace(good, ca_file=other), "not trusted"),
        (replace(good, ca_file="/nowhere"), "no CA file"),
        (replace(good, password=""), "is empty"),
        (replace(good, password="wrong"), "password is wrong"),
        (replace(good, servers=(f"ldaps://127.0.0.1:{free_port()}",)), "refused"),
        (replace(good, servers=("ldaps://nowhere.invalid",)), "no such host"),
        (LdapSettings(()), "name a directory server"),
    ):
        source = LdapSource(LdapSourceSettings("acme", ldap, BASE))
        readings = [reading async for reading in source.read(b"")]
        readings += [reading async for reading in source.follow(b"x")]

        for reading in readings:
            assert words in reading.why
            assert reading == Reading("acme", False, complete=False, why=reading.why)
        assert len(readings) == 2


async def test_a_server_that_is_frozen_is_incomplete_and_then_comes_back(
    own_slapd: Slapd,
) -> None:
    told = Mirror(_source(own_slapd, seconds=1))
    await told.read()
    own_slapd.freeze()
    frozen = await told.read()
    own_slapd.thaw()
    own_slapd.change(person(3), REPLACE, title=["Boss"])

    after = await told.read()

    assert not frozen.complete
    assert after.complete
    assert told.at(person(3)).attributes["title"] == "Boss"
    assert told.has(f"ou=Finance,{PEOPLE}")
