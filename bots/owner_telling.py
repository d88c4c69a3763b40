"""People hear of an account that goes under their address and was not taken for theirs."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from bridge.cards import Card, Tone
from bridge.directory.accounts import Account
from bridge.errors import AtomError
from bridge.messages import Person, Platform
from storage.compliance.acts import Act, Acts

log = structlog.get_logger()

_MOST = 1_000  # that wait to be told


class OwnChat(Protocol):
    """Where ATOM can speak to one person of a platform: a `CardPlace`."""

    async def alone(self, account: str, person: Person, card: Card) -> None: ...


@dataclass(slots=True)
class OwnerTelling:
    """
    Tells them in their own chat with ATOM, on every platform where they have one.

    `accounts` are theirs for sure. Once for each account: it stands in the log before
    it is said. Nobody is told of what waited while ATOM ended; admins are, by
    `RefusalTelling`.
    """

    accounts: Callable[[str, str], Iterable[Account]]
    acts: Acts
    chats: Mapping[Platform, OwnChat]
    _news: asyncio.Queue[tuple[str, Account, str]] = field(
        default_factory=lambda: asyncio.Queue(_MOST)
    )

    def refused(self, tenant: str, account: Account, whose: str) -> None:
        """Note an account that has the address of somebody, ATOM's id of them."""
        if not self._news.full():
            self._news.put_nowait((tenant, account, whose))

    async def run(self) -> None:
        """Go on for ever."""
        while True:
            try:
                await self.tell(*await self._news.get())
            except AtomError as error:
                log.warning("an owner not told", reason=str(error))

    async def tell(self, tenant: str, account: Account, whose: str) -> None:
        """Tell somebody of an account. Raises `AtomError` if that cannot be done."""
        theirs = [one for one in self.accounts(tenant, whose) if one != account]
        theirs = [one for one in theirs if one.account and one.platform in self.chats]
        if not theirs:
            return
        text = f"told {whose} of {account}"
        act = Act(tenant, "bridge.notice", "atom", text, {"account": str(account)})
        key = f"account:refused:{account}:{whose}"
        if (await self.acts.note(act, key=key)).duplicate:
            return
        for one in theirs:
            person = Person(one.platform, one.user)
            await self.chats[one.platform].alone(one.account, person, _card(account))


def _card(account: Account) -> Card:
    text = (
        f"{account} goes under your address. ATOM takes it for nobody's, and it may do "
        "nothing. If it is yours, type `me` there and confirm it; if it is not, your "
        "admins should know who it is."
    )
    return Card("An account looks like yours", text, Tone.WARNING)
