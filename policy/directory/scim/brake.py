"""
How much one request may take out of a group before an admin is asked.

A client that means one person and is misread, or that lost its own data, empties a group
with one request: `remove members`, or `replace members` with what is left of a list.
What is taken then is access, of many at once; so it waits.
"""

from dataclasses import dataclass

_ALL = 100


@dataclass(frozen=True, slots=True)
class Brake:
    """Up to `few` members leave by one request, or up to `percent` of a group's."""

    few: int = 10
    percent: int = 30

    def holds(self, before: int, leaving: int) -> bool:
        return leaving > self.few and leaving * _ALL > before * self.percent
