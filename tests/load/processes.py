"""Processes that a benchmark starts, and that end with it."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO
from urllib.error import URLError
from urllib.request import Request, urlopen

import orjson

from tests.load.generator import Plan, Samples
from tests.servers import free_port

_ROOT = Path(__file__).parents[2]
_STARTS_WITHIN = 60.0
_ENDS_WITHIN = 15.0
_ANSWERS_WITHIN = 10.0


@dataclass(frozen=True, slots=True)
class Server:
    """A server that is measured: where it listens, and its process."""

    port: int
    pid: int


@contextmanager
def served(module: str, *arguments: str) -> Iterator[Server]:
    """Run `python -m module arguments PORT` until it is ready."""
    port = free_port()
    with running(["-m", module, *arguments, str(port)], port) as server:
        yield server


@contextmanager
def running(
    command: Sequence[str], port: int, environment: Mapping[str, str] | None = None
) -> Iterator[Server]:
    """Run Python with these arguments, from when it is ready to when it has ended."""
    with TemporaryFile() as words:
        process = subprocess.Popen(
            [*_dying_with_us(), sys.executable, *command],
            cwd=_ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=words,
            stderr=words,
        )
        try:
            _wait_until_ready(process, port, words)
            yield Server(port, process.pid)
        finally:
            _end(process)


def alone(module: str, asked: Mapping[str, str]) -> dict[str, float]:
    """Let `module --one ASKED` measure in a process of its own; returns its figures."""
    done = subprocess.run(
        [*_dying_with_us(), sys.executable, "-m", module, "--one", json.dumps(asked)],
        cwd=_ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


class NotStarted(RuntimeError):
    """A server that was to be measured does not serve."""


def fired(plan: Plan) -> Samples:
    """Let a load generator of its own carry out the plan."""
    patience = plan.seconds * 3 + 60
    # In a file: through a pipe, long answers were cut off now and then.
    with tempfile.NamedTemporaryFile() as answer:
        subprocess.run(
            [*_dying_with_us(), sys.executable, "-m", "tests.load.generator"],
            cwd=_ROOT,
            input=orjson.dumps(plan),
            stdout=answer,
            timeout=patience,
            check=True,
        )
        return Samples.read(Path(answer.name).read_bytes())


def asked(url: str, *, post: bool = False) -> bytes:
    """Return what a server of ours answers."""
    request = Request(url, data=b"" if post else None)
    with urlopen(request, timeout=_ANSWERS_WITHIN) as answer:
        found: bytes = answer.read()
        return found


def _wait_until_ready(
    process: subprocess.Popen[bytes], port: int, words: IO[bytes]
) -> None:
    deadline = time.monotonic() + _STARTS_WITHIN
    while not _is_ready(port):
        if process.poll() is not None or time.monotonic() > deadline:
            words.seek(0)
            last = words.read()[-2000:].decode(errors="replace")
            raise NotStarted(f"not ready in {_STARTS_WITHIN:.0f} s:\n{last}")
        time.sleep(0.05)


def _is_ready(port: int) -> bool:
    try:
        asked(f"http://127.0.0.1:{port}/readyz")
    except (URLError, HTTPException, OSError):
        return False
    return True


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_ENDS_WITHIN)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _dying_with_us() -> list[str]:
    """Ask the kernel to end the process when the benchmark is no more."""
    setpriv = shutil.which("setpriv") if os.name == "posix" else None
    return [setpriv, "--pdeathsig", "KILL", "--"] if setpriv else []
