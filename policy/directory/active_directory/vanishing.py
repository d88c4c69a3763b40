"""
What was deleted, for an account that may not see deleted objects.

Without that right nothing tells of a deletion but a number that grows. The ids of
everything are listed then, and compared with those that were told of. Whoever begins has
no such ids and has to read everything.
"""

from dataclasses import dataclass, field

from bridge.directory.model import Fate, Gone, Reading
from policy.directory.active_directory.controls import DOMAIN_ONLY, SHOW_DELETED
from policy.directory.active_directory.lookup import Lookup
from policy.directory.active_directory.translate import id_of
from policy.directory.ldap.conversation import Search

# Wherever it stands: the container's well-known GUID ([MS-ADTS] 6.1.1.4.2).
_DELETED = "<WKGUID=18E2EA80684F11D2B9AA00C04F79F805,{root}>"


async def sees_deleted(lookup: Lookup) -> bool:
    """Whether the account may look at what was deleted."""
    place = _DELETED.format(root=lookup.controller.root)
    found = await lookup.controller.connection.one(place, ("name",), (SHOW_DELETED,))
    # Samba names it to those who may not read it, with nothing in it.
    return found is not None and found.text("name") != ""


@dataclass
class Roll:
    """
    The ids of everything that was told of since everything was read.

    `at` is when it was last compared, in Unix seconds, and `number` how far the
    controller's changes had got.
    """

    ids: set[str] = field(default_factory=set)
    at: float = 0.0
    number: int = -1

    def note(self, reading: Reading) -> None:
        """Keep in mind what a reading tells of."""
        self.ids |= {entry.id for entry in reading.entries}
        self.ids -= {gone.id for gone in reading.gone}

    async def vanished(self, lookup: Lookup, number: int) -> list[Gone]:
        """
        Return what was told of and is not there any more.

        Whether it was deleted, or ATOM may not see it any more, nobody can tell.
        """
        missing = self.ids - await _listed(lookup)
        self.at, self.number = lookup.around.clock(), number
        return [Gone(each, Fate.OUT_OF_SCOPE) for each in sorted(missing)]


async def _listed(lookup: Lookup) -> set[str]:
    filter_ = f"(|{lookup.sorts}(objectClass=domainDNS))"
    search = Search(lookup.controller.root, filter_, ("objectGUID",))
    connection, size = lookup.controller.connection, lookup.settings.page_size
    found: set[str] = set()
    async for page in connection.paged(search, size, (DOMAIN_ONLY,)):
        found |= {id_of(each) for each in page}
    return found
