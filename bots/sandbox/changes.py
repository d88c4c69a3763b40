"""What changes in the sandbox, as it happens, for whoever watches."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

BACKLOG = 10_000  # changes that a slow watcher may be behind


class Changes:
    """A feed of state changes. A watcher that falls too far behind misses some."""

    def __init__(self) -> None:
        self._watchers: set[asyncio.Queue[Mapping[str, Any]]] = set()

    def publish(self, change: Mapping[str, Any]) -> None:
        """Tell every watcher; never waits."""
        for watcher in self._watchers:
            if watcher.full():
                watcher.get_nowait()
            watcher.put_nowait(change)

    @contextmanager
    def subscribe(self) -> Iterator[asyncio.Queue[Mapping[str, Any]]]:
        """Give a queue of what changes from now on, until the block is left."""
        queue: asyncio.Queue[Mapping[str, Any]] = asyncio.Queue(BACKLOG)
        self._watchers.add(queue)
        try:
            yield queue
        finally:
            self._watchers.discard(queue)
