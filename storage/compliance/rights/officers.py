"""How an officer is named, so that two names never mean one person by accident."""

import re

from bridge.compliance import Duty, Officer
from bridge.errors import BadInput

_NAME = re.compile(
    r"(?:slack|teams):[^/\s:]+/[^/\s]+|(?:cli|console):[^/\s:]+", re.ASCII
)
_LONGEST = 200


def officer_named(name: str) -> Officer:
    """Return the officer that is meant, or raise `BadInput` saying how to write one."""
    if not _NAME.fullmatch(name) or not name.isascii() or len(name) > _LONGEST:
        raise BadInput(
            f"'{name}' is no officer: write slack:TEAM_ID/USER_ID, "
            "teams:TENANT_ID/USER_ID or cli:LOGIN"
        )
    return Officer(name)


def duty_named(word: str) -> Duty:
    """Return the duty that is meant, with or without `compliance.` before it."""
    plain = word.lower().removeprefix("compliance.")
    for duty in Duty:
        if duty.removeprefix("compliance.") == plain:
            return duty
    known = ", ".join(duty.removeprefix("compliance.") for duty in Duty)
    raise BadInput(f"'{word}' is no duty; there are {known}.")


def short(duty: Duty) -> str:
    """Return a duty as people type it."""
    return duty.removeprefix("compliance.")
