"""Links from the command line, by whoever may run it."""

import getpass
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from bots.accounts import refuse_foreign
from bots.command_line.company import company_id
from bots.command_line.output import print_json, print_table, say
from bots.commands.announce import announce_everywhere
from bots.commands.backfill import Backfills
from bots.commands.joining import join, part, refuse_silent, widen
from bots.commands.names import link_named, reasons_of, state_of
from bots.commands.options import changed_options
from bots.commands.rehearsal import DAYS, rehearsed
from bots.commands.status import lasted
from bots.core import clock_us
from bots.settings_sources import read_settings
from bots.tools import Tools, tools
from bridge.cards import Card
from bridge.errors import BadInput, Conflict, NotFound
from bridge.links import Link, LinkState, refuse_clash, refuse_growth
from bridge.messages import Channel
from bridge.ports import LinkStatus


@dataclass(frozen=True, slots=True)
class _Change:
    """What a word does to a link, and what its channels hear of it."""

    state: LinkState
    done: str
    notice: str


_CHANGES: Mapping[str, _Change] = {
    "unlink": _Change(
        LinkState.REMOVED, "Unlinked", "This channel is not linked any more"
    ),
    "pause": _Change(LinkState.PAUSED, "Paused", "This channel's link is paused"),
    "resume": _Change(LinkState.ACTIVE, "Resumed", "This channel's link is resumed"),
}

_STATUS_COLUMNS = (
    "link",
    "state",
    "lag",
    "waiting",
    "oldest",
    "throttled",
    "delivered lately",
    "dead",
    "unknown",
    "last error",
)


async def link(
    addresses: Sequence[str], into: str, company: str, days: int = 0
) -> None:
    """Link channels, or let one into a link. Raises `BadInput` or `Conflict`."""
    channels = _distinct(addresses, into)
    async with company_tools(company) as (built, tenant):
        backfills = Backfills(
            built.core.wishes, built.core.settings.tuning.history_days
        )
        backfills.allowed(days)
        for channel in channels:
            await refuse_foreign(built.core, tenant, channel)
        if into:
            known = link_called(await built.links.all(tenant), into)
            made = await widen(
                built.links, built.announcers, known, channels[0], operator()
            )
        else:
            made = await join(
                built.links, built.announcers, tenant, channels, operator()
            )
        joined = channels[0] if into else None
        more = await backfills.want(made, days, operator(), joined)
        names = await link_named(built.announcers, made)
        say(f"Linked: {names}, as {made.id}.{more}")


async def rehearse(
    addresses: Sequence[str], into: str, company: str, days: int = 0
) -> None:
    """Say what `link` would do. Raises what it would raise."""
    channels = _distinct(addresses, into)
    async with company_tools(company) as (built, tenant):
        tuning = built.core.settings.tuning
        Backfills(built.core.wishes, tuning.history_days).allowed(days)
        for channel in channels:
            await refuse_foreign(built.core, tenant, channel)
        refuse_silent(built.announcers, channels)
        every = await built.links.all(tenant)
        if into:
            known = link_called(every, into)
            refuse_growth(known, channels[0], every)
            channels = [*known.channels, *channels]
        else:
            refuse_clash(channels, every)
        days = days or min(DAYS, tuning.history_days)
        seen = await built.rehearsal.outlooks(tenant, channels, days)
        card = await rehearsed(built.announcers, seen, days, "")
        say(f"{card.title}:")
        for section in card.sections:
            say(section.title)
            for field in section.fields:
                say(f"  {field.label}: {field.value}")


async def unlink(id_: str, address: str, company: str) -> None:
    """End a link, or take one channel out of it. Raises `NotFound`."""
    if not address:
        await change("unlink", id_, company)
        return
    channel = Channel.parse(address)
    async with company_tools(company) as (built, tenant):
        known = link_called(await built.links.all(tenant), id_)
        left = await part(built.links, built.announcers, known, channel, operator())
        if left.state is LinkState.REMOVED:
            say(f"Unlinked: {await link_named(built.announcers, known)}.")
        else:
            say(f"Still linked: {await link_named(built.announcers, left)}.")


async def change(word: str, id_: str, company: str) -> None:
    """Unlink, pause or resume. Raises `NotFound` or `Conflict`."""
    wanted = _CHANGES[word]
    async with company_tools(company) as (built, tenant):
        known = link_called(await built.links.all(tenant), id_)
        if known.state is wanted.state:
            raise Conflict(f"Link {known.id} is {known.state} already.")
        if known.state is LinkState.DORMANT and wanted.state is LinkState.ACTIVE:
            reasons = await reasons_of(built.announcers, known)
            raise Conflict(f"Link {known.id} is dormant: {reasons}.")
        await built.links.change(known, wanted.state, operator())
        names = await link_named(built.announcers, known)
        card = Card(wanted.notice, f"{names}.")
        await announce_everywhere(built.announcers, known.channels, card)
        say(f"{wanted.done}: {names}.")


async def options(
    id_: str, words: Sequence[str], company: str, *, as_json: bool
) -> None:
    """Show a link's options, after changing those named. Raises `BadInput`."""
    async with company_tools(company) as (built, tenant):
        known = link_called(await built.links.all(tenant), id_)
        wanted = known.options.said(words)
        if wanted != known.options:
            known = await built.links.choose(known, wanted, operator())
            names = await link_named(built.announcers, known)
            card = changed_options(names, known.options)
            await announce_everywhere(built.announcers, known.channels, card)
        if as_json:
            print_json(known.options.as_dict())
        else:
            rows = [(name, str(v)) for name, v in known.options.as_dict().items()]
            print_table(("option", "is"), rows)


async def listing(company: str, *, as_json: bool) -> None:
    async with company_tools(company) as (built, tenant):
        found = await built.links.all(tenant)
        if as_json:
            print_json([_link_data(link) for link in found])
        elif not found:
            say("No links yet: 'atom link ADDRESS ADDRESS' makes the first one.")
        else:
            rows = [
                (
                    link.id,
                    await state_of(built.announcers, link),
                    await link_named(built.announcers, link),
                )
                for link in found
            ]
            print_table(("link", "state", "channels"), rows)


async def status(company: str, *, as_json: bool) -> None:
    async with company_tools(company) as (built, tenant):
        rows = await built.health.status(tenant)
        if as_json:
            print_json([_status_data(row) for row in rows])
        elif not rows:
            say("No links yet: 'atom link ADDRESS ADDRESS' makes the first one.")
        else:
            print_table(
                _STATUS_COLUMNS,
                [
                    _status_row(row, await state_of(built.announcers, row.link))
                    for row in rows
                ],
            )


def _distinct(addresses: Sequence[str], into: str) -> list[Channel]:
    """Read addresses of channels for a link. Raises `BadInput`."""
    channels = [Channel.parse(address) for address in addresses]
    if len(set(channels)) < len(channels):
        raise BadInput("A channel cannot be linked with itself.")
    if into and len(channels) != 1:
        raise BadInput("One channel at a time can be added to a link.")
    return channels


@asynccontextmanager
async def company_tools(wanted: str) -> AsyncIterator[tuple[Tools, str]]:
    """Open everything but the listeners, for a company."""
    async with tools(read_settings()) as built:
        yield built, await company_id(built.companies, wanted)


def link_called(links: Sequence[Link], id_: str) -> Link:
    """Return a link by its id. Raises `NotFound`."""
    for known in links:
        if known.id.lower() == id_.lower():
            return known
    raise NotFound(f"There is no link {id_}: 'atom links' shows those there are.")


def operator() -> str:
    """Name whoever runs the command line, as the log names people."""
    return f"operator:{getpass.getuser()}"


def _link_data(link: Link) -> dict[str, Any]:
    return {
        "id": link.id,
        "state": link.state,
        "channels": [str(channel) for channel in link.channels],
        "held_by": [
            {"channel": str(h.channel), "cause": h.cause, "since_us": h.since_us}
            for h in link.held_by
        ],
        "options": link.options.as_dict(),
        "created_by": link.created_by,
        "created_us": link.created_us,
    }


def _status_data(row: LinkStatus) -> dict[str, Any]:
    return {
        **_link_data(row.link),
        "queued": row.queued,
        "oldest_us": row.oldest_us,
        "delivered": row.delivered,
        "delivered_since_us": row.delivered_since_us,
        "dead": row.dead,
        "parked": row.parked,
        "echoes": row.echoes,
        "echoing": row.echoing,
        "throttled_until_us": row.throttled_until_us,
        "last_error": row.last_error,
        "lag_us": row.lag_us,
    }


def _status_row(row: LinkStatus, state: str) -> tuple[str, ...]:
    now = clock_us()
    return (
        row.link.id,
        state,
        lasted(row.lag_us),
        str(row.queued),
        lasted(now - row.oldest_us) if row.queued else "",
        lasted(row.throttled_until_us - now) if row.throttled_until_us else "",
        f"{row.delivered} in {lasted(now - row.delivered_since_us)}",
        str(row.dead),
        str(row.parked),
        row.last_error,
    )
