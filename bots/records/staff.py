"""Who works in a company and who left, from its directory, by their addresses."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from bots.managers import manager_of
from bridge.directory.accounts import Account
from bridge.directory.difference import addresses_of
from bridge.directory.model import Kind, Standing
from bridge.directory.view import LiveDirectory

_LEFT = {Standing.LEFT, Standing.DISABLED, Standing.EXPIRED}
_AT_WORK = {Standing.ACTIVE, Standing.LOCKED}

Accounts = Callable[[str, str], Iterable[Account]]


@dataclass(frozen=True, slots=True)
class DirectoryStaff:
    """
    Implements `bridge.records.orphans.Staff`.

    `accounts` are somebody's for sure; `homes` are the accounts of the company itself,
    for people of whom only the id is told.
    """

    view: LiveDirectory
    accounts: Accounts
    homes: Callable[[str], Awaitable[Sequence[Account]]]

    def gone(self, tenant: str) -> frozenset[str]:
        """Return who does not work here any more, of those that the directory knows."""
        subjects = self.view.subjects(tenant)
        return frozenset(one.id for one in subjects if one.standing in _LEFT)

    def leavers(self, tenant: str) -> Mapping[str, str]:
        gone = self.gone(tenant)
        if not gone:
            return {}
        left, here = dict[str, set[str]](), set[str]()
        state = self.view.state(tenant)
        for ref, who in state.people.items():
            for address in addresses_of(state.entries[ref].entry):
                if who in gone:
                    left.setdefault(address, set()).add(who)
                else:
                    here.add(address)
        return {
            address: next(iter(who))
            for address, who in left.items()
            if len(who) == 1 and address not in here
        }

    def at_work(self, tenant: str, address: str) -> str:
        found = self.view.named(tenant, Kind.PERSON, address)
        subject = self.view.find(tenant, found[0]) if len(found) == 1 else None
        return subject.id if subject and subject.standing in _AT_WORK else ""

    def manager(self, tenant: str, person: str) -> str:
        return manager_of(self.view, tenant, person)

    def address(self, tenant: str, person: str) -> str:
        return self.view.attributes(tenant, person).get("mail", "").strip().lower()

    def name(self, tenant: str, person: str) -> str:
        subject = self.view.find(tenant, person)
        return subject.name if subject else ""

    async def chats(self, tenant: str, person: str) -> Sequence[Account]:
        homes = [*await self.homes(tenant)]
        found: dict[Account, None] = {}
        for account in self.accounts(tenant, person):
            if account.account:
                found[account] = None
                continue
            of = [h.account for h in homes if h.platform is account.platform]
            if len(of) == 1:
                found[replace(account, account=of[0])] = None
        return list(found)
