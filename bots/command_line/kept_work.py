"""What movers keep for a while, from the command line."""

from collections.abc import Sequence
from dataclasses import asdict

from bots.command_line.directory_work import Server, directory_core
from bots.command_line.officer import cli_officer
from bots.command_line.output import print_json, print_table, say
from bots.kept_desk import Desk
from bridge.directory.kept import KeptThing, Whom
from bridge.retention_words import day


async def kept(who: str, company: str, *, as_json: bool) -> None:
    async with directory_core(company, Server()) as (built, sync):
        desk = Desk(built.sources, built.duties)
        whom = Whom(who) if who else None
        found = await desk.kept(sync.tenant, cli_officer(), whom)
        if as_json:
            _print(found)
        elif not found:
            say("Nothing is kept of what was left.")
        else:
            rows = [
                (each.name, each.what, day(each.since_us), day(each.until_us))
                for each in found
            ]
            print_table(("who", "what", "left", "kept until"), rows)


async def end(who: str, what: str, company: str, *, as_json: bool) -> None:
    async with directory_core(company, Server()) as (built, sync):
        desk = Desk(built.sources, built.duties)
        ended = await desk.end(sync.tenant, cli_officer(), Whom(who), what)
        if as_json:
            _print(ended)
            return
        for each in ended:
            say(f"{each.name} does not keep {each.what} any more.")


def _print(things: Sequence[KeptThing]) -> None:
    print_json([asdict(each) for each in things])
