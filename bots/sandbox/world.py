"""The whole sandbox: both platforms, and the switches that tests turn."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from bots.sandbox.changes import Changes
from bots.sandbox.company import Company
from bots.sandbox.faults import Faults
from bots.sandbox.http import Tasks
from bots.sandbox.journal import Journal
from bots.sandbox.settings import Settings
from bots.sandbox.slack.state import SlackState
from bots.sandbox.teams.state import TeamsState


class World:
    """
    Everything that one sandbox server holds.

    `base_url` is where the server was last reached; addresses that it gives out
    (uploads, sockets, service URLs) start with it. `undelivered` counts the events
    that are on their way to ATOM, repetitions included.
    """

    def __init__(self) -> None:
        self.settings = Settings()
        self.faults = Faults()
        self.journal = Journal()
        self.changes = Changes()
        self.tasks = Tasks()
        self.base_url = ""
        # Ends the ATOM that the page shows, without warning, if somebody can.
        self.kill_atom: Callable[[], bool] | None = None
        # The people and groups that the page shows, if somebody keeps any.
        self.company: Company | None = None
        self.undelivered = 0
        self.slack = SlackState(self.settings, self.changes)
        self.teams = TeamsState(self.settings, self.changes)

    @contextmanager
    def delivering(self) -> Iterator[None]:
        """Count an event as being on its way, until the block is left."""
        self.undelivered += 1
        try:
            yield
        finally:
            self.undelivered -= 1

    def reset(self) -> None:
        """Go back to the seed. Settings stay: they say where ATOM is."""
        self.faults.clear()
        self.journal.clear()
        self.slack.reset()
        self.teams.reset()
        self.changes.publish({"side": "all", "kind": "reset"})
