"""What looks into messages and files before they leave, and who has let some go."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from bridge.delivery import Delivery
from bridge.document import Document
from bridge.leaving.findings import Inspection
from bridge.leaving.rules import Verdict, Where
from bridge.messages import Channel, File


@dataclass(frozen=True, slots=True)
class Said:
    """
    What somebody said, as far as it is looked at.

    `row` names what one person says one after the other in one place, and `message` is
    the message's id there; without a row it is looked at by itself.
    """

    document: Document
    files: Sequence[File] = ()
    name: str = ""
    row: str = ""
    message: str = ""


class Inspects(Protocol):
    """Looks, and judges by the company's rules."""

    async def look(self, tenant: str, said: Said) -> Inspection:
        """
        Return what is in a message.

        Never raises for what the message is. Raises `StoreUnavailable` if the company's
        key is not at hand: what cannot be told on record is not carried.
        """
        ...

    async def look_again(
        self, tenant: str, said: Said, known: Inspection | None
    ) -> Inspection:
        """
        Return what is in a message that was looked at before, by today's rules.

        What was put together from several messages then is still so.
        """
        ...

    async def look_into(
        self, tenant: str, file: File, chunks: AsyncIterator[bytes]
    ) -> Inspection:
        """Return what is in a file's text. A file that has none is empty."""
        ...

    def judge(self, tenant: str, inspection: Inspection, where: Where) -> Verdict:
        """Return what is to be done about it at one place."""
        ...

    def shown_name(self, tenant: str, name: str) -> str:
        """Return a display name without what no copy may have in it."""
        ...

    def rules(self, tenant: str) -> str:
        """Return the hash of the company's rules as they are now."""
        ...


class Releases(Protocol):
    """What was held and somebody has looked at."""

    async def released(self, delivery: Delivery, version_us: int) -> bool:
        """Whether a version of a message may go to the delivery's target."""
        ...


class FindingLog(Protocol):
    """Where what was found in files is put down, before anything is done about it."""

    async def note(
        self,
        delivery: Delivery,
        person: str,
        inspection: Inspection,
        verdict: Verdict,
    ) -> None:
        """Write it down, once however often it is found. Raises `StoreUnavailable`."""
        ...


def row_of(channel: Channel, thread: str, author: str) -> str:
    """Return the name of what somebody says one after the other in a thread."""
    return f"{channel}|{thread}|{author}"
