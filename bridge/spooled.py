"""What cannot be taken in now, and is kept until it can be."""

from typing import NamedTuple, Protocol

from bridge.messages import EventKind

VIA = "spool"


class Kept(NamedTuple):
    """One request: from where it came, when, and what it said, byte for byte."""

    source: str
    at_us: int
    raw: bytes


class Keeps(Protocol):
    """Where to keep what a platform says while it cannot be captured."""

    @property
    def waits(self) -> bool:
        """Say whether something is to be taken in before what comes now."""
        ...

    async def keep(self, kept: Kept, kind: EventKind) -> bool:
        """Keep a request; returns whether it is safe, so that it may be acknowledged."""
        ...
