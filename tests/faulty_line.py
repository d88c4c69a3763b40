"""A line to a server that can be cut, stalled and measured, on loopback."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field


@dataclass
class Line:
    """
    Everything that passes to and from a server's port.

    `cut_after` is how many bytes of the server's still pass before the line breaks.
    """

    server_port: int
    port: int = 0
    cut_after: int | None = None
    passed: int = 0  # bytes from the server
    refusing: bool = False
    _flowing: asyncio.Event = field(default_factory=asyncio.Event)
    _open: set[asyncio.StreamWriter] = field(default_factory=set)
    _serving: set[asyncio.Task[None]] = field(default_factory=set)

    def stall(self) -> None:
        """Let nothing pass any more, and tell nobody: a half-open connection."""
        self._flowing.clear()

    def flow(self) -> None:
        """Let everything pass, what was held up first."""
        self._flowing.set()

    def cut(self) -> None:
        """Reset every connection."""
        for writer in list(self._open):
            _reset(writer)

    async def serve(
        self, near: asyncio.StreamReader, out: asyncio.StreamWriter
    ) -> None:
        if task := asyncio.current_task():
            self._serving.add(task)
        if self.refusing:
            _reset(out)
            return
        far, onward = await asyncio.open_connection("127.0.0.1", self.server_port)
        self._open |= {out, onward}
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pump(near, onward, counted=False))
                both.create_task(self._pump(far, out, counted=True))
        finally:
            self._open -= {out, onward}
            for writer in (out, onward):
                writer.close()

    async def _pump(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, counted: bool
    ) -> None:
        with suppress(ConnectionError):
            while data := await source.read(16_384):
                await self._flowing.wait()
                if counted:
                    self.passed += len(data)
                    if self.cut_after is not None and self.passed > self.cut_after:
                        self.cut()
                        return
                sink.write(data)
                await sink.drain()
            sink.close()  # one side is done, so the other is

    async def close(self) -> None:
        """Let go of everything that is still open."""
        self.flow()
        self.cut()
        if self._serving:
            await asyncio.wait(self._serving)


def _reset(writer: asyncio.StreamWriter) -> None:
    with suppress(OSError, AttributeError):
        raw: socket.socket = writer.get_extra_info("socket")
        linger = struct.pack("ii", 1, 0)  # closing says so, rudely
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.transport.abort()


@asynccontextmanager
async def line_to(server_port: int) -> AsyncIterator[Line]:
    """Lend a line to a server on loopback."""
    line = Line(server_port)
    line.flow()
    listener = await asyncio.start_server(line.serve, "127.0.0.1", 0)
    line.port = listener.sockets[0].getsockname()[1]
    try:
        yield line
    finally:
        listener.close()
        await line.close()
