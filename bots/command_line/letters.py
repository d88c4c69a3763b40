"""Dead letters from the command line, of every link of a company."""

from collections.abc import Sequence
from typing import Any

from bots.command_line.links import company_tools, link_called, operator
from bots.command_line.output import print_json, print_table, say
from bots.commands.drop import NO_REASON
from bots.commands.letters import ALL, UNKNOWN, counted, named, some
from bots.commands.replay import DEFAULT_SINCE, replayed
from bots.commands.retry import comes_back, told
from bots.commands.status import lasted
from bots.core import clock_us
from bots.tools import Tools
from bridge.errors import BadInput
from bridge.letters import DeadLetter
from bridge.periods import since

_COLUMNS = ("letter", "dead for", "tries", "operation", "target", "outcome", "reason")


async def listing(which: str, company: str, *, as_json: bool) -> None:
    """Print the list; neither texts nor authors are in it."""
    async with company_tools(company) as (built, tenant):
        found = await _named(built, tenant, which or ALL)
        if as_json:
            print_json([_data(letter) for letter in found])
        elif not found:
            say("No dead letters: nothing waits for a decision.")
        else:
            print_table(_COLUMNS, [_row(letter) for letter in found])


async def retry(which: str, company: str, *, anyway: bool) -> None:
    """Queue letters again. Raises `NotFound`, `BadInput` or `Conflict`."""
    if anyway and not which:
        raise BadInput("Say which letter to send anyway: a second copy may appear.")
    async with company_tools(company) as (built, tenant):
        found = some(await _named(built, tenant, which or ALL))
        await built.letters.retry(found, operator(), anyway=anyway)
        say(told(found, anyway=anyway))
        if unknown := [letter for letter in found if letter.unknown and not anyway]:
            say(comes_back(f"atom retry {unknown[0].number} --anyway"))


async def replay(link: str, moment: str, company: str) -> None:
    """Queue what is missing on either side of a link. Raises as `retry` does."""
    async with company_tools(company) as (built, tenant):
        known = link_called(await built.links.all(tenant), link)
        since_us = since(moment or DEFAULT_SINCE, clock_us())
        done = await built.letters.replay(known, since_us, operator())
        say(replayed(done) if done.queued or done.left else "Nothing is missing.")


async def drop(which: str, reason: str, company: str) -> None:
    """Take letters off the list. Raises as `retry` does."""
    async with company_tools(company) as (built, tenant):
        found = some(await _named(built, tenant, which))
        await built.letters.drop(found, operator(), reason or NO_REASON)
        say(f"Dropped {counted(len(found))}.")


async def _named(built: Tools, tenant: str, which: str) -> Sequence[DeadLetter]:
    letters = await built.letters.all(tenant)
    # What is held for review is decided on in chat, by somebody who may look at it.
    known = [letter for letter in letters if not letter.held]
    links = {letter.delivery.link for letter in known}
    links |= {link.id for link in await built.links.all(tenant)}
    return named(known, sorted(links), which)


def _data(letter: DeadLetter) -> dict[str, Any]:
    delivery = letter.delivery
    return {
        "letter": letter.number,
        "entry": delivery.entry,
        "link": delivery.link,
        "operation": delivery.operation,
        "source": str(delivery.source),
        "target": str(delivery.target),
        "tries": delivery.tries,
        "unknown": letter.unknown,
        "reason": letter.reason,
        "died_us": letter.died_us,
    }


def _row(letter: DeadLetter) -> tuple[str, ...]:
    delivery = letter.delivery
    return (
        letter.number,
        lasted(clock_us() - letter.died_us),
        str(delivery.tries),
        delivery.operation,
        str(delivery.target),
        UNKNOWN if letter.unknown else "failed",
        letter.reason,
    )
