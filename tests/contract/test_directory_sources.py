"""
Every source keeps the same promises, whatever directory it reads.

A kind of source is added by a `World` of its own: a directory that can be changed and
broken. Register it in `WORLDS`.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Protocol
from uuid import NAMESPACE_DNS, uuid5

import pytest
import yaml
from aiohttp import ClientSession

from bots.sandbox.teams.seed import ACME, BOT_APP_ID, BOT_PASSWORD
from bots.teams.tokens import Tokens
from bridge.directory.difference import folded
from bridge.directory.held import State
from bridge.directory.model import Entry, Kind, Reading, Standing
from bridge.directory.ports import Source
from policy.directory.entra.graph import Graph
from policy.directory.entra.objects import Shape
from policy.directory.entra.source import EntraSource
from policy.directory.ldap.source import LdapSource
from policy.directory.ldap.source_settings import LdapSourceSettings
from policy.directory.rest import Rest
from policy.directory.yaml_file import YamlFile
from tests.acme_ldif import BASE, GROUPS, PEOPLE
from tests.contract.samba_world import samba_world
from tests.sandbox import Sandbox, running_sandbox
from tests.slapd import ADD, DELETE, REPLACE, Slapd, running_slapd
from tests.unit.bridge.directory.told import taken_in


class World(Protocol):
    """
    A directory with ana and ben, and a group fin with ana in it.

    `ids` are the ids that the source gives them, known after the first reading.
    """

    source: Source

    def restarted(self) -> Source:
        """Return the source as another process would make it."""
        ...

    async def hire(self, name: str) -> None: ...

    async def join(self, name: str) -> None:
        """Put somebody into fin."""
        ...

    async def leave(self, name: str) -> None: ...

    async def disable(self, name: str) -> None: ...

    async def delete(self, name: str) -> None: ...

    async def break_off(self) -> None:
        """Let it answer with an error, or not at all, until `mend`."""
        ...

    async def mend(self) -> None: ...


class YamlWorld:
    """People in a file. Nobody is deleted in it but by being left out."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "people.yaml"
        self.people: dict[str, dict[str, object]] = {
            name: {"id": name, "name": name} for name in ("ana", "ben")
        }
        self.fin = {"ana"}
        self.source: Source = YamlFile("people", self.path, look=0.01)
        self._write()

    def restarted(self) -> Source:
        return YamlFile("people", self.path, look=0.01)

    async def hire(self, name: str) -> None:
        self.people[name] = {"id": name, "name": name}
        self._write()

    async def join(self, name: str) -> None:
        self.fin.add(name)
        self._write()

    async def leave(self, name: str) -> None:
        self.fin.discard(name)
        self._write()

    async def disable(self, name: str) -> None:
        self.people[name]["standing"] = "disabled"
        self._write()

    async def delete(self, name: str) -> None:
        del self.people[name]
        self.fin.discard(name)
        self._write()

    async def break_off(self) -> None:
        self.path.write_text("people: [", "utf-8")

    async def mend(self) -> None:
        self._write()

    def _write(self) -> None:
        groups = {"fin": {"name": "fin", "members": sorted(self.fin)}}
        content = {"people": list(self.people.values()), "groups": groups}
        self.path.write_text(yaml.safe_dump(content), "utf-8")


@asynccontextmanager
async def _yaml(folder: Path) -> AsyncIterator[World]:
    yield YamlWorld(folder)


class LdapWorld:
    """An OpenLDAP that tells of changes, or one that is read in pages again and again."""

    def __init__(self, slapd: Slapd, *, pages: bool) -> None:
        self.slapd = slapd
        self.pages = pages
        for name in ("ana", "ben"):
            slapd.add_person(_ldap_person(name))
        # A group of this class must not be empty.
        members = [f"cn=nobody,{BASE}", _ldap_person("ana")]
        slapd.add(f"cn=fin,{GROUPS}", ["groupOfNames"], member=members)
        self.source: Source = self.restarted()

    def restarted(self) -> Source:
        settings = LdapSourceSettings("ldap", self.slapd.settings(seconds=5), BASE)
        quick = replace(settings, poll_seconds=0.05, beat_seconds=0.05)
        return LdapSource(quick, pages_only=self.pages)

    async def hire(self, name: str) -> None:
        self.slapd.add_person(_ldap_person(name))

    async def join(self, name: str) -> None:
        self.slapd.change(f"cn=fin,{GROUPS}", ADD, member=[_ldap_person(name)])

    async def leave(self, name: str) -> None:
        self.slapd.change(f"cn=fin,{GROUPS}", DELETE, member=[_ldap_person(name)])

    async def disable(self, name: str) -> None:
        locked = ["000001010000Z"]
        self.slapd.change(_ldap_person(name), REPLACE, pwdAccountLockedTime=locked)

    async def delete(self, name: str) -> None:
        self.slapd.remove(_ldap_person(name))

    async def break_off(self) -> None:
        self.slapd.stop()

    async def mend(self) -> None:
        self.slapd.start()


def _ldap_person(name: str) -> str:
    return f"uid={name},{PEOPLE}"


def _ldap(*, pages: bool) -> Callable[[Path], AbstractAsyncContextManager[World]]:
    @asynccontextmanager
    async def world(folder: Path) -> AsyncIterator[World]:
        with running_slapd(5) as slapd:
            yield LdapWorld(slapd, pages=pages)

    return world


class EntraWorld:
    """The sandbox's Graph, and what an administrator does there."""

    def __init__(self, sandbox: Sandbox, session: ClientSession) -> None:
        self.sandbox = sandbox
        self.session = session
        self.source: Source = self.restarted()

    def restarted(self) -> Source:
        base = self.sandbox.base
        url = f"{base}/teams/login/{{tenant}}/oauth2/v2.0/token"
        tokens = Tokens(BOT_APP_ID, BOT_PASSWORD, url, ACME, time.monotonic)
        rest = Rest(self.session, "Microsoft Graph", attempts=1)
        graph = Graph(rest, tokens, ACME, f"{base}/teams/graph/v1.0")
        return EntraSource("entra", graph, Shape(ACME), poll=0.05)

    async def hire(self, name: str) -> None:
        values = {"displayName": name, "userPrincipalName": f"{name}@acme.example"}
        await self._do("add_user", name, values=values)

    async def join(self, name: str) -> None:
        await self._do("join", "fin", member=_oid(name))

    async def leave(self, name: str) -> None:
        await self._do("leave", "fin", member=_oid(name))

    async def disable(self, name: str) -> None:
        await self._do("change_user", name, values={"accountEnabled": False})

    async def delete(self, name: str) -> None:
        await self._do("purge", name)

    async def break_off(self) -> None:
        await self.sandbox.fault("teams.graph.*", "reset", times=1_000)

    async def mend(self) -> None:
        await self.sandbox.call("DELETE", "/sandbox/faults")

    async def _do(self, do: str, name: str, **more: object) -> None:
        await self.sandbox.act_in_teams(
            action="directory", do=do, id=_oid(name), **more
        )


def _oid(name: str) -> str:
    return str(uuid5(NAMESPACE_DNS, f"{name}.acme.example"))


@asynccontextmanager
async def _entra(folder: Path) -> AsyncIterator[World]:
    with running_sandbox() as sandbox:
        rights = ["User.Read.All", "GroupMember.Read.All"]
        quick = {"teams.throttles": False, "teams.graph_roles": rights}
        await sandbox.set(quick)
        async with ClientSession() as session:
            world = EntraWorld(sandbox, session)
            for name in ("ana", "ben"):
                await world.hire(name)
            values = {"displayName": "fin"}
            await sandbox.act_in_teams(
                action="directory", do="add_group", id=_oid("fin"), values=values
            )
            await world.join("ana")
            yield world


WORLDS: dict[str, Callable[[Path], AbstractAsyncContextManager[World]]] = {
    "yaml": _yaml,
    "openldap": _ldap(pages=False),
    "ldap in pages": _ldap(pages=True),
    "active-directory": samba_world,
    "entra": _entra,
}


@pytest.fixture(params=[*WORLDS])
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    async with WORLDS[request.param](tmp_path) as made:
        yield made


class _Seen:
    """What a source told, as it would be kept."""

    def __init__(self) -> None:
        self.state = State()
        self.cursor = b""
        self.readings: list[Reading] = []

    def take(self, reading: Reading) -> None:
        self.readings.append(reading)
        taken_in(self.state, reading)
        self.cursor = reading.cursor or self.cursor

    async def read(self, source: Source, cursor: bytes = b"") -> Reading:
        reading = folded([each async for each in source.read(cursor)])
        self.take(reading)
        return reading

    async def follow(self, source: Source, until: Callable[[], bool]) -> None:
        """Follow until something is seen; fails if it is not seen for long."""
        async with asyncio.timeout(30):
            async for reading in source.follow(self.cursor):
                self.take(folded([reading]))
                if until():
                    return

    def named(self, name: str, kind: Kind = Kind.PERSON) -> Entry:
        [found] = [
            kept.entry
            for kept in self.state.entries.values()
            if kept.entry.kind is kind and kept.entry.name == name
        ]
        return found

    def inside(self, name: str) -> bool:
        member = self.named(name)
        fin = self.named("fin", Kind.GROUP)
        source = self.readings[0].source
        listed = self.state.members.get((source, fin.id), set())
        return member.id in listed or fin.id in member.parents

    def gone(self, name: str) -> bool:
        entry = self.named(name)
        return self.state.entries[self.readings[0].source, entry.id].life.gone

    def knows(self, name: str) -> bool:
        return any(k.entry.name == name for k in self.state.entries.values())


async def test_reading_from_nothing_names_everything(world: World) -> None:
    seen = _Seen()

    reading = await seen.read(world.source)

    assert (reading.whole, reading.complete) == (True, True)
    assert reading.source == world.source.name
    assert reading.cursor
    assert seen.inside("ana")
    assert not seen.inside("ben")


async def test_reading_twice_tells_the_same(world: World) -> None:
    seen = _Seen()
    await seen.read(world.source)
    before = dict(seen.state.entries)

    await seen.read(world.restarted())

    assert seen.state.entries == before


async def test_a_cursor_leads_to_what_changed_since(world: World) -> None:
    seen = _Seen()
    await seen.read(world.source)
    await world.hire("eve")
    await world.join("eve")
    await world.leave("ana")

    reading = await seen.read(world.restarted(), seen.cursor)

    assert reading.complete
    assert seen.inside("eve")
    assert not seen.inside("ana")


async def test_a_cursor_of_nonsense_leads_to_everything(world: World) -> None:
    seen = _Seen()

    reading = await seen.read(world.source, b"nonsense")

    assert (reading.whole, reading.complete) == (True, True)


async def test_somebody_disabled_is_told_of_and_not_left_out(world: World) -> None:
    seen = _Seen()
    await seen.read(world.source)
    await world.disable("ben")

    await seen.read(world.restarted())

    assert seen.named("ben").standing is Standing.DISABLED


async def test_what_breaks_off_is_incomplete_with_a_reason_and_no_exception(
    world: World,
) -> None:
    seen = _Seen()
    await seen.read(world.source)
    await world.break_off()

    reading = await seen.read(world.restarted())
    assert not reading.complete
    assert reading.why
    assert "\n" not in reading.why
    assert not seen.gone("ana")

    await world.mend()
    assert (await seen.read(world.restarted())).complete


@pytest.mark.parametrize("change", ["hire", "join", "leave", "disable", "delete"])
async def test_changes_are_told_as_they_happen(world: World, change: str) -> None:
    seen = _Seen()
    await seen.read(world.source)
    changes: dict[str, tuple[Callable[[], Awaitable[None]], Callable[[], bool]]] = {
        "hire": (lambda: world.hire("eve"), lambda: seen.knows("eve")),
        "join": (lambda: world.join("ben"), lambda: seen.inside("ben")),
        "leave": (lambda: world.leave("ana"), lambda: not seen.inside("ana")),
        "disable": (
            lambda: world.disable("ben"),
            lambda: seen.named("ben").standing is Standing.DISABLED,
        ),
        "delete": (lambda: world.delete("ben"), lambda: seen.gone("ben")),
    }
    do, done = changes[change]

    async with asyncio.TaskGroup() as group:
        group.create_task(seen.follow(world.source, done))
        await asyncio.sleep(0.1)  # it may already listen, or not yet
        await do()

    assert done()
    assert all(reading.complete for reading in seen.readings)
