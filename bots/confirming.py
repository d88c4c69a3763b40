"""People and admins say whose an account is, and it is written down."""

from dataclasses import dataclass, replace

import structlog

from bots.introducing import Introducer, address_of, may_be_linked
from bridge.directory.accounts import Account, AccountLink, Confidence, How
from bridge.directory.desk import Known
from bridge.directory.model import Kind, Subject
from bridge.errors import Conflict, NotAllowed, NotFound
from bridge.identities import Identity
from bridge.messages import Channel, Person

log = structlog.get_logger()

_UNKNOWN = "Your account is not known in its workspace or team."
_OUTSIDER = (
    "Guests and people of other organisations are in no directory of the company's: "
    "their accounts are nobody's there."
)


@dataclass(frozen=True, slots=True)
class Desk:
    """Implements `bridge.directory.desk.AccountDesk`."""

    introducer: Introducer

    async def about(self, tenant: str, person: Person, channel: Channel) -> Known:
        account = await self._account(tenant, person, channel)
        await self.introducer.meet(tenant, person, channel)
        return self._known(tenant, account)

    async def code(self, tenant: str, person: Person, channel: Channel) -> str:
        account = await self._account(tenant, person, channel)
        await self._own(account, channel)
        await self.introducer.meet(tenant, person, channel)
        return await self.introducer.accounts.code(tenant, account)

    async def confirm(
        self, tenant: str, person: Person, channel: Channel, code: str
    ) -> Known:
        here = await self._account(tenant, person, channel)
        identity = await self._own(here, channel)
        accounts = self.introducer.accounts
        there = await accounts.take(tenant, code, here)
        await self.introducer.meet(tenant, person, channel)
        people = {
            known.subject.id: known.subject
            for known in (self._known(tenant, here), self._known(tenant, there))
            if known.subject and known.confidence > Confidence.NONE
        }
        if len(people) > 1:
            names = " and ".join(sorted(one.name for one in people.values()))
            log.warning("two people's accounts", one=str(here), other=str(there))
            raise Conflict(
                f"These accounts are two people's in the directory: {names}. An admin "
                "can put that right."
            )
        if not people:
            raise NotFound(
                "The directory knows neither account: ask an admin to type "
                "`who ACCOUNT is ADDRESS`."
            )
        [one] = people.values()
        by = f"{here.platform}:{here.user}"
        for account in (here, there):
            link = AccountLink(account, one.id, Confidence.PROVED, How.CONFIRMED, by)
            address = address_of(identity) if account == here else ""
            text = f"{one.name} showed that {account} is theirs"
            await accounts.keep(tenant, link, text, address)
        return self._known(tenant, here)

    async def deny(self, tenant: str, person: Person, channel: Channel) -> None:
        account = await self._account(tenant, person, channel)
        by = f"{account.platform}:{account.user}"
        link = AccountLink(account, "", Confidence.NONE, How.DENIED, by)
        log.warning("account denied", account=str(account))
        await self.introducer.accounts.keep(
            tenant, link, f"{account} says that it was taken for somebody else"
        )

    async def decree(
        self, tenant: str, admin: str, person: Person, channel: Channel, named: str
    ) -> Known:
        account = await self._account(tenant, person, channel)
        identity = await self._own(account, channel)
        directory = self.introducer.directory
        found = dict.fromkeys(directory.named(tenant, Kind.PERSON, named))
        people = [one for id_ in found if (one := directory.find(tenant, id_))]
        if not people:
            raise NotFound(f"The directory knows nobody as {named}.")
        if len(people) > 1:
            names = ", ".join(f"{one.name} ({one.id})" for one in people)
            raise Conflict(f"{named} is several people: {names}. Use an id.")
        [one] = people
        link = AccountLink(account, one.id, Confidence.PROVISIONED, How.ADMIN, admin)
        text = f"{admin} said that {account} is {one.name}'s"
        await self.introducer.accounts.keep(tenant, link, text, address_of(identity))
        return self._known(tenant, account)

    def _known(self, tenant: str, account: Account) -> Known:
        directory, accounts = self.introducer.directory, self.introducer.accounts
        link = accounts.link_of(tenant, account)
        found: Subject | None
        if link is None:
            person = Person(account.platform, account.user)
            found = directory.subject(tenant, person, account.account)
            if found is None:
                return Known(account)
            link = AccountLink(
                account, found.id, Confidence(found.confidence), How.PROVISIONED
            )
        found = directory.find(tenant, link.person) if link.person else None
        others = accounts.accounts(tenant, link.person) if link.person else ()
        return Known(
            account,
            found and replace(found, confidence=int(link.confidence)),
            link.confidence,
            link.how,
            tuple(one.account for one in others if one.account != account),
        )

    async def _account(self, tenant: str, person: Person, channel: Channel) -> Account:
        if not self.introducer.directory.configured(tenant):
            raise NotFound(
                "No directory is configured, so accounts are nobody's: whoever is in a "
                "linked channel may talk there."
            )
        account = await self.introducer.account_of(person, channel)
        if account is None:
            raise NotFound(_UNKNOWN)
        return account

    async def _own(self, account: Account, channel: Channel) -> Identity:
        identity = await self.introducer.identity(account, channel)
        if identity is None:
            raise NotFound(_UNKNOWN)
        if not may_be_linked(identity):
            raise NotAllowed(_OUTSIDER)
        return identity
