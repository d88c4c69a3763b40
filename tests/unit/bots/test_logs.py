"""Nothing that anybody said is in the log, whoever wrote the line."""

import json
import logging

from bots.logs import OfLibraries, where

SECRET = "quarterly-secret"


def broken() -> ValueError:
    try:
        int(SECRET)
    except ValueError as error:
        return error
    raise AssertionError


def test_a_library_that_failed_is_told_without_its_words() -> None:
    error = broken()
    record = logging.LogRecord(
        "slack_bolt",
        logging.ERROR,
        __file__,
        1,
        f"Failed to run a listener function (error: {error})",
        None,
        (type(error), error, error.__traceback__),
    )

    line = OfLibraries().format(record)

    assert SECRET not in line
    told = json.loads(line)
    assert (told["library"], told["error"]) == ("slack_bolt", "ValueError")
    assert "broken" in told["at"]


def test_other_lines_of_libraries_stand_as_they_are() -> None:
    record = logging.LogRecord(
        "aiohttp", logging.WARNING, __file__, 1, "waited %d s", (3,), None
    )

    assert OfLibraries().format(record) == "waited 3 s"


def test_where_something_broke_is_told_and_not_what_it_said() -> None:
    told = where(broken())

    assert told["error"] == "ValueError"
    assert told["at"].startswith("test_logs.py:")
    assert SECRET not in str(told)
