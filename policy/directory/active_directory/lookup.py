"""
One controller's answers made into entries, with what else has to be asked for that.

Units and the groups that are somebody's primary one are asked for once and kept; a
process that follows changes is told when a unit changes.
"""

from collections.abc import Callable, Iterable

from bridge.directory.model import Entry
from bridge.errors import BadInput
from policy.directory.active_directory.controller import Controller
from policy.directory.active_directory.controls import DOMAIN_ONLY, EXTENDED_NAMES
from policy.directory.active_directory.identifiers import (
    NotAnIdentifier,
    named,
)
from policy.directory.active_directory.ranges import all_values
from policy.directory.active_directory.settings import ActiveDirectorySettings
from policy.directory.active_directory.translate import (
    Around,
    NotReadable,
    Sort,
    contact,
    foreigner,
    group,
    id_of,
    person,
    sort_of,
    unit,
)
from policy.directory.ldap.answers import Found
from policy.directory.ldap.conversation import Search
from policy.directory.ldap.dn import dn

UNITS = "(|(objectClass=organizationalUnit)(objectClass=domainDNS))"
CONTROLS = (EXTENDED_NAMES, DOMAIN_ONLY)

_OTHERS = ("organizationalUnit", "foreignSecurityPrincipal")
_OF_ALL = ("objectClass", "objectGUID", "objectSid", "name", "cn")
_OF_PEOPLE = (
    "displayName",
    "userAccountControl",
    "accountExpires",
    "primaryGroupID",
    "manager",
    "proxyAddresses",
    "mS-DS-ConsistencyGuid",
)
_OF_GROUPS = ("groupType", "sAMAccountName")


class Lookup:
    """What is known while one connection lasts; `problems` is what could not be read."""

    def __init__(
        self,
        controller: Controller,
        settings: ActiveDirectorySettings,
        clock: Callable[[], float],
    ) -> None:
        self.controller = controller
        self.settings = settings
        self.problems: list[str] = []
        self._primary: list[Entry] = []
        root = (controller.root,)
        self.around = Around(
            settings,
            controller.sid,
            tuple(map(dn, settings.people_below or root)),
            tuple(map(dn, settings.groups_below or root)),
            {},
            {},
            clock,
        )

    @property
    def stored(self) -> tuple[str, ...]:
        """Attributes whose changes matter: those that are stored, not made up."""
        names = [*_OF_ALL, *_OF_PEOPLE, *_OF_GROUPS, "member", "lockoutTime"]
        return _once([*names, "isDeleted", *self.settings.mapping.values()])

    @property
    def wanted(self) -> tuple[str, ...]:
        """Attributes to read of anything, but for its members."""
        made_up = ("uSNChanged", "msDS-User-Account-Control-Computed")
        names = [*_OF_ALL, *_OF_PEOPLE, *_OF_GROUPS, *made_up]
        return _once([*names, *self.settings.mapping.values()])

    @property
    def people(self) -> str:
        """A filter for people: everybody who could be one, disabled ones included."""
        return f"(&(objectCategory=person){self.settings.people_filter})"

    @property
    def sorts(self) -> str:
        """A filter for everything that can become an entry."""
        rest = "".join(f"(objectClass={each})" for each in _OTHERS)
        return f"(|{self.people}{self.groups}{rest})"

    @property
    def groups(self) -> str:
        return f"(&(objectClass=group){self.settings.groups_filter})"

    async def learn_units(self) -> list[Entry]:
        """Read every unit, so that it is known who stands in which."""
        search = Search(self.controller.root, UNITS, self.wanted)
        found: list[Found] = []
        connection = self.controller.connection
        async for page in connection.paged(search, self.settings.page_size, CONTROLS):
            found += page
        self.around.units.clear()
        for each in found:
            self.around.units[dn(named(each.dn).dn)] = id_of(each)
        return await self.entries(found)

    async def entries(self, found: Iterable[Found]) -> list[Entry]:
        """Translate what the settings ask for; what else was found is left out."""
        entries = [await self.entry(each) for each in found]
        return [entry for entry in entries if entry is not None]

    async def entry(self, found: Found, *, members: bool = True) -> Entry | None:
        """
        Return one entry, with all its members if it is a group.

        What cannot be read becomes a problem: the answer is not everything then.
        """
        try:
            sort = sort_of(found)
            if not self.around.holds(dn(named(found.dn).dn), sort):
                return None
            return await self._entry(found, sort, members=members)
        except (NotReadable, NotAnIdentifier, BadInput) as problem:
            self.problems.append(str(problem))
            return None

    async def _entry(self, found: Found, sort: Sort, *, members: bool) -> Entry | None:
        match sort:
            case Sort.PERSON:
                await self._learn_primary_group(found)
                return person(found, self.around)
            case Sort.CONTACT:
                return contact(found, self.around) if self.settings.contacts else None
            case Sort.FOREIGN:
                return foreigner(found)
            case Sort.UNIT:
                return unit(found, self.around)
            case Sort.GROUP:
                return await self._group(found, members=members)
            case Sort.HOLDER | Sort.OTHER:
                return None

    async def _group(self, found: Found, *, members: bool) -> Entry | None:
        if group(found, None, self.around) is None:
            return None
        inside = await self.ids(found, "member") if members else None
        made = group(found, inside, self.around)
        if made and (sid := made.attributes.get("sid")):
            self.around.groups[sid] = made.id
        return made

    async def ids(self, found: Found, attribute: str) -> frozenset[str]:
        """Return the ids that an attribute names, however many there are."""
        connection = self.controller.connection
        values = await all_values(connection, id_of(found), found, attribute)
        told = [named(value.decode(errors="replace")) for value in values]
        if any(not each.id for each in told):
            raise NotReadable(f"{attribute} of {named(found.dn).dn} comes without ids")
        return frozenset(each.id for each in told)

    async def _learn_primary_group(self, found: Found) -> None:
        """Find out which group a number means, wherever that group stands."""
        rid = found.text("primaryGroupID")
        sid = f"{self.controller.sid}-{rid}"
        if not rid.isdecimal() or sid in self.around.groups:
            return
        asked = (*self.wanted, "member")
        connection = self.controller.connection
        told = await connection.one(f"<SID={sid}>", asked, (EXTENDED_NAMES,))
        made = await self._group(told, members=True) if told else None
        if made is not None:
            self.around.groups[sid] = made.id
            self._primary.append(made)

    def primary_groups(self) -> list[Entry]:
        """Return, once, the primary groups that were met and not asked for."""
        met, self._primary = self._primary, []
        return met


def _once(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
