"""What goes into the compliance log about records, before anybody sees its effect."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from bridge.access import Decision
from bridge.messages import Channel
from bridge.records.model import RecordRef


class EntryKind(StrEnum):
    """The log's entry types about records."""

    VIEW = "record.view"
    ACT = "record.act"
    OUTCOME = "record.outcome"
    REFUSED = "record.refused"
    FIND = "record.find"
    CHANGE = "record.change"
    TOLD = "record.told"
    SUBSCRIPTION = "record.subscription"
    UNRETRACTED = "record.unretracted"
    LEVEL = "record.level"


@dataclass(frozen=True, slots=True)
class Entry:
    """
    One thing that happened about a record.

    `actor` is who did it, as the log names people, or `atom`. `text` is one line for
    people and `detail` what a program reads; both are sealed. What belongs to one act
    has the same `correlation`. `decision` is the policy's answer that it rests on.
    """

    tenant: str
    kind: EntryKind
    actor: str
    text: str
    ref: RecordRef | None = None
    channel: Channel | None = None
    thread: str = ""
    message: str = ""
    detail: Mapping[str, object] = field(default_factory=dict)
    correlation: str = ""
    decision: Decision | None = None


class RecordLog(Protocol):
    """The part of the compliance log that tells of records."""

    async def note(self, entry: Entry, key: str = "") -> bool:
        """
        Write it down before returning; False if its `key` was written before.

        Raises `StoreUnavailable`, and then nothing may be shown or done.
        """
        ...


Clock = Callable[[], int]  # microseconds UTC
Tokens = Callable[[], str]  # a new random token of at least 128 bits


def shown_names(fields: Sequence[str]) -> str:
    """Return names as a sentence lists them."""
    return ", ".join(fields) if fields else "nothing"
