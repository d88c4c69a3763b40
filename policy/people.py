"""
Who is who: decide which accounts on two platforms are one person's.

Platforms vouch for addresses, so an address is what people are told by until the
company's directory says more. Names prove nothing: anybody may be called anything.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from bridge.identities import Identities, Identity
from bridge.messages import Channel, Person, PersonKind, Platform


@dataclass(frozen=True, slots=True)
class PeopleByAddress:
    """Implements `bridge.identities.WhoIsWho` with what the platforms vouch for."""

    identities: Mapping[Platform, Identities]

    async def counterparts(
        self, source: Channel, ids: Collection[str], target: Channel
    ) -> Mapping[str, Person]:
        here, there = (self.identities.get(c.platform) for c in (source, target))
        if here is None or there is None or not ids:
            return {}
        described = await here.described(source, ids)
        known = {i: account for i, account in described.items() if _stands(account)}
        addresses = {each for one in known.values() for each in one.addresses}
        if not addresses:
            return {}
        holders = await there.holders(target, addresses)
        found = {i: counterpart(account, holders) for i, account in known.items()}
        return {i: person for i, person in found.items() if person}


def counterpart(account: Identity, holders: Iterable[Identity]) -> Person | None:
    """
    Return the one person among the holders who has the account as well.

    Nobody, if there are several, or if the one there is a guest or not active: their
    claim makes the answer uncertain, and a guess would call a stranger.
    """
    if not _stands(account):
        return None
    same = {one.person.id: one for one in holders if _are_one(account, one)}
    if len(same) != 1:
        return None
    [only] = same.values()
    return only.person if _stands(only) else None


def _stands(account: Identity) -> bool:
    return account.active and account.person.kind is PersonKind.USER


def _are_one(one: Identity, other: Identity) -> bool:
    if one.directory_id and one.directory_id == other.directory_id:
        return True
    proven = one.proven | other.proven
    return bool(one.addresses & other.addresses & proven)
