"""
ATOM on a host whose clock is ahead.

It is set before anything that looks at it is imported, so nothing has kept the right one.
"""

import time
from collections.abc import Callable
from importlib import import_module
from typing import Any

_NANO = 1_000_000_000


def run_ahead(seconds: float, *arguments: Any) -> None:
    """Run ATOM as `tests.e2e.process` does, by a clock that is that much ahead."""
    of, ns_of = time.time, time.time_ns
    time.time = lambda: of() + seconds
    time.time_ns = lambda: ns_of() + round(seconds * _NANO)
    run: Callable[..., None] = import_module("tests.e2e.process").run
    run(*arguments)
