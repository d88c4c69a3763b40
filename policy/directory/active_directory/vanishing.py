"""
What was deleted, for an account that may not see deleted objects.

Without that right nothing tells of a deletion but a number that grows. The ids of
everything are listed then, and compared with those of before.
"""

from dataclasses import dataclass

from bridge.directory.model import Fate, Gone
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
    Who and what there was when it was last looked.

    `at` is when that was in Unix seconds, and `number` how far the controller's changes
    had got.
    """

    ids: frozenset[str] = frozenset()
    at: float = 0.0
    number: int = -1

    async def vanished(self, lookup: Lookup) -> list[Gone]:
        """
        Return what was there and is not, the first time nothing.

        Whether it was deleted, or ATOM may not see it any more, nobody can tell.
        """
        before, self.ids = self.ids, await _listed(lookup)
        self.at = lookup.around.clock()
        return [Gone(each, Fate.OUT_OF_SCOPE) for each in sorted(before - self.ids)]


async def _listed(lookup: Lookup) -> frozenset[str]:
    search = Search(lookup.controller.root, lookup.sorts, ("objectGUID",))
    connection, size = lookup.controller.connection, lookup.settings.page_size
    found: set[str] = set()
    async for page in connection.paged(search, size, (DOMAIN_ONLY,)):
        found |= {id_of(each) for each in page}
    return frozenset(found)
