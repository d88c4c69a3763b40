"""
A record's card: redacted already, and the same for both platforms.

`bridge.records.redaction` makes it; renderers and the bridge see nothing else of a
record. Every text is plain: each renderer escapes for its platform.
"""

from dataclasses import dataclass
from enum import StrEnum

from bridge.records.model import Look, Needs, RecordRef, Status


class Standing(StrEnum):
    """What a card can vouch for. Only a live one shows values and offers acts."""

    LIVE = "live"
    STALE = "stale"  # was true once; the system cannot be asked now
    GONE = "gone"  # deleted, or no longer visible: never says which
    FORBIDDEN = "forbidden"  # not for this room
    UNAVAILABLE = "unavailable"  # could not be read, and nothing is known
    SUPERSEDED = "superseded"  # a newer card took its place


class Level(StrEnum):
    """How much of a record a channel's admin lets a mention show by itself."""

    NOTHING = "nothing"
    BUTTON = "button"  # that something was mentioned, and a button to see it alone
    KIND = "kind"  # its type, and the button
    NAME = "name"  # type, number and title
    DATA = "data"  # a whole card, as far as the room may see it


@dataclass(frozen=True, slots=True)
class CardField:
    """A row; `text` is None where the value is kept from this audience."""

    id: str
    label: str
    text: str | None


@dataclass(frozen=True, slots=True)
class CardButton:
    """
    A button. `token` is an opaque id of a row in the database, which says what it does;
    nothing that is sent back by a client is believed beyond that.
    """

    act: str
    label: str
    token: str
    look: Look = Look.PLAIN
    needs: Needs = Needs.NOTHING
    confirm: str = ""


@dataclass(frozen=True, slots=True)
class RecordCard:
    """
    What one audience may see of a record.

    `hidden` counts fields that are kept from the audience, rows that are left out
    included. `as_of_us` is in microseconds UTC, and so is `changed_us`, where the
    revision is a time; `rev` is as the vendor writes it. `reason` says why a card that is not
    live shows nothing. `viewer` says that it is for one person alone. `short` is the
    line for notifications, made of what the audience may see.
    """

    card_id: str
    ref: RecordRef
    source: str
    what: str
    title: str
    standing: Standing
    as_of_us: int
    rev: str = ""
    changed_us: int | None = None
    key: str = ""
    url: str = ""
    status: Status | None = None
    fields: tuple[CardField, ...] = ()
    body: str = ""
    buttons: tuple[CardButton, ...] = ()
    hidden: int = 0
    reason: str = ""
    viewer: bool = False
    note: str = ""

    @property
    def short(self) -> str:
        """One line for notifications and for programs that read cards aloud."""
        then = self.status.text if self.status else self.reason
        return " – ".join(part for part in (self.name, then) if part)

    @property
    def name(self) -> str:
        """The record as people name it: its number and its title."""
        return " · ".join(part for part in (self.key, self.title) if part)
