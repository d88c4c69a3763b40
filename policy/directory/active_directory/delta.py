"""
What changed since a cursor, as readings.

A feed says which objects changed, and hardly more: what an entry is now is read again by
its GUID, in one question for many. Only who came into a group and who left is taken from
the feed itself, so that one newcomer does not cost a list of thousands.
"""

from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

from bridge.directory.model import Edge, Entry, Fate, Gone, Reading
from policy.directory.active_directory.controls import DOMAIN_ONLY, EXTENDED_NAMES
from policy.directory.active_directory.cursor import Cursor
from policy.directory.active_directory.feed import Batch, Changed, by_number, dirsync
from policy.directory.active_directory.identifiers import guid_base, guid_filter
from policy.directory.active_directory.lookup import CONTROLS, Lookup
from policy.directory.active_directory.settings import Way
from policy.directory.active_directory.standing import filetime
from policy.directory.active_directory.translate import Sort, id_of, sort_of
from policy.directory.ldap.answers import Found
from policy.directory.ldap.connection import Incomplete
from policy.directory.ldap.conversation import Search

EXPIRIES_EVERY = 60.0  # seconds; nobody tells when an account's last day is over

_AT_ONCE = 100  # GUIDs in one filter
_AWAY_FOR_NOW = frozenset({0, 3, 11, 51, 52})  # says nothing against the cookie


class StartOver(Exception):
    """Changes cannot be told from this cursor on: everything has to be read."""


@dataclass
class Gathered:
    """What one batch of changes comes to."""

    entries: list[Entry] = field(default_factory=list)
    joined: list[Edge] = field(default_factory=list)
    left: list[Edge] = field(default_factory=list)
    gone: list[Gone] = field(default_factory=list)

    def out_of_scope(self, ids: Iterable[str]) -> None:
        self.gone += [Gone(each, Fate.OUT_OF_SCOPE) for each in sorted(ids)]


def usable(since: Cursor | None, lookup: Lookup) -> Cursor:
    """Return the cursor if it means something here. Raises StartOver."""
    controller = lookup.controller
    if since is None or since.settings != lookup.settings.digest:
        raise StartOver("no cursor of these settings")
    if since.domain != controller.domain:
        raise StartOver("another domain")
    if since.way is Way.USN and since.controller != controller.invocation:
        raise StartOver("another controller, or one that was restored")
    return since


async def changes(
    lookup: Lookup, since: Cursor, usn: int
) -> AsyncIterator[tuple[Reading, Cursor]]:
    """
    Yield what changed, each with the place after it; at least one reading comes.

    `usn` is the controller's number from before this is asked. Raises StartOver,
    Incomplete and ServiceUnavailable.
    """
    if not lookup.around.units:
        await lookup.learn_units()
    async for batch in _batches(lookup, since, usn):
        if any(each.undeleted for each in batch.changed):
            # Nobody says which groups it did not come back into.
            raise StartOver("something deleted was brought back")
        gathered = await _gathered(lookup, batch.changed)
        after = batch.cursor
        if not batch.more:
            after = await _expired(lookup, after, gathered)
        yield _reading(lookup, gathered, after), after


def _reading(lookup: Lookup, gathered: Gathered, after: Cursor) -> Reading:
    gathered.entries += lookup.primary_groups()
    problems, lookup.problems = lookup.problems, []
    why = (
        f"{len(problems)} entries were not readable: {problems[0]}" if problems else ""
    )
    return Reading(
        lookup.settings.name,
        whole=False,
        complete=not problems,
        why=why,
        entries=tuple(gathered.entries),
        joined=tuple(gathered.joined),
        left=tuple(gathered.left),
        gone=tuple(gathered.gone),
        cursor=b"" if problems else after.encode(),
    )


async def _batches(lookup: Lookup, since: Cursor, usn: int) -> AsyncIterator[Batch]:
    controller = lookup.controller
    if since.way is Way.USN:
        size = lookup.settings.page_size
        async for page in by_number(controller, since, size):
            yield Batch(tuple(page), since, more=True)
        yield Batch((), replace(since, usn=max(usn, since.usn)))
        return
    more = True
    while more:
        try:
            batch = await dirsync(controller, since, lookup.stored)
        except Incomplete as problem:
            if problem.code in _AWAY_FOR_NOW:
                raise
            raise StartOver(str(problem)) from problem
        yield batch
        since, more = batch.cursor, batch.more


async def _gathered(lookup: Lookup, changed: Sequence[Changed]) -> Gathered:
    gathered = Gathered()
    gathered.gone += [Gone(each.id) for each in changed if each.deleted]
    living = {each.id: each for each in changed if not each.deleted}
    whole = [id_ for id_, each in living.items() if each.whole]
    found = await _read_again(lookup, whole, ("member", "memberOf"))
    moved = {id_ for id_, each in living.items() if each.moved}
    await _places(lookup, found, moved, gathered)
    for each in found:
        await _take(lookup, each, gathered, came=id_of(each) in moved)
    gathered.out_of_scope(set(whole) - {id_of(each) for each in found})
    await _memberships(lookup, living, gathered)
    return gathered


async def _places(
    lookup: Lookup, found: Sequence[Found], moved: Collection[str], gathered: Gathered
) -> None:
    """Follow what is below a unit that has another name: nothing tells of that."""
    places = [
        id_of(each)
        for each in found
        if sort_of(each) in {Sort.UNIT, Sort.HOLDER} and id_of(each) in moved
    ]
    if not places:
        return
    await lookup.learn_units()
    asked, size = (*lookup.wanted, "member"), lookup.settings.page_size
    connection = lookup.controller.connection
    for place in places:
        search = Search(guid_base(place), lookup.sorts, asked)
        async for page in connection.paged(search, size, CONTROLS):
            for each in page:
                if id_of(each) != place:
                    await _take(lookup, each, gathered)


async def _take(
    lookup: Lookup, found: Found, gathered: Gathered, *, came: bool = False
) -> None:
    """
    Take over one entry as it is now.

    One that `came` may be in groups already, which were never told with its id known.
    """
    before = len(lookup.problems)
    entry = await lookup.entry(found)
    if entry is not None:
        gathered.entries.append(entry)
        if came and any(name.startswith("memberof") for name in found.attributes):
            groups = await lookup.ids(found, "memberOf")
            gathered.joined += [Edge(entry.id, group) for group in sorted(groups)]
    elif len(lookup.problems) == before:
        gathered.out_of_scope([id_of(found)])


async def _memberships(
    lookup: Lookup, living: dict[str, Changed], gathered: Gathered
) -> None:
    """Take over who came into groups and who left, where nothing else changed."""
    groups = [id_ for id_, each in living.items() if not each.whole]
    for found in await _read_again(lookup, groups, ()):
        if await lookup.entry(found, members=False) is None:
            continue
        group = living[id_of(found)]
        gathered.joined += [Edge(each, group.id) for each in sorted(group.joined)]
        gathered.left += [Edge(each, group.id) for each in sorted(group.left)]


async def _read_again(
    lookup: Lookup, ids: Iterable[str], more: tuple[str, ...]
) -> list[Found]:
    """Return what objects are now, wherever they are; some may not be of interest."""
    connection, size = lookup.controller.connection, lookup.settings.page_size
    found: list[Found] = []
    left = iter(ids)
    while some := list(islice(left, _AT_ONCE)):
        any_of = "".join(f"(objectGUID={guid_filter(each)})" for each in some)
        sorts = f"(|{lookup.sorts}(objectClass=container))"
        search = Search(
            lookup.controller.root,
            f"(&(|{any_of}){sorts})",
            (*lookup.wanted, *more),
        )
        async for page in connection.paged(search, size, CONTROLS):
            found += page
    return found


async def _expired(lookup: Lookup, after: Cursor, gathered: Gathered) -> Cursor:
    """Take over whose last day ended since it was last looked; that is no change."""
    now = lookup.around.clock()
    if now - after.looked < EXPIRIES_EVERY:
        return after
    search = Search(
        lookup.controller.root,
        f"(&{lookup.people}(accountExpires>={filetime(after.looked)})"
        f"(accountExpires<={filetime(now)}))",
        lookup.wanted,
    )
    connection, size = lookup.controller.connection, lookup.settings.page_size
    controls = (EXTENDED_NAMES, DOMAIN_ONLY)
    async for page in connection.paged(search, size, controls):
        for each in page:
            await _take(lookup, each, gathered)
    return replace(after, looked=now)
