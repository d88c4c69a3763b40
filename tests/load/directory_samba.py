"""
How fast a directory is read from Active Directory, and how soon a change is known.

    python -m tests.load.directory_samba --people 5000

reads everybody from Samba with ATOM's source, and with a bare ldap3 paged search of the
same attributes that keeps what it gets; each in a process of its own, which says how
much memory it took beyond what it began with. Then it moves people in and out of a group
one at a time and waits until each change was read. Making the people takes longest.
"""

import argparse
import asyncio
import json
import ssl
import statistics
import tempfile
import time
from collections.abc import Sequence
from contextlib import aclosing
from pathlib import Path

from ldap3 import NONE, Connection, Server, Tls
from rich.console import Console
from rich.table import Table

from policy.directory.active_directory.settings import (
    ATTRIBUTES,
    ActiveDirectorySettings,
)
from policy.directory.active_directory.source import ActiveDirectory
from policy.directory.ldap.settings import LdapSettings
from tests.load.machine import peak
from tests.load.processes import alone
from tests.samba import Samba, running_samba, samba_template
from tests.samba_many import hire
from tests.samba_told import settings_for
from tests.samba_world import COMPANY, GROUPS, PASSWORD, ROOT, SYNC

_WAYS = ("ATOM", "ldap3, in pages")
_MORE = ("objectGUID", "objectSid", "displayName", "userAccountControl")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--people", type=int, default=5_000)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--changes", type=int, default=100)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.one:
        print(json.dumps(_measured(**json.loads(given.one))))
        return
    console = Console()
    with (
        tempfile.TemporaryDirectory() as shared,
        running_samba(samba_template(Path(shared))) as samba,
    ):
        samba.stop()
        hire(samba, given.people, (100, given.people))
        samba.start()
        console.print(_reads(samba, given.people, given.times))
        console.print(asyncio.run(_changes(samba, given.changes)))


def _reads(samba: Samba, people: int, times: int) -> Table:
    table = Table(title=f"First reading of {people:,} people from Samba")
    for column in ("way", "entries", "seconds", "entries/s", "memory, MB"):
        table.add_column(column, justify="left" if column == "way" else "right")
    for way in _WAYS:
        asked = {"way": way, "url": samba.url, "ca": str(samba.authority)}
        runs = [alone("tests.load.directory_samba", asked) for _ in range(times)]
        seconds = statistics.median(run["seconds"] for run in runs)
        memory = statistics.median(run["megabytes"] for run in runs)
        count = int(runs[0]["entries"])
        rate = f"{count / seconds:,.0f}"
        table.add_row(way, f"{count:,}", f"{seconds:.2f}", rate, f"{memory:.0f}")
    return table


def _measured(way: str, url: str, ca: str) -> dict[str, float]:
    ldap = LdapSettings((url,), SYNC, PASSWORD, ca_file=ca)
    before, started = peak(), time.perf_counter()
    entries = asyncio.run(_source(ldap)) if way == _WAYS[0] else _bare(ldap)
    seconds = time.perf_counter() - started
    megabytes = (peak() - before) / 1024
    return {"entries": entries, "seconds": seconds, "megabytes": megabytes}


async def _source(ldap: LdapSettings) -> int:
    source = ActiveDirectory(ActiveDirectorySettings("ad", ldap))
    readings = [reading async for reading in source.read(b"")]
    assert readings[-1].whole, readings[-1].why
    return sum(len(reading.entries) for reading in readings)


def _bare(ldap: LdapSettings) -> int:
    """Read people and groups with what ldap3 offers for it."""
    tls = Tls(validate=ssl.CERT_REQUIRED, ca_certs_file=ldap.ca_file)
    server = Server(ldap.servers[0], get_info=NONE, tls=tls)
    connection = Connection(
        server, SYNC, PASSWORD, auto_bind=True, auto_referrals=False
    )
    found = connection.extend.standard.paged_search(
        ROOT,
        "(|(objectCategory=person)(objectClass=group)(objectClass=organizationalUnit))",
        attributes=[*ATTRIBUTES.values(), *_MORE, "member", "manager"],
        paged_size=1_000,
        generator=False,
    )
    connection.unbind()
    return len(found)


async def _changes(samba: Samba, count: int) -> Table:
    source = ActiveDirectory(settings_for(samba))
    cursor = [reading async for reading in source.read(b"")][-1].cursor
    took: list[float] = []
    group = f"CN=Crowd 100,{GROUPS}"
    with samba.admin() as admin:
        async with aclosing(source.follow(cursor)) as readings:
            first = asyncio.ensure_future(anext(readings))
            await asyncio.sleep(2)  # until it listens
            for number in range(count):
                person = f"CN=c{number:05d},OU=Crowd,{COMPANY}"
                started = time.perf_counter()
                await asyncio.to_thread(admin.take_out, group, person)
                reading = await first
                while not reading.left:
                    reading = await anext(readings)
                took.append(time.perf_counter() - started)
                first = asyncio.ensure_future(anext(readings))
            first.cancel()
            await asyncio.wait([first])
    took.sort()
    table = Table(title=f"From a change in Samba to its reading, {count} times")
    for column in ("median, ms", "95 %, ms", "longest, ms"):
        table.add_column(column, justify="right")
    points = (took[len(took) // 2], took[len(took) * 95 // 100], took[-1])
    table.add_row(*(f"{1000 * each:.1f}" for each in points))
    return table


if __name__ == "__main__":
    main()
