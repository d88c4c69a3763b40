"""What changes in the sandbox, as it happens, for whoever watches."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

Change = Mapping[str, Any]

BACKLOG = 10_000  # changes that a slow watcher may be behind


class Changes:
    """A feed of state changes. A watcher that falls too far behind misses some."""

    def __init__(self) -> None:
        self._watchers: set[asyncio.Queue[Change | None]] = set()

    def publish(self, change: Change | None) -> None:
        """Tell every watcher; never waits. None says that no more will come."""
        for watcher in self._watchers:
            if watcher.full():
                watcher.get_nowait()
            watcher.put_nowait(change)

    @contextmanager
    def subscribe(self) -> Iterator[asyncio.Queue[Change | None]]:
        """Give a queue of what changes from now on, until the block is left."""
        queue: asyncio.Queue[Change | None] = asyncio.Queue(BACKLOG)
        self._watchers.add(queue)
        try:
            yield queue
        finally:
            self._watchers.discard(queue)
