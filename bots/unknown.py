"""Notice what ATOM has no word for: platforms add kinds of events all the time."""

import re

import structlog

from bots.metrics import UNKNOWN

log = structlog.get_logger()

_NAME = re.compile(r"[\w./-]{1,64}", re.ASCII)
_MOST = 100  # names that are told; whoever sends more makes them up

_told: set[tuple[str, str]] = set()


def note_unknown(platform: str, kind: str) -> None:
    """Count an event of an unknown kind, if it has one; the first is a line as well."""
    if not kind:
        return
    UNKNOWN.labels(platform).inc()
    name = kind if _NAME.fullmatch(kind) else "?"
    if (platform, name) in _told or len(_told) >= _MOST:
        return
    _told.add((platform, name))
    log.info("unknown kind of event, kept", platform=platform, kind=name)
