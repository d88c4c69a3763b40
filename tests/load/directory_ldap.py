"""
How fast a directory is read from OpenLDAP, and how soon a change is known.

    python -m tests.load.directory_ldap --people 20000

reads everybody with ATOM's source, by synchronization and by pages, and with a bare
ldap3 paged search that keeps what it gets; each in a process of its own, which says how
much memory it took beyond what it began with. Then it changes people one at a time and
waits for each change to be read.
"""

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import aclosing
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bridge.access import Action, Asked
from bridge.directory.model import Reading
from bridge.messages import Channel, Person, Platform
from policy.cedar.bundle import Draft, build
from policy.cedar.engine import Engine
from policy.cedar.naming import FromDirectory
from policy.default import MembershipPolicy
from policy.directory.ldap.settings import LdapSettings
from policy.directory.ldap.shape import OPENLDAP
from policy.directory.ldap.source import LdapSource
from policy.directory.ldap.source_settings import LdapSourceSettings
from tests.acme_ldif import BASE, PASSWORD, READER, group, person
from tests.contract.conftest import TENANT
from tests.followed_directory import followed_directory
from tests.load.machine import peak
from tests.load.processes import alone
from tests.slapd import ADD, DELETE, REPLACE, Slapd, running_slapd

_RULES = """
spaces:
  finance: ["slack:T1/C-FIN", "teams:19:team/19:fin"]
rules:
  - id: finance-talks
    allow: bridge.post
    who: {group: dept-Finance}
    where: {links_between: [space:finance, space:finance]}
    reason: Finance talks in its own channels.
"""
_WAYS = ("ATOM, synchronized", "ATOM, in pages", "ldap3, in pages")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--people", type=int, default=20_000)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--changes", type=int, default=100)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.one:
        print(json.dumps(_measured(**json.loads(given.one))))
        return
    console = Console()
    with running_slapd(given.people) as synced:
        console.print(_reads(synced, given.people, given.times))
        console.print(asyncio.run(_changes(synced, given.changes)))
        console.print(asyncio.run(_enforced(synced, given.changes)))


def _reads(slapd: Slapd, people: int, times: int) -> Table:
    table = Table(title=f"First reading of {people:,} people from OpenLDAP")
    for column in ("way", "entries", "seconds", "entries/s", "memory, MB"):
        table.add_column(column, justify="left" if column == "way" else "right")
    for way in _WAYS:
        asked = {"way": way, "url": slapd.url, "ca": str(slapd.tls.ca)}
        runs = [alone("tests.load.directory_ldap", asked) for _ in range(times)]
        seconds = statistics.median(run["seconds"] for run in runs)
        memory = statistics.median(run["megabytes"] for run in runs)
        count = int(runs[0]["entries"])
        rate = f"{count / seconds:,.0f}"
        table.add_row(way, f"{count:,}", f"{seconds:.2f}", rate, f"{memory:.0f}")
    return table


def _measured(way: str, url: str, ca: str) -> dict[str, float]:
    settings = LdapSettings((url,), READER, PASSWORD, ca_file=ca)
    ways: dict[str, Callable[[], int]] = {
        _WAYS[0]: lambda: asyncio.run(_source(settings, pages=False)),
        _WAYS[1]: lambda: asyncio.run(_source(settings, pages=True)),
        _WAYS[2]: lambda: _bare(settings),
    }
    before, started = peak(), time.perf_counter()
    entries = ways[way]()
    seconds = time.perf_counter() - started
    return {
        "entries": entries,
        "seconds": seconds,
        "megabytes": (peak() - before) / 1024,
    }


async def _source(settings: LdapSettings, *, pages: bool) -> int:
    source = LdapSource(LdapSourceSettings("acme", settings, BASE), pages_only=pages)
    async for reading in source.read(b""):
        assert reading.complete, reading.why
        return len(reading.entries)
    return 0


def _bare(settings: LdapSettings) -> int:
    """Read the same with what ldap3 offers for it."""
    import ssl

    from ldap3 import NONE, Connection, Server, Tls

    tls = Tls(validate=ssl.CERT_REQUIRED, ca_certs_file=settings.ca_file)
    server = Server(settings.servers[0], get_info=NONE, tls=tls)
    connection = Connection(
        server, READER, PASSWORD, auto_bind=True, auto_referrals=False
    )
    found = connection.extend.standard.paged_search(
        BASE,
        OPENLDAP.filter(),
        attributes=list(OPENLDAP.asked()),
        paged_size=500,
        generator=False,
    )
    connection.unbind()
    return len(found)


async def _changes(slapd: Slapd, count: int) -> Table:
    source = LdapSource(LdapSourceSettings("acme", slapd.settings(), BASE))
    cursor = b""
    async for reading in source.read(b""):
        cursor = reading.cursor
    took: list[float] = []
    async with aclosing(source.follow(cursor)) as readings:
        await anext(readings)
        for number in range(count):
            title = f"Title {number}"
            # The server answers whoever changes something after it told the change on.
            started = time.perf_counter()
            change = asyncio.create_task(
                asyncio.to_thread(slapd.change, person(number), REPLACE, title=[title])
            )
            async for reading in readings:
                if _says(reading, title):
                    break
            took.append(time.perf_counter() - started)
            await change
    return _latencies(f"From a change in OpenLDAP to its reading, {count} times", took)


def _latencies(title: str, took: list[float]) -> Table:
    took.sort()
    table = Table(title=title)
    for column in ("median, ms", "95 %, ms", "longest, ms"):
        table.add_column(column, justify="right")
    points = (took[len(took) // 2], took[len(took) * 95 // 100], took[-1])
    table.add_row(*(f"{1000 * each:.1f}" for each in points))
    return table


async def _enforced(slapd: Slapd, count: int) -> Table:
    who, there = person(3), group("dept-Finance")
    slapd.change(who, ADD, carLicense=["T1/U3"])
    asked = Asked(
        TENANT,
        Person(Platform.SLACK, "U3", "U3"),
        Action.POST,
        Channel(Platform.SLACK, "T1", "C-FIN"),
        Channel(Platform.TEAMS, "19:team", "19:fin"),
        "L1",
        "T1",
    )
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        async with followed_directory(Path(folder), slapd) as world:
            synced = time.perf_counter() - started
            view = world.side.view
            engine = Engine(view, MembershipPolicy())
            names = FromDirectory(view, TENANT)
            engine.use(build(TENANT, Draft(_RULES, ""), names, ("why",)))
            took: list[float] = []
            for number in range(count):
                inside = number % 2 == 0
                kind = ADD if inside else DELETE
                started = time.perf_counter()
                await asyncio.to_thread(slapd.change, there, kind, member=[who])
                while (await engine.decide(asked)).allowed is not inside:
                    await asyncio.sleep(0.001)
                took.append(time.perf_counter() - started)
    title = (
        f"From a change in OpenLDAP to the policy's answer, {count} times "
        f"(first sync into SQLite: {synced:.1f} s)"
    )
    return _latencies(title, took)


def _says(reading: Reading, title: str) -> bool:
    return any(entry.attributes.get("title") == title for entry in reading.entries)


if __name__ == "__main__":
    main()
