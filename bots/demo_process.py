"""
ATOM as a child of the demo, running soon after it is asked for.

A fork server imports ATOM once, beside whatever the demo does meanwhile, and each ATOM
is forked from it: a process of its own, which SIGKILL ends at once.
"""

import asyncio
import gc
import multiprocessing
import os
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing import forkserver
from multiprocessing.context import ForkServerProcess
from pathlib import Path

_STOP_WITHIN = 10.0  # seconds
_CONTEXT = multiprocessing.get_context("forkserver")


def prepare() -> None:
    """Begin to import ATOM in a process of its own. Returns at once."""
    _CONTEXT.set_forkserver_preload(["bots.demo_ahead"])
    forkserver.ensure_running()


@dataclass(frozen=True, slots=True)
class AtomProcess:
    """One running `atom serve`."""

    process: ForkServerProcess

    @classmethod
    def start(cls, environment: Mapping[str, str], log: Path) -> "AtomProcess":
        """
        Start ATOM with these environment variables, and no others.

        What it logs goes to a file; the terminal shows only what is wrong.
        """
        # No daemon: ATOM has helpers of its own.
        process = _CONTEXT.Process(target=_serve, args=(dict(environment), log))
        process.start()
        return cls(process)

    @property
    def code(self) -> int | None:
        """The exit code, negative for a signal; None as long as it runs."""
        return self.process.exitcode

    async def wait(self) -> None:
        loop, ended = asyncio.get_running_loop(), asyncio.Event()
        loop.add_reader(self.process.sentinel, ended.set)
        try:
            await ended.wait()
        finally:
            loop.remove_reader(self.process.sentinel)
        self.process.join()

    def kill(self) -> None:
        """End it at once, wherever it is."""
        self.process.kill()

    async def stop(self) -> None:
        """Let it see through what it began; end it if that takes too long."""
        self.process.terminate()
        try:
            async with asyncio.timeout(_STOP_WITHIN):
                await self.wait()
        except TimeoutError:
            self.process.kill()
            await self.wait()


def _serve(environment: Mapping[str, str], log: Path) -> None:
    gc.enable()
    os.environ.clear()
    os.environ.update(environment)
    from bots.cli import main

    main(["serve"], log)
