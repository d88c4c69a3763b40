"""Desks of a company that has no directory."""

from dataclasses import dataclass, field

from bridge.directory.desk import Known
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
class FakeMembersDesk:
    """Plans by channel, and what was agreed to."""

    plans: dict[Channel, Plan] = field(default_factory=dict)
    agreed: list[tuple[Channel, str]] = field(default_factory=list)

    async def planned(self, link: Link, channel: Channel) -> Plan | None:
        return self.plans.get(channel)

    def agree(self, tenant: str, channel: Channel, digest: str) -> None:
        self.agreed.append((channel, digest))
