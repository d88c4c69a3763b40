"""Everything there is in a domain, in pieces, and from where to read on after it."""

from collections.abc import AsyncIterator

from bridge.directory.model import Entry, Reading
from policy.directory.active_directory.cursor import Cursor
from policy.directory.active_directory.feed import beginning
from policy.directory.active_directory.lookup import CONTROLS, Lookup
from policy.directory.ldap.conversation import Search

FOREIGN = "(objectClass=foreignSecurityPrincipal)"


async def everything(lookup: Lookup) -> AsyncIterator[Reading]:
    """
    Yield all units, groups and people; the last reading says that this was all.

    The place in the changes is taken before anything is read, so that what changes
    meanwhile comes again with the changes. Raises ServiceUnavailable and Incomplete.
    """
    source = lookup.settings.name
    looked = lookup.around.clock()
    start = await beginning(lookup.controller, lookup.settings, lookup.stored)
    yield Reading(source, whole=False, entries=tuple(await lookup.learn_units()))
    async for entries in _groups(lookup):
        yield Reading(source, whole=False, entries=tuple(entries))
    async for entries in _people(lookup):
        yield Reading(source, whole=False, entries=tuple(entries))
    rest = tuple(lookup.primary_groups())
    yield _last(lookup, rest, start.at(looked))


def _last(lookup: Lookup, rest: tuple[Entry, ...], start: Cursor) -> Reading:
    problems = lookup.problems
    why = (
        f"{len(problems)} entries were not readable: {problems[0]}" if problems else ""
    )
    return Reading(
        lookup.settings.name,
        whole=True,
        complete=not problems,
        why=why,
        entries=rest,
        cursor=b"" if problems else start.encode(),
    )


async def _groups(lookup: Lookup) -> AsyncIterator[list[Entry]]:
    asked = (*lookup.wanted, "member")
    for base in lookup.settings.groups_below or (lookup.controller.root,):
        async for entries in _below(lookup, base, lookup.groups, asked):
            yield entries
    root = lookup.controller.root
    async for entries in _below(lookup, root, FOREIGN, lookup.wanted):
        yield entries


async def _people(lookup: Lookup) -> AsyncIterator[list[Entry]]:
    for base in lookup.settings.people_below or (lookup.controller.root,):
        async for entries in _below(lookup, base, lookup.people, lookup.wanted):
            yield entries


async def _below(
    lookup: Lookup, base: str, filter_: str, asked: tuple[str, ...]
) -> AsyncIterator[list[Entry]]:
    connection, size = lookup.controller.connection, lookup.settings.page_size
    async for found in connection.paged(Search(base, filter_, asked), size, CONTROLS):
        if found:
            yield await lookup.entries(found)
