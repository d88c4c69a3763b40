"""
What ATOM writes to its log: constant phrases with fields, one JSON object a line.

An exception is logged as its type and the places it passed, never with its text or
with variables: they may hold what somebody said.
"""

import json
import logging
import sys
import traceback
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

_NEWS = {"debug", "info"}


def configure_logging(*, human: bool, file: Path | None = None) -> None:
    """
    Set up logging for the process: readable for people, or JSON for machines.

    With a file, all of it goes there as JSON, and only what is wrong is shown as well.
    """
    libraries = logging.StreamHandler(sys.stderr)
    libraries.setFormatter(OfLibraries())
    logging.basicConfig(handlers=[libraries], level=logging.WARNING)
    render: Any = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
        if human
        else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            where_it_broke,
            *([_written_to(file)] if file else ()),
            render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


class OfLibraries(logging.Formatter):
    """
    Writes what libraries log.

    Where something broke, their words and the error's own go: both may quote what was
    being handled.
    """

    def format(self, record: logging.LogRecord) -> str:
        error = record.exc_info[1] if record.exc_info else None
        if error is None:
            return record.getMessage()
        told = {"event": "a library failed", "library": record.name}
        level = {"level": record.levelname.lower()}
        return json.dumps(told | where(error) | level)


def _written_to(file: Path) -> Processor:
    as_json = structlog.processors.JSONRenderer()

    def written(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
        line = as_json(logger, method, dict(event))
        # A full disk must not break what is logged about.
        with suppress(OSError), file.open("a", encoding="utf-8") as log:
            log.write(f"{line!s}\n")
        if event["level"] in _NEWS:
            raise structlog.DropEvent
        return event

    return written


def where_it_broke(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Replace an exception by its type and its path through the code."""
    given = event.pop("exc_info", None)
    if not given:
        return event
    error = given if isinstance(given, BaseException) else sys.exc_info()[1]
    if isinstance(given, tuple):
        error = given[1]
    if error is not None:
        event["error"] = type(error).__name__
        event["path"] = _path(error.__traceback__)
    return event


def where(error: BaseException) -> dict[str, str]:
    """Return the fields that say what broke and on which line, and nothing it said."""
    path = _path(error.__traceback__)
    return {"error": type(error).__name__, "at": path[-1] if path else ""}


def _path(of: TracebackType | None) -> list[str]:
    return [
        f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno} {frame.name}"
        for frame in traceback.extract_tb(of)[-8:]
    ]
