"""
A line to Samba on which large attributes come in pieces, as Windows gives them.

Samba gives all values at once unless it is asked for a range; Windows gives 1,500. The
line asks for a range in the client's place, so that Samba itself does the rest. It
speaks TLS on both sides, with the controller's own certificate.
"""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from policy.directory.ldap import ber
from tests.samba import Samba

_SEARCH = 0x63
_MEMBERS = re.compile(r"member(?:;range=(\d+)-\*)?", re.IGNORECASE)


@dataclass
class RangeLine:
    """
    `most` values of `member` come at once; `before_more` runs before further ones.

    After `cut_after` bytes of the controller's the line breaks.
    """

    server: Samba
    most: int = 1500
    port: int = 0
    pieces: int = 0
    before_more: Callable[[], None] | None = None
    cut_after: int | None = None
    passed: int = 0
    _serving: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"ldaps://{self.server.address}:{self.port}"

    async def serve(
        self, near: asyncio.StreamReader, out: asyncio.StreamWriter
    ) -> None:
        if task := asyncio.current_task():
            self._serving.add(task)
        trusted = ssl.create_default_context(cafile=str(self.server.authority))
        far, onward = await asyncio.open_connection(
            self.server.address, 636, ssl=trusted
        )
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._asked(near, onward))
                both.create_task(self._answered(far, out))
        finally:
            for writer in (out, onward):
                writer.close()
                with suppress(ConnectionError, ssl.SSLError):
                    await writer.wait_closed()

    async def ended(self) -> None:
        """Wait until everybody who was on the line has left."""
        if self._serving:
            await asyncio.wait(self._serving, timeout=10)

    async def _asked(
        self, near: asyncio.StreamReader, onward: asyncio.StreamWriter
    ) -> None:
        buffer = b""
        while data := await near.read(65_536):
            buffer += data
            while (size := ber.size(buffer)) is not None and len(buffer) >= size:
                onward.write(await self._in_ranges(buffer[:size]))
                buffer = buffer[size:]
        onward.close()

    async def _answered(
        self, far: asyncio.StreamReader, out: asyncio.StreamWriter
    ) -> None:
        with suppress(ConnectionError, ssl.SSLError):
            while data := await far.read(16_384):
                self.passed += len(data)
                if self.cut_after is not None and self.passed > self.cut_after:
                    break
                out.write(data)
                await out.drain()
            out.close()

    async def _in_ranges(self, message: bytes) -> bytes:
        """Write a search for members anew, as one for a range of them (RFC 4511)."""
        start, stop = ber.inside(message, ber.SEQUENCE)
        number, operation, *controls = _parts(message[start:stop])
        if operation[0] != _SEARCH or b"member" not in operation[1].lower():
            return message
        *search, (tag, attributes) = _parts(operation[1])
        names = [(kind, await self._ranged(name)) for kind, name in _parts(attributes)]
        asked = _written([*search, (tag, _written(names))])
        whole = _written([number, (_SEARCH, asked), *controls])
        return ber.value(ber.SEQUENCE, whole)

    async def _ranged(self, name: bytes) -> bytes:
        found = _MEMBERS.fullmatch(name.decode())
        return (await self._piece(int(found[1] or 0))).encode() if found else name

    async def _piece(self, first: int) -> str:
        self.pieces += 1
        if first and self.before_more:
            await asyncio.to_thread(self.before_more)
        return f"member;range={first}-{first + self.most - 1}"


def _parts(data: bytes) -> list[tuple[int, bytes]]:
    return [(tag, data[start:stop]) for tag, start, stop in ber.parts(data)]


def _written(parts: Iterable[tuple[int, bytes]]) -> bytes:
    return b"".join(ber.value(tag, body) for tag, body in parts)


@asynccontextmanager
async def range_line(server: Samba, most: int = 1500) -> AsyncIterator[RangeLine]:
    """Lend a line to a controller."""
    line = RangeLine(server, most)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certs = server.folder / "certs"
    context.load_cert_chain(certs / "server.pem", certs / "server.key")
    listener = await asyncio.start_server(line.serve, server.address, 0, ssl=context)
    line.port = listener.sockets[0].getsockname()[1]
    try:
        yield line
    finally:
        listener.close()
        await line.ended()
