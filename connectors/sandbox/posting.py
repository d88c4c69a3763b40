"""Tell somebody of something by POST, as systems do: again if need be, late, or twice."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from aiohttp import ClientError, ClientSession, ClientTimeout

from connectors.sandbox.faults import Faults

_PATIENCE = ClientTimeout(total=10)
_PAUSE = 0.05  # seconds; a real system waits minutes

Headers = Callable[[int], Mapping[str, str]]


@dataclass(slots=True)
class Poster:
    """
    Posts, in the background. What is posted may be told twice, never, or after the
    next one, by faults on `EVENT <topic>`.
    """

    faults: Faults
    tries: int = 3
    _held: list[tuple[str, bytes, Headers]] = field(default_factory=list)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def tell(self, topic: str, url: str, body: bytes, headers: Headers) -> None:
        """Post a body; `headers` are made anew for each try, counted from 0."""
        one = (url, body, headers)
        fault = self.faults.take(f"EVENT {topic}")
        kind = fault.kind if fault else ""
        if kind == "drop_event":
            return
        if kind == "reorder":
            self._held.append(one)
            return
        batch = [one, one] if kind == "dup_event" else [one]
        task = asyncio.create_task(self._posted([*batch, *self._held]))
        self._held.clear()
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def idle(self) -> None:
        """Wait until everything was told, or given up."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _posted(self, batch: list[tuple[str, bytes, Headers]]) -> None:
        async with ClientSession(timeout=_PATIENCE) as session:
            for url, body, headers in batch:
                for attempt in range(self.tries):
                    if await _took(session, url, body, headers(attempt)):
                        break
                    await asyncio.sleep(_PAUSE)


async def _took(
    session: ClientSession, url: str, body: bytes, headers: Mapping[str, str]
) -> bool:
    told = {"Content-Type": "application/json", **headers}
    try:
        async with session.post(url, data=body, headers=told) as given:
            return given.ok
    except (ClientError, OSError):
        return False
