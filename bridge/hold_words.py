"""Holds as people write them, and as they are shown."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from bridge.errors import BadInput
from bridge.legal_holds import HoldScope, LegalHold, Matter
from bridge.retention_words import day


def moment(text: str) -> int:
    """Read a date, or a date with a time, as microseconds UTC. Raises `BadInput`."""
    try:
        read = datetime.fromisoformat(text)
        zoned = read if read.tzinfo else read.replace(tzinfo=UTC)
        return int(zoned.timestamp()) * 1_000_000
    except (ValueError, OverflowError, OSError) as error:
        raise BadInput(
            f"'{text[:40]}' is no date: write 2030-01-31 or 2030-01-31T08:00+01:00"
        ) from error


def scope_of(words: Sequence[str], here: str) -> HoldScope:
    """
    Read `from:PERSON`, `in:CHANNEL`, `after:DATE`, `before:DATE` and plain words.

    `in:here` is the channel `here`. The plain words are what a search would look for.
    Raises `BadInput` for what cannot be read, or would hold everything.
    """
    people, channels, query = set(), set(), []
    bounds = {"after": 0, "before": 0}
    for word in words:
        name, colon, value = word.partition(":")
        match name.lower() if colon else "":
            case "from":
                people.add(value)
            case "in":
                channels.add(here if value == "here" else value)
            case "after" | "before":
                bounds[name.lower()] = moment(value)
            case _:
                query.append(word)
    scope = HoldScope(
        frozenset(people),
        frozenset(channels),
        " ".join(query),
        bounds["after"],
        bounds["before"],
    )
    if scope == HoldScope():
        raise BadInput(
            "say what to hold: from:PERSON, in:CHANNEL, after:DATE, before:DATE or words"
        )
    return scope.checked()


def standing(matter: Matter, now_us: int) -> str:
    """Say whether a hold holds."""
    if not matter.released_us:
        return "holds"
    if matter.holds(now_us):
        return f"released, holds until {day(matter.until_us)}"
    return f"released, ended {day(matter.until_us)}"


def scope_shown(scope: HoldScope) -> str:
    """Say in a line what a scope keeps."""
    said = [f"from:{person}" for person in sorted(scope.people)]
    said += [f"in:{channel}" for channel in sorted(scope.channels)]
    if scope.from_us:
        said.append(f"from {day(scope.from_us)}")
    if scope.to_us:
        said.append(f"before {day(scope.to_us)}")
    if scope.query:
        said.append(f"what {scope.query} finds")
    return ", ".join(said) or "everything"


def hold_data(hold: LegalHold, now_us: int) -> Mapping[str, object]:
    """Return a hold for programs."""
    matter = hold.matter
    return {
        "hold": matter.id,
        "name": matter.name,
        "state": standing(matter, now_us),
        "created_by": matter.created_by,
        "created_us": matter.created_us,
        "released_by": matter.released_by,
        "released_us": matter.released_us,
        "until_us": matter.until_us,
        "scopes": [
            {
                "people": sorted(scope.people),
                "channels": sorted(scope.channels),
                "query": scope.query,
                "from_us": scope.from_us,
                "to_us": scope.to_us,
            }
            for scope in hold.scopes
        ],
    }
