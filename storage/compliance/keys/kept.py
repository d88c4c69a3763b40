"""A bounded memory: what was not used for longest goes first."""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


@dataclass(slots=True)
class Kept(Generic[K, V]):
    """At most `most` values."""

    most: int
    _values: OrderedDict[K, V] = field(default_factory=OrderedDict, repr=False)

    def get(self, key: K) -> V | None:
        value = self._values.get(key)
        if value is not None:
            self._values.move_to_end(key)
        return value

    def put(self, key: K, value: V) -> None:
        self._values[key] = value
        self._values.move_to_end(key)
        if len(self._values) > self.most:
            self._values.popitem(last=False)

    def clear(self) -> None:
        self._values.clear()
