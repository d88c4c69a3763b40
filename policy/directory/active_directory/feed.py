"""What changed, as a controller itself tells: DirSync, or the numbers of its changes."""

from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace

from policy.directory.active_directory.controller import Controller
from policy.directory.active_directory.controls import (
    DOMAIN_ONLY,
    EXTENDED_NAMES,
    SHOW_DELETED,
)
from policy.directory.active_directory.cursor import Cursor
from policy.directory.active_directory.dirsync import OID, Flag, request, response
from policy.directory.active_directory.identifiers import named
from policy.directory.active_directory.ranges import slice_of
from policy.directory.active_directory.settings import ActiveDirectorySettings, Way
from policy.directory.active_directory.translate import id_of
from policy.directory.ldap import ber
from policy.directory.ldap.answers import Done, Found
from policy.directory.ldap.connection import Incomplete
from policy.directory.ldap.conversation import Search
from policy.directory.ldap.results import incomplete_because

# Deleted things keep their class and lose their category.
CHANGED = (
    "(|(objectClass=user)(objectClass=group)(objectClass=organizationalUnit)"
    "(objectClass=contact)(objectClass=foreignSecurityPrincipal)"
    "(objectClass=container)(isDeleted=TRUE))"
)
_NOTHING = "(objectGUID=" + 16 * r"\00" + ")"

_FLAGS = Flag.INCREMENTAL_VALUES | Flag.ANCESTORS_FIRST
_NOT_ALLOWED = frozenset({12, 50, 53})  # no control, no right, not willing
_CAME, _WENT = 1, 0  # `member;range=1-1` and `member;range=0-0`


@dataclass(frozen=True, slots=True)
class Changed:
    """
    One object that changed. `joined` and `left` are ids of members; `whole` says that
    more than these changed, `moved` that it has another name or place, or is new.
    """

    id: str
    deleted: bool = False
    undeleted: bool = False
    moved: bool = False
    whole: bool = True
    joined: frozenset[str] = frozenset()
    left: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Batch:
    """Some changes, and from where to read on after them; there may be `more`."""

    changed: tuple[Changed, ...]
    cursor: Cursor
    more: bool = False


@dataclass(frozen=True, slots=True)
class Start:
    """A place in the changes, still without the time up to which clocks were read."""

    cursor: Cursor

    def at(self, looked: float) -> Cursor:
        return replace(self.cursor, looked=looked)


async def beginning(
    controller: Controller, settings: ActiveDirectorySettings, stored: tuple[str, ...]
) -> Start:
    """
    Return the place where the changes stand now, in the best way the account may use.

    DirSync is asked with a filter that nothing matches, which yields its cookie alone.
    """
    base = Cursor(
        settings.digest,
        controller.domain,
        controller.invocation,
        Way.USN,
        usn=controller.usn,
    )
    if settings.changes is Way.USN:
        return Start(base)
    refused: Incomplete | None = None
    for own_security in (False, True):
        asked = replace(base, way=Way.DIRSYNC, own_security=own_security)
        try:
            while True:
                batch = await dirsync(controller, asked, stored, filter_=_NOTHING)
                asked = batch.cursor
                if not batch.more:
                    return Start(asked)
        except Incomplete as problem:
            if problem.code not in _NOT_ALLOWED:
                raise
            refused = problem
    if refused and settings.changes is Way.DIRSYNC:
        raise refused
    return Start(base)


async def dirsync(
    controller: Controller,
    since: Cursor,
    stored: tuple[str, ...],
    *,
    filter_: str = CHANGED,
) -> Batch:
    """Ask for the next changes. Raises Incomplete if the cookie is not taken."""
    flags = _FLAGS | (Flag.OBJECT_SECURITY if since.own_security else Flag(0))
    # Deleted objects come by themselves, and the base has to be the domain's own root.
    shown = replace(SHOW_DELETED, critical=False)
    controls = (request(since.cookie, flags), EXTENDED_NAMES, shown)
    search = Search(controller.root, filter_, stored)
    connection = controller.connection
    found: list[Found] = []
    done: Done | None = None
    async with aclosing(connection.answers(search, controls)) as answers:
        async for heard in answers:
            found += [each for each in heard if isinstance(each, Found)]
            done = heard[-1] if isinstance(heard[-1], Done) else None
    if done is None or (why := incomplete_because(done)):
        raise Incomplete(
            f"{connection.where}: changes: {why if done else 'no end'}",
            done.code if done else 0,
        )
    try:
        position = response(done.controls[OID])
    except (KeyError, ber.NotBer) as error:
        raise Incomplete(
            f"{connection.where} does not say from where to read on", 12
        ) from error
    after = replace(since, cookie=position.cookie)
    return Batch(tuple(_changed(each) for each in found), after, position.more)


def _changed(found: Found) -> Changed:
    """
    Read one object of a DirSync answer: what is absent did not change.

    What is there without a value was cleared: `isDeleted` of what was brought back.
    """
    names = set(found.attributes) - {"objectguid", "instancetype"}
    came, went = _members(found.attributes)
    # Without its id, a member that came or went would be lost: read them all then.
    unknown = "" in came | went
    ranged = {name for name in names if slice_of(name)}
    deleted = found.attributes.get("isdeleted")
    return Changed(
        id_of(found),
        deleted=found.text("isDeleted").upper() == "TRUE",
        undeleted=deleted is not None and found.text("isDeleted").upper() != "TRUE",
        moved="name" in names,
        whole=bool(names - ranged) or unknown,
        joined=came,
        left=went,
    )


def _members(
    attributes: Mapping[str, tuple[bytes, ...]],
) -> tuple[frozenset[str], frozenset[str]]:
    told: dict[int, set[str]] = {_CAME: set(), _WENT: set()}
    for name, values in attributes.items():
        here = slice_of(name)
        if here and here.attribute == "member" and here.first in told:
            told[here.first] |= {
                named(each.decode(errors="replace")).id for each in values
            }
    return frozenset(told[_CAME]), frozenset(told[_WENT])


async def by_number(
    controller: Controller, since: Cursor, page_size: int
) -> AsyncIterator[list[Changed]]:
    """
    Yield what this controller changed after a number, as far as the account may see.

    Nothing says what exactly changed, so all of it counts as changed.
    """
    # The number is compared as "at least", so it starts one further.
    search = Search(
        controller.root,
        f"(&(uSNChanged>={since.usn + 1}){CHANGED})",
        ("objectGUID", "isDeleted"),
    )
    controls = (EXTENDED_NAMES, DOMAIN_ONLY, SHOW_DELETED)
    connection = controller.connection
    async for page in connection.paged(search, page_size, controls):
        yield [
            Changed(
                id_of(each),
                deleted=each.text("isDeleted").upper() == "TRUE",
                moved=True,
            )
            for each in page
        ]
