"""Desks of a company that has no directory."""

from dataclasses import dataclass, field

from bridge.compliance import Officer
from bridge.directory.desk import Known
from bridge.directory.kept import KeptThing, Whom
from bridge.errors import NotFound
from bridge.keeping import Plan
from bridge.links import Link
from bridge.messages import Channel, Person

_NONE = "No directory is configured."


class NoDesk:
    """Implements `bridge.directory.desk.AccountDesk`: accounts are nobody's."""

    async def about(self, tenant: str, person: Person, channel: Channel) -> Known:
        raise NotFound(_NONE)

    async def code(self, tenant: str, person: Person, channel: Channel) -> str:
        raise NotFound(_NONE)

    async def confirm(
        self, tenant: str, person: Person, channel: Channel, code: str
    ) -> Known:
        raise NotFound(_NONE)

    async def deny(self, tenant: str, person: Person, channel: Channel) -> None:
        raise NotFound(_NONE)

    async def decree(
        self, tenant: str, admin: str, person: Person, channel: Channel, named: str
    ) -> Known:
        raise NotFound(_NONE)


@dataclass
class FakeKeptDesk:
    """What is kept, and who ended which of it."""

    things: list[KeptThing] = field(default_factory=list)
    ended: list[tuple[str, Whom, str]] = field(default_factory=list)

    async def kept(
        self, tenant: str, officer: Officer, whom: Whom | None = None
    ) -> list[KeptThing]:
        return [t for t in self.things if whom is None or t.person == whom.named]

    async def end(
        self, tenant: str, officer: Officer, whom: Whom, what: str = ""
    ) -> list[KeptThing]:
        if not self.things:
            raise NotFound(_NONE)
        self.ended.append((officer.name, whom, what))
        return [t for t in self.things if what in {"", t.ancestor, t.what}]


@dataclass
class FakeMembersDesk:
    """Plans by channel, and what was agreed to."""

    plans: dict[Channel, Plan] = field(default_factory=dict)
    agreed: list[tuple[Channel, str]] = field(default_factory=list)

    async def planned(self, link: Link, channel: Channel) -> Plan | None:
        return self.plans.get(channel)

    def agree(self, tenant: str, channel: Channel, digest: str) -> None:
        self.agreed.append((channel, digest))
