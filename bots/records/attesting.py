"""Which addresses of somebody in chat their platform or the directory answers for."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from bridge.directory.accounts import Account, Confidence
from bridge.directory.model import Standing, Subject
from bridge.identities import Identity, address
from bridge.messages import Channel, Person
from bridge.records.desk import Asker
from bridge.records.whose import Attested
from policy.linking import answered_for

_TOLD = ("mail", "user_name")
_HERE = {Standing.ACTIVE, Standing.LOCKED}


class Introduces(Protocol):
    """Who accounts are to their platforms: `bots.introducing.Introducer`."""

    async def account_of(self, person: Person, channel: Channel) -> Account | None: ...

    async def identity(self, account: Account, channel: Channel) -> Identity | None: ...


class Register(Protocol):
    """Who accounts are to the directory: `bridge.directory.view.LiveDirectory`."""

    def configured(self, tenant: str) -> bool: ...

    def subject(self, tenant: str, person: Person, account: str) -> Subject | None: ...

    def attributes(self, tenant: str, subject: str) -> Mapping[str, str]: ...


@dataclass(frozen=True, slots=True)
class Attesting:
    """
    Implements `bridge.records.whose.Attests`.

    What somebody calls themselves, and what another company says of its people, is
    nothing that anybody here answers for.
    """

    introducer: Introduces
    directory: Register

    async def of(self, asker: Asker, user: str) -> Attested:
        channel = asker.channel
        if channel is None:
            return Attested("", frozenset())
        person = Person(channel.platform, user)
        account = await self.introducer.account_of(person, channel)
        if account is None:
            return Attested("", frozenset())
        identity = await self.introducer.identity(account, channel)
        found = answered_for(identity) if identity else frozenset()
        name, told = self._told(asker.tenant, person, account.account)
        return Attested((identity and identity.person.name) or name, found | told)

    def _told(
        self, tenant: str, person: Person, account: str
    ) -> tuple[str, frozenset[str]]:
        """Return whom the directory knows the account as, and their addresses."""
        nobody = "", frozenset[str]()
        if not self.directory.configured(tenant):
            return nobody
        subject = self.directory.subject(tenant, person, account)
        if subject is None or subject.confidence <= Confidence.NONE:
            return nobody
        if subject.standing not in _HERE:
            return nobody
        told = self.directory.attributes(tenant, subject.id)
        addresses = (address(told.get(name, "")) for name in _TOLD)
        return subject.name, frozenset(a for a in addresses if a and a.isascii())
