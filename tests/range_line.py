"""
A line to Samba on which large attributes come in pieces, as Windows gives them.

Samba gives all values at once unless it is asked for a range; Windows gives 1,500. The
line asks for a range in the client's place, so that Samba itself does the rest. It
speaks TLS on both sides, with the controller's own certificate.
"""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from ldap3.protocol.rfc4511 import LDAPMessage
from ldap3.utils.asn1 import decoder, encode

from policy.directory.ldap import ber
from tests.samba import Samba

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
        if b"member" not in message:
            return message
        told, _ = decoder.decode(message, asn1Spec=LDAPMessage())
        operation = told["protocolOp"].getComponent()
        if told["protocolOp"].getName() != "searchRequest":
            return message
        asked = operation["attributes"]
        for at, name in enumerate(list(asked)):
            if found := _MEMBERS.fullmatch(str(name)):
                asked[at] = await self._piece(int(found[1] or 0))
        written: bytes = encode(told)
        return written

    async def _piece(self, first: int) -> str:
        self.pieces += 1
        if first and self.before_more:
            await asyncio.to_thread(self.before_more)
        return f"member;range={first}-{first + self.most - 1}"


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
