"""
What this process captured just now, so that its deliveries need not read it back.

Only what the log says of a message for the first time is kept, as its bytes were
sealed; a later word about the message forgets it. So is what people did with emoji, each
by its position in the log. Words that other processes write
are not heard here, so nothing is taken from here that is older than a delivery's own
look at the log could be: only what was captured within the last quarter of a second,
or since when this process is known to have written alone. It knows that whenever it
appends: the head of the log was then where it had left it.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

import orjson

from bridge.document import Document
from storage.log_reader import LogEntry

_FRESH = 0.25  # seconds
_MOST = 32 * 1024 * 1024  # bytes of bodies, and what a row takes beside its body
_ROW = 2_048
_TREE = 3  # what a body takes whose document is kept as well, for each of its bytes
_SEALED = {"ct", "raw_ct"}

Told = tuple[str, str]  # a channel and a message in it; or where an entry stands
_Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Captured:
    """A log entry's row, its body before it was sealed, and the document in that."""

    row: Mapping[str, Any]
    body: bytes
    document: Document | None = None

    @property
    def size(self) -> int:
        """About how many bytes it takes."""
        return _ROW + len(self.body) * (_TREE if self.document else 1)


def captured(
    row: Mapping[str, Any], body: bytes, document: Document | None = None
) -> Captured:
    """Leave out what is sealed."""
    kept = {k: v for k, v in row.items() if k not in _SEALED}
    return Captured(kept, body, document)


def at_position(seq: int) -> Told:
    """Return what an entry is kept as that is asked for by its position."""
    return "", str(seq)


@dataclass(slots=True)
class JustCaptured:
    """Bounded: whatever is not here is read from the log."""

    clock: Callable[[], float] = monotonic
    _kept: OrderedDict[_Key, tuple[Captured, float]] = field(
        default_factory=OrderedDict
    )
    _appended: dict[str, float] = field(default_factory=dict)
    _others: dict[str, float] = field(default_factory=dict)
    _size: int = 0

    def note(self, tenant: str, told: Mapping[Told, Captured | None]) -> None:
        """Entries were committed: the first about a message, or None for a later one."""
        now = self.clock()
        self._appended[tenant] = now
        for (conv, msg), captured in told.items():
            self._drop((tenant, conv, msg))
            if captured:
                self._kept[(tenant, conv, msg)] = (captured, now)
                self._size += captured.size
        while self._size > _MOST:
            self._drop(next(iter(self._kept)))

    def others_wrote(self, tenant: str) -> None:
        """Another process appended to the log, or may have."""
        self._others[tenant] = self.clock()

    def forget(self, tenant: str) -> None:
        """Keys of the tenant's were destroyed: what was said may be erased."""
        for key in [key for key in self._kept if key[0] == tenant]:
            self._drop(key)

    def _drop(self, key: _Key) -> None:
        if kept := self._kept.pop(key, None):
            self._size -= kept[0].size

    def get(self, tenant: str, conv: str, msg: str) -> LogEntry | None:
        """Return the entry if it is all that the log tells of the message."""
        kept = self._kept.get((tenant, conv, msg))
        if kept is None:
            return None
        captured, at = kept
        limit = self.clock() - _FRESH
        alone = at > self._others.get(tenant, -1.0) and self._appended[tenant] > limit
        if at < limit and not alone:
            return None
        body = orjson.loads(captured.body)
        return LogEntry(captured.row, body, known=captured.document)

    def at(self, tenant: str, seq: int) -> LogEntry | None:
        """Return the entry at a position, if it is a reaction's."""
        return self.get(tenant, *at_position(seq))
