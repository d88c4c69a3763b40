"""Names of people in Teams."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bots.teams.connector import Connector, in_path
from bots.teams.wire import text_of
from bridge.errors import AtomError
from bridge.messages import Channel, Person, PersonKind, Platform
from bridge.places import Place, PlaceBook

_KEPT = 20_000  # people
_KNOWN_FOR = 3600.0  # seconds
_UNKNOWN_FOR = 60.0
_AT_ONCE = 4


@dataclass(slots=True)
class TeamsPeople:
    """
    Implements `bridge.ports.People`.

    Activities tell names for free (`learn`); only who was never heard of is asked
    for, and a question that failed is not repeated for a minute. `clock` gives
    monotonic seconds.
    """

    connector: Connector
    places: PlaceBook
    clock: Callable[[], float]
    _known: OrderedDict[str, tuple[float, Person | None]] = field(
        default_factory=OrderedDict
    )
    _listed: set[str] = field(default_factory=set)
    _slots: asyncio.Semaphore = field(
        default_factory=lambda: asyncio.Semaphore(_AT_ONCE)
    )

    def learn(self, people: Iterable[Person]) -> None:
        """Remember names that an activity told."""
        for person in people:
            known = self._known.get(person.id, (0.0, None))[1]
            if known and known.kind is PersonKind.EXTERNAL:
                # Activities do not tell that somebody is from elsewhere.
                person = known.named(person)  # noqa: PLW2901
            self._keep(person.id, person, _KNOWN_FOR)

    async def lookup(
        self, channel: Channel, ids: Collection[str]
    ) -> Mapping[str, Person]:
        people = {i for i in ids if i.startswith("29:")}
        unknown = [i for i in people if not self._is_settled(i)]
        place = await self._place(channel)
        if place and place.kind == "shared":
            # Who is from another tenant, only the list of members tells.
            unknown = [i for i in people if i in unknown or i not in self._listed]
        if unknown and place:
            async with asyncio.TaskGroup() as group:
                for account in unknown:
                    group.create_task(self._ask(place, channel, account))
        return {
            account: person
            for account in people
            if (person := self._known.get(account, (0.0, None))[1])
        }

    def _is_settled(self, account: str) -> bool:
        until, _ = self._known.get(account, (0.0, None))
        return until > self.clock()

    async def _place(self, channel: Channel) -> Place | None:
        try:
            return await self.places.find(channel)
        except AtomError:
            return None

    async def _ask(self, place: Place, channel: Channel, account: str) -> None:
        path = f"v3/conversations/{in_path(channel.id)}/members/{in_path(account)}"
        self._listed.add(account)
        async with self._slots:
            try:
                member = await self.connector.call("GET", place.service_url, path)
            except AtomError:
                known = self._known.get(account, (0.0, None))[1]
                self._keep(account, known, _UNKNOWN_FOR)
                return
        home = text_of(member.get("tenantId")).lower()
        outside = bool(home and place.account) and home != place.account.lower()
        kind = _kind(text_of(member.get("userRole")))
        person = Person(
            Platform.TEAMS,
            account,
            text_of(member.get("name")),
            kind=PersonKind.EXTERNAL if outside else kind,
            organisation=_domain(member) if outside else "",
        )
        self._keep(account, person if person.name else None, _KNOWN_FOR)

    def _keep(self, account: str, person: Person | None, seconds: float) -> None:
        self._known[account] = (self.clock() + seconds, person)
        self._known.move_to_end(account)
        while len(self._known) > _KEPT:
            self._known.popitem(last=False)


def _domain(member: Mapping[str, Any]) -> str:
    """Return the domain that somebody's address belongs to: a tenant tells no name."""
    address = text_of(member.get("email")) or text_of(member.get("userPrincipalName"))
    return address.rpartition("@")[2]


def _kind(role: str) -> PersonKind:
    return PersonKind.GUEST if role in {"guest", "anonymous"} else PersonKind.USER
