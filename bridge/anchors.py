"""Where a log's checkpoint is shown, so that nobody can later show another one."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Shown:
    """
    A checkpoint to be shown: the signed note, and the size that it is about.

    `plain` is the note with the log's own first signature only: what stays the same
    however many cosign it.
    """

    tenant: str
    size: int
    note: str
    plain: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """
    What an anchor gave in return.

    `lines` are signatures to put below the note; `time_us` is when the other side says
    it was, 0 if it does not say; `token` is what is to be kept.
    """

    token: bytes = b""
    lines: str = ""
    time_us: int = 0


class Anchor(Protocol):
    """A witness, a time-stamping authority, a channel that people read."""

    async def show(self, shown: Shown) -> Evidence:
        """
        Show a checkpoint.

        Raises `ServiceUnavailable` or `DeliveryFailed` when it was not taken, and
        `Conflict` when the other side has seen something that contradicts it.
        """
        ...
