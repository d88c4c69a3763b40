"""Which addresses a connector may ask: one host, and what lies below some paths."""

import re
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

from bridge.errors import BadInput

# What could lead elsewhere than it seems to: climbing paths, also where they are
# encoded, backslashes, which some servers take for slashes, and control characters.
_CROOKED = re.compile(r"\.\.|//|\\|%2e|%2f|%5c|%00|;|[\x00-\x20\x7f]", re.IGNORECASE)
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")  # `urlsplit` drops some without a word
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class OffLimits(BadInput):
    """An address that no connector of ours asks for: an id was not an id."""


@dataclass(frozen=True, slots=True)
class Pin:
    """
    Holds addresses to `base` and to `paths` below it.

    Raises `BadInput` for a base that is no plain https URL; http is for loopback alone.
    """

    base: str
    paths: tuple[str, ...]
    _base: SplitResult = field(init=False, repr=False)

    def __post_init__(self) -> None:
        told = urlsplit(self.base.rstrip("/"))
        if told.scheme not in {"https", "http"} or not told.hostname:
            raise BadInput("a system's address starts with https:// and its host")
        if told.scheme == "http" and told.hostname not in _LOOPBACK:
            raise BadInput("a system's address has to start with https://")
        if told.username or told.query or told.fragment:
            raise BadInput("a system's address is a host, and a path at most")
        object.__setattr__(self, "_base", told)

    def check(self, url: str) -> None:
        """Raise `OffLimits` unless a URL is one of ours, taken literally."""
        self.pinned(url)

    def pinned(self, url: str) -> str:
        """Return a URL with the configured scheme and path. Raises `OffLimits`."""
        if _CONTROLS.search(url):
            raise OffLimits("that is no address of the system")
        try:
            asked = urlsplit(url)
            port = asked.port
        except ValueError:
            raise OffLimits("that is no address of the system") from None
        standard = {None, 80, 443}
        ours = self._base
        same_port = port == ours.port or (port in standard and ours.port in standard)
        if asked.hostname != ours.hostname or not same_port or "@" in asked.netloc:
            raise OffLimits("that is no address of the system")
        path = asked.path
        if ours.path and path.startswith(f"{ours.path}/"):
            path = path.removeprefix(ours.path)
        if _CROOKED.search(path) or asked.fragment or not path.startswith(self.paths):
            raise OffLimits("that is no address of the system")
        query = f"?{asked.query}" if asked.query else ""
        return f"{ours.scheme}://{ours.netloc}{ours.path}{path}{query}"
