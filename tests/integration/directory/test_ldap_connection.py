"""Reaching a directory: certificates, signing in, pages, and lines that break."""

import asyncio
import socket
import threading
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.errors import BadInput, ServiceUnavailable
from policy.directory.ldap.answers import Answer, Done
from policy.directory.ldap.connection import Incomplete, LdapConnection, connected
from policy.directory.ldap.conversation import Search
from policy.directory.ldap.dn import dn_value, filter_value
from policy.directory.ldap.settings import LdapSettings
from tests.acme_ldif import BASE, PASSWORD, PEOPLE, SMALL_READER, person
from tests.certificates import certificates
from tests.faulty_line import Line, line_to
from tests.servers import free_port
from tests.slapd import Slapd, running_slapd

_PEOPLE = Search(PEOPLE, "(objectClass=inetOrgPerson)", ("uid",))


async def test_ldaps_and_starttls_lead_to_the_same_directory(slapd: Slapd) -> None:
    for url in (slapd.url, slapd.plain_url):
        async with connected(slapd.settings(url)) as connection:
            root = await connection.root()

            assert connection.where == url
            assert root.text("namingContexts") == "dc=atom,dc=test"


async def test_an_untrusted_certificate_is_one_clear_line(
    slapd: Slapd, tmp_path: Path
) -> None:
    other = certificates(tmp_path, "localhost").ca
    for url in (slapd.url, slapd.plain_url):
        settings = replace(slapd.settings(url), ca_file=str(other))

        with pytest.raises(ServiceUnavailable) as refused:
            async with connected(settings):
                pass

        assert "its certificate is not trusted" in str(refused.value)
        assert str(other) in str(refused.value)
        assert "\n" not in str(refused.value)


async def test_a_certificate_for_another_name_is_refused(
    slapd: Slapd, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = slapd.settings(f"ldaps://ldap.acme.test:{slapd.tls_port}")
    local = socket.getaddrinfo("127.0.0.1", slapd.tls_port, type=socket.SOCK_STREAM)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: local)

    with pytest.raises(ServiceUnavailable, match="not trusted: Hostname mismatch"):
        async with connected(settings):
            pass


async def test_wrong_words_are_said_once_and_not_to_the_next_server(
    slapd: Slapd,
) -> None:
    settings = slapd.settings(slapd.url, slapd.plain_url, password="wrong")

    with pytest.raises(ServiceUnavailable) as refused:
        async with connected(settings):
            pass

    assert str(refused.value).count("ldap") == 1
    assert "the account or the password is wrong" in str(refused.value)
    assert "wrong" not in repr(settings)


async def test_the_next_server_is_tried_when_one_is_away(slapd: Slapd) -> None:
    away = f"ldaps://127.0.0.1:{free_port()}"

    async with connected(slapd.settings(away, slapd.url)) as connection:
        assert connection.where == slapd.url


async def test_nobody_there_is_one_line_with_each_reason() -> None:
    settings = LdapSettings(
        (f"ldaps://127.0.0.1:{free_port()}", "ldap://nowhere.invalid"),
        "cn=a",
        PASSWORD,
        connect_seconds=5,
    )

    with pytest.raises(ServiceUnavailable) as refused:
        async with connected(settings):
            pass

    assert "connection refused" in str(refused.value)
    assert "there is no such host" in str(refused.value)
    assert PASSWORD not in str(refused.value)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (LdapSettings(()), "name a directory server"),
        (LdapSettings(("ldaps://a",)), "which account"),
        (LdapSettings(("ldaps://a",), "cn=a"), "password of cn=a is empty"),
        (LdapSettings(("ldaps://a",), "cn=a", "b", anonymous=True), "not both"),
        (LdapSettings(("http://a",), "cn=a", "b"), "not a directory server"),
        (LdapSettings(("ldaps://",), "cn=a", "b"), "not a directory server"),
        (LdapSettings(("ldaps://a:99999",), "cn=a", "b"), "not a directory server"),
        (LdapSettings(("ldaps://u@a",), "cn=a", "b"), "not a directory server"),
        (LdapSettings(("ldaps://a/o=x",), "cn=a", "b"), "base DN"),
        (LdapSettings(("ldaps://a",), "cn=a", "b", ca_file="/none"), "no CA file"),
        (LdapSettings(("ldaps://a",), "cn=a", "b", connect_seconds=0), "at least 1"),
    ],
)
def test_settings_that_cannot_work_say_what_to_do(
    settings: LdapSettings, words: str
) -> None:
    with pytest.raises(BadInput, match=words):
        settings.checked()


async def test_an_empty_password_never_reaches_the_server() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"ldap://127.0.0.1:{server.getsockname()[1]}"
        server.settimeout(0.01)

        with pytest.raises(BadInput, match="empty"):
            async with connected(LdapSettings((url,), "cn=a", "")):
                pass
        with pytest.raises(TimeoutError):
            server.accept()


async def test_every_page_comes_and_each_entry_once(slapd: Slapd) -> None:
    seen: list[str] = []
    async with connected(slapd.settings()) as connection:
        async for entries in connection.paged(_PEOPLE, size=7):
            seen += [each.text("uid") for each in entries]

    assert sorted(seen) == [f"user{each:05d}" for each in range(slapd.people)]


async def test_who_stops_between_two_pages_may_ask_something_else(
    slapd: Slapd,
) -> None:
    """The next page is on its way by then; nobody hears of it."""
    async with connected(slapd.settings()) as connection:
        async with aclosing(connection.paged(_PEOPLE, size=7)) as pages:
            first = await anext(pages)

        found = await connection.one(person(3), ("uid",))

    assert len(first) == 7
    assert found is not None
    assert found.text("uid") == "user00003"


async def test_a_name_that_is_not_there_is_none_and_a_base_is_incomplete(
    slapd: Slapd,
) -> None:
    async with connected(slapd.settings()) as connection:
        assert await connection.one(f"uid=nobody,{PEOPLE}", ("uid",)) is None
        assert await connection.one(person(3), ("uid",)) is not None

        with pytest.raises(Incomplete, match="nothing under this base DN") as typo:
            async for _ in connection.paged(Search(f"ou=peple,{BASE}")):
                pass

    assert typo.value.code == 32


async def test_a_size_limit_is_incomplete() -> None:
    with running_slapd(people=520) as slapd:
        settings = slapd.settings(account=SMALL_READER)
        async with connected(settings) as connection:
            with pytest.raises(Incomplete, match="size limit") as limited:
                async for _ in connection.entries(_PEOPLE):
                    pass

    assert limited.value.code == 4


@pytest.mark.parametrize(
    "name",
    [
        "*",
        "*)(uid=*",
        "user00001)(|(uid=*",
        "\\2a",
        "a\0b",
        "Smith\\, Ana (R&D)*",
        " a ",
    ],
)
async def test_nothing_put_into_a_filter_finds_more(slapd: Slapd, name: str) -> None:
    search = replace(_PEOPLE, filter=f"(uid={filter_value(name)})")
    async with connected(slapd.settings()) as connection:
        assert [each async for each in connection.entries(search)] == [[]]


async def test_an_odd_name_is_found_by_name_and_by_filter(own_slapd: Slapd) -> None:
    name = 'Smith\\, Ana (R&D)*+=#";<>'
    own_slapd.add_person(f"uid={dn_value(name)},{PEOPLE}", uid=name, cn=name, sn="a")
    search = replace(_PEOPLE, filter=f"(uid={filter_value(name)})")
    async with connected(own_slapd.settings()) as connection:
        by_name = await connection.one(f"uid={dn_value(name)},{PEOPLE}", ("uid",))
        by_filter = [
            found async for each in connection.entries(search) for found in each
        ]

    assert by_name is not None
    assert [by_name.text("uid")] == [each.text("uid") for each in by_filter] == [name]


async def test_a_bad_filter_is_bad_input(slapd: Slapd) -> None:
    async with connected(slapd.settings()) as connection:
        with pytest.raises(BadInput, match="filter"):
            async for _ in connection.entries(replace(_PEOPLE, filter="(uid=a")):
                pass


async def test_a_line_cut_between_pages_is_known_as_such(slapd: Slapd) -> None:
    async with line_to(slapd.tls_port) as line:
        settings = slapd.settings(f"ldaps://127.0.0.1:{line.port}")
        async with connected(settings) as connection:
            pages: list[int] = []
            with pytest.raises(ServiceUnavailable, match=r"closed|broke"):
                await _count(connection, line, pages)

    assert 3 <= len(pages) < 10


async def _count(connection: LdapConnection, line: Line, pages: list[int]) -> None:
    async for entries in connection.paged(_PEOPLE, size=6):
        if entries:
            pages.append(len(entries))
        if len(pages) == 3:
            line.cut()


async def test_a_half_open_connection_is_noticed(slapd: Slapd) -> None:
    async with line_to(slapd.tls_port) as line:
        settings = slapd.settings(f"ldaps://127.0.0.1:{line.port}", seconds=1)
        async with connected(settings) as connection:
            line.stall()

            with pytest.raises(ServiceUnavailable, match="silent for 1 seconds"):
                await connection.root()


async def test_a_server_that_freezes_while_being_followed_is_noticed(
    own_slapd: Slapd,
) -> None:
    async with connected(own_slapd.settings(seconds=1)) as connection:
        async with aclosing(connection.answers(_PEOPLE, silence=0.05)) as answers:
            heard: list[Answer] = []
            async for heard in answers:
                if isinstance(heard[-1], Done):
                    break
        own_slapd.freeze()
        with pytest.raises(ServiceUnavailable, match="silent"):
            await connection.root()
        own_slapd.thaw()


async def test_trap_a_silent_server_blocks_nobody_and_closing_wakes_whoever_waits(
    slapd: Slapd,
) -> None:
    async with line_to(slapd.tls_port) as line:
        settings = slapd.settings(f"ldaps://127.0.0.1:{line.port}", seconds=300)
        async with connected(settings) as connection:
            line.stall()
            waiting = asyncio.create_task(connection.root())
            await asyncio.sleep(0.05)
            await connection.close()

            with pytest.raises(ServiceUnavailable):
                await waiting


async def test_cancelling_leaves_no_thread_behind(slapd: Slapd) -> None:
    before = set(threading.enumerate())
    async with line_to(slapd.tls_port) as line:
        settings = slapd.settings(f"ldaps://127.0.0.1:{line.port}", seconds=300)

        async def asking() -> None:
            async with connected(settings) as connection:
                line.stall()
                await connection.root()

        task = asyncio.create_task(asking())
        while line.passed == 0:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        line.cut()
        while {each for each in threading.enumerate() if _ldap(each)} - before:
            await asyncio.sleep(0.01)


def _ldap(thread: threading.Thread) -> bool:
    return thread.name.startswith("ldap")


@pytest.mark.parametrize(
    "said",
    [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x30\x84\xff\xff\xff\xff" + b"a" * 20, b""],
)
async def test_something_that_is_no_directory_is_one_line(said: bytes) -> None:
    async def speak(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(said)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(speak, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    for scheme in ("ldap", "ldaps"):
        url = f"{scheme}://127.0.0.1:{port}"
        with pytest.raises(ServiceUnavailable, match="directory not reached"):
            async with connected(LdapSettings((url,), "cn=a", "b", answer_seconds=2)):
                pass
    server.close()
