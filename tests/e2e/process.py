"""
ATOM as a process that is quick to start.

A fork server imports ATOM once; each process is forked from it, and is as much a
process of its own as any: it has its own environment, and SIGKILL ends it at once.
"""

import asyncio
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil
import uvloop

from bots.app import serve
from bots.cli import main
from bots.logs import configure_logging
from bots.settings_sources import read_settings
from tests.e2e.ahead import run_ahead

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.e2e.forked"])


@dataclass
class AtomProcess:
    """One running ATOM; what it writes to stderr is in `log`."""

    process: BaseProcess
    log: Path

    @classmethod
    def start(
        cls,
        environment: Mapping[str, str],
        log: Path,
        step: str = "",
        times: int = 1,
        blow: signal.Signals = signal.SIGKILL,
        *,
        ahead: float = 0.0,
    ) -> "AtomProcess":
        """
        Start ATOM; with a step, the blow hits it when it passes it the nth time.

        Its host's clock is `ahead` by so many seconds.
        """
        arguments = (dict(environment), str(log), step, times, blow)
        process: BaseProcess
        if ahead:
            process = multiprocessing.get_context("spawn").Process(
                target=run_ahead, args=(ahead, *arguments), daemon=True
            )
        else:
            process = _CONTEXT.Process(target=run, args=arguments, daemon=True)
        process.start()
        return cls(process, log)

    @property
    def ended(self) -> bool:
        return self.process.exitcode is not None

    async def wait(self) -> int:
        """Wait for the end; returns the exit code, negative for a signal."""
        while self.process.exitcode is None:
            await asyncio.sleep(0.02)
        return self.process.exitcode

    def terminate(self) -> None:
        self.process.terminate()

    def kill(self) -> None:
        self.process.kill()

    async def frozen(self) -> None:
        """Wait until the process stands still."""
        while psutil.Process(self.process.pid).status() != psutil.STATUS_STOPPED:
            await asyncio.sleep(0.02)

    def go_on(self) -> None:
        """Let a frozen process go on, as if nothing had happened."""
        os.kill(self.process.pid or 0, signal.SIGCONT)


@dataclass(frozen=True)
class Ended:
    """How a command line ended."""

    code: int
    stdout: str
    stderr: str


async def ran(
    environment: Mapping[str, str], arguments: Sequence[str], folder: Path
) -> Ended:
    """Run an `atom` command to its end, within a minute. What it prints is kept."""
    out, err = (folder / f"{uuid4().hex}.{end}" for end in ("out", "err"))
    given = (dict(environment), [*arguments], str(out), str(err))
    process = _CONTEXT.Process(target=_command, args=given, daemon=True)
    process.start()
    try:
        async with asyncio.timeout(60):
            while process.exitcode is None:
                await asyncio.sleep(0.02)
    finally:
        process.kill()
    return Ended(process.exitcode, out.read_text(), err.read_text())


def forked(
    work: Callable[..., Coroutine[Any, Any, None]], *arguments: object
) -> int | None:
    """Let a new process do some work, within a minute; returns its exit code."""
    process = _CONTEXT.Process(target=_worked, args=(work, arguments), daemon=True)
    process.start()
    process.join(60)
    process.kill()
    return process.exitcode


def _worked(
    work: Callable[..., Coroutine[Any, Any, None]], arguments: Sequence[object]
) -> None:
    asyncio.run(work(*arguments))


def _command(
    environment: dict[str, str], arguments: list[str], out: str, err: str
) -> None:
    os.environ.clear()
    os.environ.update(environment)
    for number, path in ((1, out), (2, err)):
        with Path(path).open("ab", buffering=0) as stream:
            os.dup2(stream.fileno(), number)
    main(arguments)


def run(
    environment: dict[str, str], log: str, step: str, times: int, blow: signal.Signals
) -> None:
    """Be ATOM."""
    os.environ.clear()
    os.environ.update(environment)
    with Path(log).open("ab", buffering=0) as stream:
        os.dup2(stream.fileno(), 2)
    left = times

    def trace(passed: str) -> None:
        nonlocal left
        left -= passed == step
        if passed == step and left == 0:
            # Nothing gets a chance to be tidied up, as in a power cut or a freeze.
            os.kill(os.getpid(), blow)

    configure_logging(human=False)
    try:
        uvloop.run(serve(read_settings(), trace))
    except Exception as error:  # noqa: BLE001 - the process's outermost frame
        sys.stderr.write(f"ATOM ended: {error}\n")
        sys.exit(1)
