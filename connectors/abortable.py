"""
HTTP connections that another thread can end, and answers of limited size.

A thread that waits for a socket cannot be stopped, and every byte that trickles in
starts the socket's timeout anew. What ends such a wait is the end of its connection.
"""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Self

from requests import Response
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

_CHUNK = 65_536
_HERE = threading.local()


class TooLarge(Exception):
    """An answer is larger than anything that was asked for."""


class TooLate(Exception):
    """The deadline passed, or nobody waits for the answer any more."""


class Thread:
    """
    What one thread does on the wire until a moment, by the monotonic clock.

    Used as a context manager in the thread; `abort` is for everybody else.
    """

    def __init__(self, until: float) -> None:
        self.until = until
        self._connection: HTTPConnection | None = None
        self._over = threading.Event()

    def __enter__(self) -> Self:
        _HERE.thread = self
        return self

    def __exit__(self, *_error: object) -> None:
        _HERE.thread = None

    def left(self) -> float:
        """Return the seconds until the deadline. Raises `TooLate`."""
        seconds = self.until - time.monotonic()
        if seconds <= 0 or self._over.is_set():
            raise TooLate
        return seconds

    def abort(self) -> None:
        """End whatever the thread waits for."""
        self._over.set()
        if self._connection is not None and (line := self._connection.sock):
            # `SSLSocket.shutdown` would pull the TLS state from under a reading thread.
            with suppress(OSError):
                socket.socket.shutdown(line, socket.SHUT_RDWR)

    def uses(self, connection: HTTPConnection | None) -> None:
        self._connection = connection


def _uses(connection: HTTPConnection) -> None:
    thread: Thread | None = getattr(_HERE, "thread", None)
    if thread is not None:
        thread.uses(connection)
        thread.left()


class _Plain(HTTPConnection):
    def connect(self) -> None:
        super().connect()
        _uses(self)

    def request(self, *args: Any, **kwargs: Any) -> None:
        _uses(self)
        super().request(*args, **kwargs)


class _Secure(HTTPSConnection):
    def connect(self) -> None:
        super().connect()
        _uses(self)

    def request(self, *args: Any, **kwargs: Any) -> None:
        _uses(self)
        super().request(*args, **kwargs)


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _Secure


class Adapter(HTTPAdapter):
    """A pool of such connections, for several threads at once. It never retries."""

    def __init__(self, connections: int) -> None:
        super().__init__(pool_connections=1, pool_maxsize=connections, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {
            "http": _PlainPool,
            "https": _SecurePool,
        }


class _Bounded:
    """An answer's body, read only so far and only so long."""

    def __init__(self, raw: Any, thread: Thread, longest: int) -> None:
        self._raw = raw
        self._thread = thread
        self._longest = longest

    def stream(self, *_args: object, **_kwargs: object) -> Iterator[bytes]:
        taken = 0
        while piece := self._raw.read1(_CHUNK, decode_content=True):
            taken += len(piece)
            if taken > self._longest:
                raise TooLarge
            self._thread.left()
            yield piece

    def close(self) -> None:
        self._raw.close()

    def release_conn(self) -> None:
        self._raw.release_conn()


def read_within(answer: Response, thread: Thread, longest: int) -> None:
    """Read an answer's body. Raises `TooLarge` and `TooLate`, and hangs up then."""
    answer.raw = _Bounded(answer.raw, thread, longest)
    try:
        len(answer.content)
    except (TooLarge, TooLate):
        answer.close()
        raise
