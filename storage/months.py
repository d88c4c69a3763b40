"""
Which months a question is about.

PostgreSQL plans a query anew for every partition that may have an answer, and planning
takes longer than reading a few rows. Whoever tells it since when there can be any has
it look at two or three months, however many there are.
"""

import re
import time

_DAY_US = 86_400_000_000
# Slack's `ts` has seconds, and Teams' ids are milliseconds, since 1970.
_SLACK = re.compile(r"\d{10}\.\d{6}")
_TEAMS = re.compile(r"\d{13}")
# A company whose clock is further off hears from neither platform: their signatures
# and tokens hold for minutes.
_OFF_US = 2 * _DAY_US


def since_us(message: str) -> int:
    """
    Return a time before which nothing was captured about a message, 0 if unknown.

    An id of times to come says nothing.
    """
    said = _said_us(message)
    return max(0, said - _OFF_US) if said <= time.time_ns() // 1000 else 0


def _said_us(message: str) -> int:
    if _SLACK.fullmatch(message):
        return int(message.replace(".", ""))
    if _TEAMS.fullmatch(message):
        return int(message) * 1000
    return 0
