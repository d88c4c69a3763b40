"""What is done about a file for what its text says: it crosses as it is, or not at all."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from bridge.delivery import Delivery
from bridge.errors import Refused
from bridge.files import Fate, StaysBehind
from bridge.leaving.leaving import Leaving
from bridge.leaving.ports import FindingLog
from bridge.leaving.rules import Deed
from bridge.messages import File, Person


@dataclass(frozen=True, slots=True)
class FilesLeaving:
    """Looks into files before they are given to the other platform."""

    leaving: Leaving
    log: FindingLog

    async def pass_by(
        self,
        delivery: Delivery,
        author: Person,
        file: File,
        chunks: AsyncIterator[bytes],
    ) -> None:
        """
        Return if the file may cross.

        Raises `StaysBehind` if it may not, since nothing can be cut out of it, and
        `Refused` if it waits for somebody's word; `StoreUnavailable` if what was found
        cannot be put on record.
        """
        tenant = delivery.tenant
        found = await self.leaving.inspects.look_into(tenant, file, chunks)
        if found.empty:
            return
        verdict = await self.leaving.judged(delivery, found)
        person = f"{author.platform}|{author.id}"
        await self.log.note(delivery, person, found, verdict)
        releases = self.leaving.releases
        if verdict.deed is Deed.QUARANTINE:
            if releases and await releases.released(delivery, 0):
                return
            raise Refused(verdict.held)
        if verdict.deed in {Deed.REDACT, Deed.BLOCK}:
            raise StaysBehind(Fate.WITHHELD, verdict.named)
