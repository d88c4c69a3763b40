"""
Let a record follow what becomes of a message that was carried into it.

An edit changes the words where the system lets their author, and a deletion takes them
back. Where it does not, or somebody else has changed them there since, the record is told
with another comment. Whoever types edits several times in a row: what is written is how
it ended, a little later. It is done as who said it, as everything that is carried.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from bridge.errors import AtomError, BadInput, NotAllowed, ServiceUnavailable
from bridge.messages import Channel
from bridge.records.admitting import Admitting
from bridge.records.books import Carried, CarriedBook
from bridge.records.carrying import Carrying
from bridge.records.desk import Asker
from bridge.records.doing import Doing, Wanted, key_of
from bridge.records.drawing import Clock
from bridge.records.forms import AMEND, DEED, MADE, TAKE_BACK
from bridge.records.mentions import Named
from bridge.records.ports import Amends, NotConnected, NotThere, TakesBack

_SECOND = 1_000_000
_LATER_US = 30 * _SECOND

Words = Callable[[str, int], Awaitable[str]]
"""Return what an entry of a company's log says, empty if nothing is left of it."""


@dataclass(frozen=True, slots=True)
class Amending:
    """`settled_us` is for how long nothing has to become of a message before it is told."""

    admitting: Admitting
    doing: Doing
    carrying: Carrying
    carried: CarriedBook
    words: Words
    clock: Clock
    settled_us: int = 20 * _SECOND

    async def edited(self, said: Named) -> None:
        """Note that a message has other words now. Raises `StoreUnavailable`."""
        if self.carrying.hears(said.tenant, said.channel):
            await self.carried.became(
                said.tenant, said.channel, said.message, said.seq, gone=False
            )

    async def deleted(
        self, tenant: str, channel: Channel, message: str, seq: int
    ) -> None:
        """Note that a message is gone. Raises `StoreUnavailable`."""
        if self.carrying.hears(tenant, channel):
            await self.carried.became(tenant, channel, message, seq, gone=True)

    async def settle(self, tenant: str) -> None:
        """Tell records what they do not know and has settled. Raises `StoreUnavailable`."""
        before_us = self.clock() - self.settled_us
        for each in await self.carried.due(tenant, before_us):
            await self._one(each)

    async def _one(self, carried: Carried) -> None:
        asker = Asker.reached(carried.tenant, carried.address)
        asker = replace(asker, channel=carried.channel)
        latest = carried.latest
        try:
            if await self._stands(asker, carried):
                latest = await self._follow(asker, carried)
        except ServiceUnavailable:
            await self.carried.later(carried, self.clock() + _LATER_US)
            return
        except AtomError as error:
            await self.carrying.tell(asker, carried.ref, error, carried.message)
        await self.carried.follows(carried, latest)

    async def _stands(self, asker: Asker, carried: Carried) -> bool:
        """Whether it was written, in a channel that carries, by who is still here."""
        if not self.carrying.hears(carried.tenant, carried.channel):
            return False
        if await self.admitting.who(asker) != carried.person:
            return False
        return await self.doing.finished_before(carried.tenant, carried.deed)

    async def _follow(self, asker: Asker, carried: Carried) -> str:
        """Change it or take it back, or say so; returns the deed that made it what it is."""
        text = "" if carried.gone else await self.words(carried.tenant, carried.seq)
        if not carried.gone and not text.strip():
            return carried.latest  # of what was erased nothing is told
        parts = ("thread", carried.channel, carried.message, carried.seq)
        key = key_of(carried.tenant, carried.person, *parts)
        if await self.doing.finished_before(carried.tenant, key):
            return key
        adds = await self.carrying.wanted(
            asker, carried.person, carried.ref, text.strip() or "-", key
        )
        try:
            if await self._in_place(carried, adds):
                return key
        except NotThere:
            return carried.latest  # somebody deleted it there: it is not said again
        except NotConnected:
            raise
        except (NotAllowed, BadInput):
            pass  # it is on record, and said below
        told = _gone(carried) if carried.gone else f"Edited: {text.strip()}"
        again = key_of(carried.tenant, carried.person, *parts, "said")
        await self.carrying.write(asker, carried.person, carried.ref, told, again)
        return carried.latest

    async def _in_place(self, carried: Carried, adds: Wanted) -> bool:
        """Do it to what was written; False where the system knows no way."""
        ref, deed = carried.ref, adds.deed
        records = self.admitting.system(carried.tenant, adds.who.act)
        made = await self.doing.made(carried.tenant, carried.latest)
        named = {DEED: carried.deed, MADE: made}
        if carried.gone:
            able = isinstance(records, TakesBack) and records.takes_back(
                deed.act, ref.kind
            )
            deed = replace(deed, act=TAKE_BACK, values=named)
        else:
            able = isinstance(records, Amends) and records.amends(deed.act, ref.kind)
            deed = replace(deed, act=AMEND, values={**deed.values, **named})
        if able:
            await self.doing.do(adds.who, deed, adds.label, quiet=True)
        return able


def _gone(carried: Carried) -> str:
    moment = datetime.fromtimestamp(carried.said_us // _SECOND, UTC)
    return f"Withdrawn in chat: what was said at {moment:%Y-%m-%d %H:%M} UTC."
