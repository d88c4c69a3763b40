"""Find out whose a copy is: by the directory, and by who is who on the other side."""

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass

from bots.core import Core
from bots.introducing import Introducer
from bridge.attribution import NOTHING_KNOWN, Attribution
from bridge.delivery import Delivery
from bridge.directory.model import Standing, Subject
from bridge.errors import AtomError
from bridge.identities import WhoIsWho
from bridge.messages import Person, PersonKind, Platform

_PATIENCE = 1.0  # seconds; a message does not wait longer to be somebody's
_AT_WORK = {Standing.ACTIVE, Standing.LOCKED}

Knows = Callable[[str, Person, str], Subject | None]


@dataclass(frozen=True, slots=True)
class Attributing:
    """
    Implements `bridge.attribution.Attributes`.

    On the platforms of `speaking` authors are shown as speaking, if `who` knows them
    there. With `knows`, what the directory says of an account, copies are marked.
    """

    introducer: Introducer
    who: WhoIsWho
    speaking: Collection[Platform] = ()
    knows: Knows | None = None

    async def of(self, delivery: Delivery, author: Person) -> Attribution:
        unknown = Attribution(confirmed=False) if self.knows else NOTHING_KNOWN
        if author.kind is not PersonKind.USER or not author.id:
            return unknown
        try:
            async with asyncio.timeout(_PATIENCE):
                confirmed = await self._confirmed(delivery, author)
                return Attribution(await self._account(delivery, author), confirmed)
        except (AtomError, TimeoutError):
            return unknown

    async def _confirmed(self, delivery: Delivery, author: Person) -> bool | None:
        if self.knows is None:
            return None
        known = await self.introducer.account_of(author, delivery.source)
        if known is None:
            return False
        subject = self.knows(delivery.tenant, author, known.account)
        return bool(
            subject
            and subject.confidence
            and not subject.guest
            and subject.standing in _AT_WORK
        )

    async def _account(self, delivery: Delivery, author: Person) -> str:
        if delivery.target.platform not in self.speaking:
            return ""
        source, target = delivery.source, delivery.target
        there = await self.who.counterparts(source, [author.id], target)
        return there[author.id].id if author.id in there else ""


def attributing(
    core: Core, who: WhoIsWho, speaking: Collection[Platform]
) -> Attributing | None:
    """Build it as the settings want it; None if they want nothing of it."""
    marks = core.settings.directory.mark_confirmed and core.directory is not None
    if not (speaking or marks):
        return None
    knows = core.directory.subject if core.directory and marks else None
    return Attributing(core.introducer, who, speaking, knows)
