"""SCIM at the command line, as the operator meets it, and as `atom serve` serves it."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientError, ClientSession

from bots.core import core
from bots.directory_settings import DirectorySettings, SourceSettings
from bots.settings import Settings
from storage.hot import Program, Statement
from tests.command_line import CommandLine
from tests.e2e.process import AtomProcess
from tests.scim_client import ADMIN, USER, scim_server
from tests.servers import free_port

TOKEN = ("directory", "scim", "token")


@pytest.fixture
def atom(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    made = CommandLine(tmp_path, capsys)
    made.set_up()
    return made


def scim_check(atom: CommandLine) -> list[tuple[str, str]]:
    ran = atom.run("doctor", "--json")
    return [
        (check["state"], check["detail"])
        for check in ran.json["checks"]
        if check["what"] == "scim"
    ]


def test_a_token_is_shown_once_and_then_known_by_its_id(atom: CommandLine) -> None:
    made = atom.done(*TOKEN, "create", "--note", "Entra", "--json").json

    assert made["token"].startswith(f"atom_scim_{made['id']}_")
    listed = atom.done(*TOKEN, "list", "--json").json
    assert [(t["id"], t["state"], t["note"]) for t in listed] == [
        (made["id"], "live", "Entra")
    ]
    table = atom.done(*TOKEN, "list").out
    assert made["id"] in table
    assert made["token"] not in table
    shown = json.dumps(atom.done("log", "show", "--json").json)
    assert f"made SCIM token {made['id']}" in shown
    assert made["token"].split("_")[3] not in shown


def test_a_token_is_replaced_and_revoked(atom: CommandLine) -> None:
    first = atom.done(*TOKEN, "create", "--json").json
    second = atom.done(*TOKEN, "create", "--json").json
    third = atom.run(*TOKEN, "create")

    assert third.code == 1
    assert f"revoke {first['id']}" in third.err
    week = datetime.now(UTC) + timedelta(days=7, minutes=1)
    listed = {t["id"]: t for t in atom.done(*TOKEN, "list", "--json").json}
    assert datetime.fromisoformat(listed[first["id"]]["until"] + "+00:00") < week
    atom.done(*TOKEN, "revoke", second["id"])
    states = {t["id"]: t["state"] for t in atom.done(*TOKEN, "list", "--json").json}
    assert states == {first["id"]: "live", second["id"]: "revoked"}


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        ((*TOKEN, "revoke", "nobody"), "no SCIM token nobody"),
        (("directory", "scim", "allow", "nobody"), "no group nobody"),
        ((*TOKEN, "create", "--company", "other"), "no company other"),
    ],
)
def test_what_cannot_be_done_is_told_in_a_line(
    atom: CommandLine, words: tuple[str, ...], hint: str
) -> None:
    ran = atom.run(*words)

    assert ran.code == 1
    assert hint in ran.err
    assert len(ran.err.splitlines()) == 1


def test_a_token_without_a_source_says_so(atom: CommandLine) -> None:
    assert "source of kind scim" in atom.done(*TOKEN, "create").out


def test_the_doctor_sees_tokens_that_end_and_nobody_who_follows(
    atom: CommandLine,
) -> None:
    assert scim_check(atom) == [("ok", "off: there are no tokens")]

    atom.done(*TOKEN, "create", "--days", "5")
    found = dict(scim_check(atom))
    (atom.folder / "atom.toml").write_text(
        '[[directory.sources]]\nname = "okta"\nkind = "scim"\n'
    )
    with_source = scim_check(atom)

    assert "acme: its token expires in" in found["warn"] or "no source" in found["warn"]
    assert [state for state, _ in with_source] == ["warn"]
    atom.done(*TOKEN, "create")
    assert scim_check(atom) == [("ok", "acme: 2 live")]


def test_the_doctor_sees_that_the_last_token_in_use_has_ended(
    atom: CommandLine,
) -> None:
    atom.done(*TOKEN, "create")

    async def age() -> None:
        async with core(Settings(home=atom.folder / "var"), "test") as built:

            def program() -> Program[None]:
                yield Statement("UPDATE scim_token SET expires_us = 1, used_us = 1")

            await built.database.hot.run(program)

    asyncio.run(age())

    assert ("warn", "acme: its last token has expired") in scim_check(atom)


async def answers(session: ClientSession, url: str) -> bool:
    try:
        async with session.get(url) as answer:
            return answer.status == 200
    except ClientError:
        return False


async def test_atom_serve_serves_it_beside_everything_else(
    tmp_path: Path,
) -> None:
    home, port = tmp_path / "var", free_port()
    async with core(Settings(home=home), "test") as built:
        await built.companies.create("acme", "Acme", "a@acme.example")
        built.keys.create("acme")
        made = await built.scim.tokens.create("acme", ADMIN, "")
    (tmp_path / "atom.toml").write_text(
        '[[directory.sources]]\nname = "okta"\nkind = "scim"\n'
    )
    process = AtomProcess.start(
        {
            "ATOM_HOME": str(home),
            "ATOM_PORT": str(port),
            "ATOM_CONFIG": str(tmp_path / "atom.toml"),
        },
        tmp_path / "log",
    )
    try:
        headers = {"Authorization": f"Bearer {made.text}"}
        async with ClientSession(headers=headers) as session:
            url = f"http://127.0.0.1:{port}/scim/v2/Users"
            body: Any = {"schemas": [USER], "userName": "ana"}
            while not await answers(session, url):
                assert not process.ended, (tmp_path / "log").read_text()
                await asyncio.sleep(0.05)
            async with session.post(url, json=body) as answer:
                assert answer.status == 201
                told = await answer.json()
            place = told["meta"]["location"]
            assert place == f"{url}/{told['id']}"
            async with session.get(place) as answer:
                assert (await answer.json())["active"] is True
            async with session.get(url, headers={"Authorization": "x"}) as answer:
                assert answer.status == 401
    finally:
        process.terminate()
        await process.wait()


def pushed(home: Path, *names: str, follow: bool) -> None:
    """Let an identity provider push people, to an ATOM that follows it or not."""
    source = SourceSettings(name="okta", kind="scim")
    directory = DirectorySettings(sources=(source,) if follow else ())

    async def push() -> None:
        settings = Settings(home=home, directory=directory)
        async with scim_server(home, settings) as server:
            for token in await server.core.scim.tokens.all("acme"):
                await server.core.scim.tokens.revoke("acme", ADMIN, token.id)
            made = await server.core.scim.tokens.create("acme", ADMIN, "")
            server.token = made.text
            people = [(await server.user(name)).id for name in names]
            await server.group("staff", *people)

    asyncio.run(push())


def okta(atom: CommandLine) -> dict[str, Any]:
    shown = atom.done("directory", "status", "--json").json
    return next(each for each in shown["sources"] if each["name"] == "okta")


def followed_by(atom: CommandLine) -> None:
    (atom.folder / "atom.toml").write_text(
        '[[directory.sources]]\nname = "okta"\nkind = "scim"\n'
    )


def test_the_directorys_status_shows_when_it_last_heard_of_scim(
    atom: CommandLine,
) -> None:
    followed_by(atom)
    assert okta(atom)["heard_us"] == 0

    pushed(atom.folder / "var", "ana", follow=True)
    first = okta(atom)
    pushed(atom.folder / "var", "bob", "cyd", follow=True)
    then = okta(atom)

    assert (first["people"], then["people"]) == (1, 3)
    assert 0 < first["heard_us"] < then["heard_us"]
    assert "okta" in atom.done("directory", "status").out


def test_a_sync_reads_what_was_pushed_before_the_source_was_named(
    atom: CommandLine,
) -> None:
    pushed(atom.folder / "var", "ana", "bob", follow=False)
    followed_by(atom)

    previewed = atom.done("directory", "sync", "--source", "okta", "--dry-run")
    before = okta(atom)["people"]
    atom.done("directory", "sync", "--source", "okta")

    assert "ana" in previewed.out
    assert before == 0
    assert okta(atom)["people"] == 2
    assert okta(atom)["memberships"] == 2
