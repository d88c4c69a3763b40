"""A process that serves: its jobs, its signals, and how it ends."""

import asyncio
import fcntl
import gc
import signal
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from typing import IO, Any

import structlog
from aiohttp import web

from bots.settings import Settings
from bots.workers import Worker
from bridge.errors import BadInput

log = structlog.get_logger()

_BACKLOG = 1024
_DRAIN = 20.0  # seconds that calls under way may take at a stop

Job = Callable[[], Coroutine[Any, Any, None]]


async def run_app(
    settings: Settings,
    app: web.Application,
    worker: Worker,
    background: Sequence[Job],
) -> None:
    """
    Serve until SIGTERM or SIGINT, and see through what was begun.

    Raises `BadInput` if it cannot listen where it is told to.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    runner = web.AppRunner(
        app, access_log=None, keepalive_timeout=80, shutdown_timeout=5
    )
    await runner.setup()
    try:
        site = web.TCPSite(
            runner, settings.host, settings.port, backlog=_BACKLOG, reuse_port=None
        )
        try:
            await site.start()
        except OSError as error:
            raise BadInput(
                f"cannot listen on {settings.host}:{settings.port}: choose another "
                "ATOM_HOST or ATOM_PORT"
            ) from error
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(_kept_up(job)) for job in background]
            log.info("serving", host=settings.host, port=settings.port)
            await stop.wait()
            log.info("stopping")
            await site.stop()
            await worker.drain(_DRAIN)
            for task in tasks:
                task.cancel()
    finally:
        await runner.cleanup()


async def _kept_up(job: Job) -> None:
    """The outermost frame of a background job: it is begun again if it breaks."""
    while True:
        try:
            await job()
        except Exception:
            log.exception("background job broke and is begun again")
            await asyncio.sleep(1)
        else:
            return


def spare_the_collector() -> None:
    """
    Let Python's garbage collector look at what is young, and seldom.

    What was imported lives as long as the process, and going through it took a fifth
    of the time that capturing takes. What messages leave behind goes by itself, but for few cycles.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


@contextmanager
def alone(settings: Settings) -> Iterator[IO[str]]:
    """Hold the home folder's lock: SQLite belongs to one serving process."""
    settings.home.mkdir(parents=True, exist_ok=True)
    with (settings.home / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise BadInput(
                f"another ATOM serves from {settings.home}: stop it, or set ATOM_HOME"
            ) from error
        yield lock
