"""Admins hear of accounts that looked like somebody's and were not taken for it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from bots.admin_channel import LOOK, keep_telling
from bridge.cards import Card, Tone
from bridge.directory.accounts import Account, AccountLink
from bridge.messages import Channel, Platform
from bridge.ports import Announcer
from storage.compliance.acts import Act, Acts
from storage.people.accounts import StoredAccounts

_DAY_US = 86_400_000_000  # older ones are not news any more
_MOST = 10_000


@dataclass(slots=True)
class RefusalTelling:
    """
    Tells admins of each such account once, in a channel of theirs.

    It may be somebody who tries to pass for a colleague: a guest under their address, or
    a new account under an address that was another one's. That it is told stands in the
    log before it is told, so of several processes one tells it.
    """

    accounts: StoredAccounts
    acts: Acts
    announcers: Mapping[Platform, Announcer]
    tenant: str
    channel: str
    clock: Callable[[], int]
    look: float = LOOK
    _told: set[tuple[Account, int]] = field(default_factory=set)

    async def run(self) -> None:
        """Go on for ever; with no channel in the settings there is nothing to do."""
        await keep_telling(self.channel, self.tell, self.look)

    async def tell(self, channel: Channel) -> None:
        """Tell of what was refused since yesterday. Raises `AtomError` if it cannot."""
        announcer = self.announcers.get(channel.platform)
        if announcer is None:
            return
        since = self.clock() - _DAY_US
        for link in self.accounts.refused(self.tenant):
            known = (link.account, link.since_us)
            if link.since_us < since or known in self._told:
                continue
            if len(self._told) >= _MOST:
                self._told.clear()
            self._told.add(known)
            if await self._first(link):
                await announcer.announce(channel, refused_card(link))

    async def _first(self, link: AccountLink) -> bool:
        text = f"told the admins of {link.account}"
        about = {"account": str(link.account)}
        act = Act(self.tenant, "bridge.notice", "atom", text, about)
        key = f"account:refused:{link.account}:{link.since_us}"
        return not (await self.acts.note(act, key=key)).duplicate


def refused_card(link: AccountLink) -> Card:
    """Return what admins are told of one account."""
    text = (
        f"{link.account} has the address of somebody in the directory, or had it from "
        "somebody else, and may not be theirs. It may do nothing. The log says why "
        f"(`account.refused`). If it is theirs, type `who {link.account.user} is "
        f"ADDRESS` in a linked channel of {link.account.platform.title()}."
    )
    return Card("An account was taken for nobody's", text, Tone.WARNING)
