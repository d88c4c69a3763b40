"""Who is in a team, by the addresses that its tenant vouches for."""

from collections.abc import (
    Awaitable,
    Callable,
    Collection,
    Iterable,
    Mapping,
    Sequence,
)
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import quote

from bots.asking import Asking
from bots.remembered import Remembered
from bots.teams.connector import Connector, in_path
from bots.teams.wire import mappings, text_of
from bridge.errors import AtomError
from bridge.identities import Identity, address, domain_of
from bridge.messages import Channel, Person, PersonKind, Platform
from bridge.places import Place, PlaceBook

_FRESH = 600.0  # seconds
_REST = 30.0
_PAGE = 500
_PAGES = 40
_MOST = 500  # teams
_OWN_MEMBERS = {"private", "shared"}
_NO_USERS = {"guest", "anonymous"}
_INVITED = "#ext#"


@dataclass(frozen=True, slots=True)
class Roster:
    """A team's or channel's members, by account and by address."""

    by_id: Mapping[str, Identity]
    by_address: Mapping[str, Sequence[Identity]]

    @property
    def everybody(self) -> Sequence[Identity]:
        """Whoever has an address, with all that they have, others' too."""
        found = (one for some in self.by_address.values() for one in some)
        return list({one.person.id: one for one in found}.values())


Told = Callable[[str, Sequence[Identity]], Awaitable[None]]


async def told_nobody(_tenant: str, _people: Sequence[Identity]) -> None:
    """The default: nobody hears of what was read."""


@dataclass(slots=True)
class TeamsRoster:
    """
    Implements `bridge.identities.Identities` with the connector's lists of members.

    `told` hears of everybody in each list, with the tenant that vouches for them.

    A list is asked for once in ten minutes for each team. Members of teams larger
    than 20,000 are known as far as that.
    """

    connector: Connector
    places: PlaceBook
    asking: Asking = field(default_factory=lambda: Asking(_REST, at_once=4))
    told: Told = told_nobody
    _rosters: Remembered[tuple[str, str], Roster] = field(init=False)

    def __post_init__(self) -> None:
        self._rosters = Remembered(self._read, seconds=_FRESH, most=_MOST)

    async def described(
        self, channel: Channel, ids: Collection[str]
    ) -> Mapping[str, Identity]:
        known = (await self._roster(channel)).by_id
        return {i: known[i] for i in ids if i in known}

    async def holders(
        self, channel: Channel, addresses: Collection[str]
    ) -> Sequence[Identity]:
        known = (await self._roster(channel)).by_address
        found = [one for each in addresses for one in known.get(each, ())]
        return list({one.person.id: one for one in found}.values())

    def forget(self, team: Place) -> None:
        """The members of a team have changed: list them again when it matters."""
        self._rosters.forget((team.team, ""))

    async def aclose(self) -> None:
        await self._rosters.aclose()

    async def _roster(self, channel: Channel) -> Roster:
        try:
            place = await self.places.find(channel)
            if place is None:
                return Roster({}, {})
            return await self._rosters.get(whose_members(place))
        except AtomError:
            return Roster({}, {})

    async def _read(self, whose: tuple[str, str]) -> Roster:
        team, channel = whose
        place = await self.places.find(Channel(Platform.TEAMS, team, channel or team))
        if place is None:
            return Roster({}, {})
        whole: list[Mapping[str, Any]] = []
        path = f"v3/conversations/{in_path(channel or team)}/pagedmembers"
        more = f"{path}?pageSize={_PAGE}"
        for _ in range(_PAGES):
            answer = await self.asking.ask(team, partial(self._get, place, more))
            whole += mappings(answer.get("members"))
            token = text_of(answer.get("continuationToken"))
            if not token:
                break
            more = f"{path}?pageSize={_PAGE}&continuationToken={quote(token, safe='')}"
        made = roster(whole, place.account)
        await self.told(place.account, made.everybody)
        return made

    async def _get(self, place: Place, path: str) -> Mapping[str, Any]:
        return await self.connector.call("GET", place.service_url, path)


def roster(members: Iterable[Mapping[str, Any]], tenant: str) -> Roster:
    """
    Read a list of members.

    People sign in with names in domains that their tenant has proven to own, so the
    domains of the tenant's own people are those in which addresses mean something.
    """
    told = [(each, described(each, tenant)) for each in members]
    proven = {
        domain_of(address(text_of(each.get("userPrincipalName"))))
        for each, person in told
        if person.kind is PersonKind.USER
    } - {""}
    accounts = [_account(each, person, proven) for each, person in told if person.id]
    by_address: dict[str, list[Identity]] = {}
    for account in accounts:
        for each in account.addresses:
            by_address.setdefault(each, []).append(account)
    return Roster(
        {one.person.id: _alone(one, by_address) for one in accounts}, by_address
    )


def whose_members(place: Place) -> tuple[str, str]:
    """Return whose members a channel has, as team and channel: most have the team's."""
    own = place.kind in _OWN_MEMBERS
    return place.team, place.channel if own else ""


def described(member: Mapping[str, Any], tenant: str) -> Person:
    """Read one member, as seen from a tenant."""
    name, role = text_of(member.get("name")), text_of(member.get("userRole"))
    signs_in_as = text_of(member.get("userPrincipalName")).lower()
    home = text_of(member.get("tenantId"))
    kind = PersonKind.USER
    if role in _NO_USERS or _INVITED in signs_in_as:
        kind = PersonKind.GUEST
    elif home and home.lower() != tenant.lower():
        kind = PersonKind.EXTERNAL
    return Person(Platform.TEAMS, text_of(member.get("id")), name, kind=kind)


def _account(
    member: Mapping[str, Any], person: Person, proven: Collection[str]
) -> Identity:
    told = (text_of(member.get(key)) for key in ("userPrincipalName", "email"))
    addresses = frozenset(filter(None, map(address, told)))
    return Identity(
        person,
        addresses,
        frozenset(each for each in addresses if domain_of(each) in proven),
        text_of(member.get("aadObjectId")),
    )


def _alone(account: Identity, by_address: Mapping[str, Sequence[Identity]]) -> Identity:
    """Return the account with the addresses that nobody else has as well."""
    own = frozenset(a for a in account.addresses if len(by_address[a]) == 1)
    return Identity(
        account.person, own, account.proven & own, account.directory_id, account.active
    )
