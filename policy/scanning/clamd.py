"""
Have files looked at by clamd, the daemon of ClamAV.

The protocol is that of its manual page, clamd(8): `zINSTREAM`, then chunks of a length
in four bytes, network order, and so many bytes; a length of zero ends them. The library
that speaks it with asyncio knows no sockets of the Unix kind, which is what clamd
listens on by default.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TypeVar

from bridge.errors import BadInput, ServiceUnavailable
from bridge.files import Fate, StaysBehind

_LONGEST_ANSWER = 4096
_FOUND = re.compile(r"stream: (?P<name>.+) FOUND")
_SILENT = "the virus scanner does not answer"
_CLEAN = "stream: OK"
_TOO_LARGE = "INSTREAM size limit exceeded"

_T = TypeVar("_T")
_Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True, slots=True)
class ClamdAddress:
    """Where clamd listens: at a path, or at a host's port."""

    path: str = ""
    host: str = ""
    port: int = 0

    @classmethod
    def parse(cls, text: str) -> "ClamdAddress":
        """Read `/path/to/socket` or `host:port`. Raises `BadInput`."""
        if text.startswith("/"):
            return cls(path=text)
        host, _, port = text.rpartition(":")
        if not (host and port.isascii() and port.isdigit() and 0 < int(port) < 1 << 16):
            raise BadInput(f"'{text}' is no address of clamd: /PATH or HOST:PORT")
        return cls(host=host.strip("[]"), port=int(port))


@dataclass(frozen=True, slots=True)
class Clamd:
    """
    Implements `bridge.file_ports.Scanner`. `patience` is seconds for each step.

    The last step, looking at all that was sent, may take ten times as long.
    """

    address: ClamdAddress
    patience: float = 30.0

    async def scan(self, chunks: AsyncIterator[bytes]) -> str:
        async with self._connected() as (reader, writer):
            # Listened to from the start: clamd says at once what is too large for it,
            # and hangs up.
            answer = asyncio.ensure_future(_answer(reader))
            try:
                await self._send(writer, chunks, answer)
                return _virus(await _within(10 * self.patience, answer))
            finally:
                answer.cancel()

    async def _send(
        self,
        writer: asyncio.StreamWriter,
        chunks: AsyncIterator[bytes],
        answer: "asyncio.Future[str]",
    ) -> None:
        writer.write(b"zINSTREAM\0")
        with suppress(ConnectionError):
            async for chunk in chunks:
                # The socket is looked at first: what is written after clamd hung up
                # may lose the answer that it left.
                for _ in range(2):
                    await asyncio.sleep(0)
                if answer.done():
                    return
                writer.write(len(chunk).to_bytes(4, "big") + chunk)
                await self._drained(writer)
            writer.write(bytes(4))
            await self._drained(writer)

    async def _drained(self, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(self.patience):
                await writer.drain()
        except TimeoutError as error:
            raise ServiceUnavailable(_SILENT) from error

    async def version(self) -> str:
        """Return which clamd answers, and how old its signatures are."""
        async with self._connected() as (reader, writer):
            writer.write(b"zVERSION\0")
            return await _within(self.patience, _answer(reader))

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[_Streams]:
        reader, writer = await _within(self.patience, self._open())
        try:
            yield reader, writer
        finally:
            # Without a farewell: the answer is there, or does not matter any more.
            writer.transport.abort()

    async def _open(self) -> _Streams:
        if self.address.path:
            return await asyncio.open_unix_connection(self.address.path)
        return await asyncio.open_connection(self.address.host, self.address.port)


async def _answer(reader: asyncio.StreamReader) -> str:
    answer = await reader.read(_LONGEST_ANSWER)
    return answer.rstrip(b"\0\n").decode("utf-8", "replace")


async def _within(seconds: float, step: Awaitable[_T]) -> _T:
    try:
        async with asyncio.timeout(seconds):
            return await step
    except (OSError, TimeoutError) as error:
        raise ServiceUnavailable(_SILENT) from error


def _virus(answer: str) -> str:
    """Return what was found. Whatever is no clear answer is none."""
    if answer == _CLEAN:
        return ""
    if found := _FOUND.fullmatch(answer):
        return found["name"]
    if answer.startswith(_TOO_LARGE):
        raise StaysBehind(Fate.UNSCANNED)
    raise ServiceUnavailable("the virus scanner gave no answer")
