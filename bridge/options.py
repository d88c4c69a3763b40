"""What an admin may choose for one link."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import Any, Self

from bridge.errors import BadInput

_LARGEST_MB = 10_000


class Files(StrEnum):
    """What becomes of a message's files on the other side."""

    COPY = "copy"
    LINK = "link"  # named, with where they are; only who may go there sees them
    BLOCK = "block"


class Bots(StrEnum):
    """What becomes of what other bots and webhooks say. ATOM's own never crosses."""

    RELAY = "relay"
    DROP = "drop"
    DIGEST = "digest"  # many in one message, now and then


class Pings(StrEnum):
    """What becomes of @channel and @here."""

    TEXT = "text"
    PING = "ping"


class Deletes(StrEnum):
    """What stands where a copy was, once its original is deleted."""

    REMOVE = "remove"
    MARK = "mark"  # a line that says so


class External(StrEnum):
    """What becomes of a link when people of other organisations read along."""

    HOLD = "hold"  # it goes dormant until an admin allows it, or they are gone
    ALLOW = "allow"


class Join(StrEnum):
    """What becomes of one person's messages that a full channel makes wait."""

    BUSY = "busy"  # those said in a row are brought across in one
    NEVER = "never"  # each waits for its turn


class Joins(StrEnum):
    """What becomes of who joins and leaves the linked channels."""

    OFF = "off"
    DIGEST = "digest"  # the other side hears of it now and then, in one message


class Members(StrEnum):
    """What becomes of who is in the link's channels against the company's policy."""

    OFF = "off"
    REPORT = "report"  # its owner hears of it
    REMOVE = "remove"  # they are taken out, and come back with the right to be there
    INVITE = "invite"  # and whom the company's own rules want there is let in


@dataclass(frozen=True, slots=True)
class LinkOptions:
    """
    One link's choices; the defaults are what a link begins with.

    `file_mb` is the size in megabytes (10^6 bytes) above which a file stays a link.
    """

    files: Files = Files.COPY
    file_mb: int = 100
    bots: Bots = Bots.DROP
    pings: Pings = Pings.TEXT
    deletes: Deletes = Deletes.REMOVE
    external: External = External.HOLD
    join: Join = Join.BUSY
    members: Members = Members.OFF
    joins: Joins = Joins.OFF

    @classmethod
    def read(cls, stored: Mapping[str, object]) -> Self:
        """Read what `as_dict` wrote, perhaps by a version that knew other choices."""
        options = cls()
        for name, value in stored.items():
            try:
                options = options.chosen(name, str(value))
            except BadInput:
                continue
        return options

    def as_dict(self) -> dict[str, str | int]:
        """Return the choices by name, for JSON."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def chosen(self, name: str, value: str) -> Self:
        """Return the options with one choice made. Raises `BadInput`."""
        known = [field.name for field in fields(self)]
        if name not in known:
            raise BadInput(f"There is no option {name}: choose of {', '.join(known)}.")
        now = getattr(self, name)
        if isinstance(now, StrEnum):
            kind = type(now)
            if value not in set(kind):
                raise BadInput(f"{name} is one of {', '.join(kind)}, not {value}.")
            return self._with(name, kind(value))
        if not re.fullmatch("[0-9]{1,5}", value):
            raise BadInput(f"{name} is a whole number of megabytes, not {value}.")
        if int(value) > _LARGEST_MB:
            raise BadInput(f"{name} is at most {_LARGEST_MB}, not {value}.")
        return self._with(name, int(value))

    def _with(self, name: str, value: StrEnum | int) -> Self:
        change: dict[str, Any] = {name: value}
        return replace(self, **change)

    def said(self, words: Iterable[str]) -> Self:
        """Return the options as words like `files=link` want them. Raises `BadInput`."""
        options = self
        for word in words:
            name, equals, value = word.partition("=")
            if not equals:
                raise BadInput(f"Write an option as name=value, not {word}.")
            options = options.chosen(name.lower(), value.lower())
        return options
