"""How the sandbox behaves where the real platforms differ, or nobody knows."""

from collections.abc import Mapping
from typing import Any

COMMON: Mapping[str, Any] = {
    # Where ATOM listens: events go to {atom_url}/slack/events and /api/messages.
    "atom_url": "",
    # What the page shows to ATOM's log API.
    "console_token": "",
}


class Settings:
    """
    Named values, each with a default; only declared names exist.

    Each half of the sandbox declares its own (`declare`), with the defaults that
    stand for what the facts say.
    """

    def __init__(self) -> None:
        self._values: dict[str, Any] = dict(COMMON)

    def declare(self, defaults: Mapping[str, Any]) -> None:
        """Make names known. Values that were set before stay."""
        self._values = {**defaults, **self._values}

    def get(self, name: str) -> Any:
        """Return a value; asking for an undeclared one raises ValueError."""
        try:
            return self._values[name]
        except KeyError:
            raise ValueError(f"unknown setting {name!r}") from None

    def update(self, values: Mapping[str, Any]) -> None:
        """Set values, all or none; raises ValueError on unknown names and kinds."""
        checked = {
            name: _like(self.get(name), value, name) for name, value in values.items()
        }
        self._values |= checked

    def as_json(self) -> dict[str, Any]:
        return dict(self._values)


def _like(default: Any, value: Any, name: str) -> Any:
    if isinstance(default, float) and type(value) is int:
        return float(value)
    if type(value) is not type(default):
        kind = type(default).__name__
        raise ValueError(f"setting {name!r} takes a {kind}")
    return value
