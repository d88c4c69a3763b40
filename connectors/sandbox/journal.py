"""Every request that a stand-in got, for tests to look at."""

from collections import deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import count
from typing import Any

_KEPT = 10_000  # entries, so that memory stays flat


@dataclass(frozen=True, slots=True)
class Entry:
    """
    One request as it came: `path` without the prefix that the stand-in is mounted
    under, header names in lower case. `status` 0 says that there was no answer.
    """

    n: int
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: str
    user: str
    status: int
    fault: str

    @property
    def call(self) -> str:
        return f"{self.method} {self.path}"


class Journal:
    """The requests, numbered from 1."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=_KEPT)
        self._numbers = count(1)

    def note(self, **told: Any) -> None:
        self._entries.append(Entry(next(self._numbers), **told))

    def all(self) -> list[Entry]:
        return list(self._entries)

    def as_json(self, after: int = 0) -> list[dict[str, Any]]:
        return [asdict(entry) for entry in self._entries if entry.n > after]

    def clear(self) -> None:
        self._entries.clear()
