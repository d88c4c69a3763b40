"""A few things that a process did lately, for as long as they matter."""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

_Value = TypeVar("_Value")


@dataclass(slots=True)
class Remembered(Generic[_Value]):
    """The newest `most` values by key, each for `seconds`. `clock` is monotonic."""

    seconds: float
    most: int = 1000
    clock: Callable[[], float] = time.monotonic
    _kept: OrderedDict[str, tuple[float, _Value]] = field(default_factory=OrderedDict)

    def keep(self, key: str, value: _Value) -> None:
        self._kept.pop(key, None)
        self._kept[key] = (self.clock() + self.seconds, value)
        while len(self._kept) > self.most:
            self._kept.popitem(last=False)

    def get(self, key: str) -> _Value | None:
        until, value = self._kept.get(key, (0.0, None))
        return value if until > self.clock() else None

    def names(self) -> list[str]:
        """Return the keys that still matter, the newest first."""
        now = self.clock()
        return [key for key, (until, _) in reversed(self._kept.items()) if until > now]
