"""When Teams does not take a post because of where it goes, not of what it says."""

from collections.abc import Iterator
from contextlib import contextmanager

from bots.teams.connector import Forbidden, Gone
from bridge.errors import Refused
from bridge.holds import Cause


@contextmanager
def channel_closed(thread: str = "") -> Iterator[None]:
    """
    Raise refusals that are about the channel as such.

    In a thread it may be the root that is gone; in none it is the channel. Archived
    teams and channels refuse posts without saying why.
    """
    try:
        yield
    except Forbidden as refused:
        raise Refused(str(refused), Cause.CLOSED) from refused
    except Gone as gone:
        if thread:
            raise
        raise Refused(str(gone), Cause.DELETED) from gone
