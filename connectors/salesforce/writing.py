"""Writing as one person, once: what each act comes to."""

from collections.abc import Sequence

from bridge.errors import BadInput
from bridge.records.forms import AMEND, TAKE_BACK, Deed
from bridge.records.ports import Access, Done, PartFailed
from connectors.salesforce.adding import Adder, Parts
from connectors.salesforce.asking import NEW, kind_of
from connectors.salesforce.changing import Changer
from connectors.salesforce.taking_back import TakingBack
from connectors.salesforce.together import Together


class Writer:
    """Does deeds."""

    def __init__(self, parts: Parts) -> None:
        self._p = parts
        self._adder = Adder(parts)
        self._changer = Changer(parts)
        self._taking_back = TakingBack(parts)
        self._together = Together(parts, self._adder, self._changer)

    async def perform(self, access: Access, deed: Deed) -> Done:
        _checked(access)
        if deed.act == TAKE_BACK:
            return await self._taking_back.perform(access, deed)
        if deed.act == AMEND:
            return await self._taking_back.amend(access, deed)
        if deed.act in NEW:
            return await self._adder.perform(access, deed)
        if deed.ref is None:
            raise BadInput("say which record")
        kind = kind_of(self._p.kinds, deed.ref.kind)
        if self._adder.adds(deed.act, kind.name):
            return await self._adder.perform(access, deed)
        if deed.act == "escalate" and kind.name == "case":
            # Two writes, of which there are both or neither.
            try:
                [done] = await self._together.perform(access, [deed])
            except PartFailed as failed:
                raise failed.error from failed
            return done
        if self._changer.changes(deed.act, kind.name):
            return await self._changer.change(access, deed, kind)
        raise BadInput(f"a {kind.what.lower()} cannot be asked to {deed.act}")

    def adds(self, act: str, kind: str) -> bool:
        return self._adder.adds(act, kind)

    def at_once(self, deeds: Sequence[Deed]) -> int:
        return self._together.many(deeds)

    async def perform_all(
        self, access: Access, deeds: Sequence[Deed]
    ) -> Sequence[Done]:
        _checked(access)
        return await self._together.perform(access, deeds)


def _checked(access: Access) -> None:
    if not access.account:
        raise BadInput("writing takes an account of one's own")
