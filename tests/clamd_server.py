"""
A clamd of the tests' own, which knows one virus: the EICAR test file.

Its signature is made here, so that nothing is downloaded and no real one is needed.
"""

import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGKILL, SIGTERM

from tests.servers import Daemon, folder_for, free_port, require

# In two halves, or scanners would find this very file.
EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}" + rb"$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
LARGEST = 2_000_000  # bytes that it looks at


@dataclass
class ClamdServer:
    """A virus scanner on loopback, and on a socket in its folder."""

    binary: str
    folder: Path
    port: int = field(default_factory=free_port)

    def __post_init__(self) -> None:
        self.daemon = Daemon(
            name="clamd",
            command=[self.binary, "--config-file", str(self.folder / "clamd.conf")],
            folder=self.folder,
            ready=self._answers,
            stop_signal=SIGTERM,
            kill_signal=SIGKILL,
        )

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def path(self) -> str:
        return str(self.folder / "clamd.sock")

    def start(self) -> None:
        signatures = self.folder / "signatures"
        signatures.mkdir(exist_ok=True)
        (signatures / "eicar.ndb").write_text(f"Eicar-Test:0:*:{EICAR.hex()}\n")
        (self.folder / "clamd.conf").write_text(
            "Foreground yes\n"
            f"DatabaseDirectory {signatures}\n"
            f"LocalSocket {self.path}\n"
            f"TCPSocket {self.port}\nTCPAddr 127.0.0.1\n"
            f"StreamMaxLength {LARGEST}\n"
        )
        self.daemon.start()

    def kill(self) -> None:
        self.daemon.kill()

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1.0) as connection:
                connection.sendall(b"zPING\0")
                return connection.recv(10) == b"PONG\0"
        except OSError:
            return False


@contextmanager
def running_clamd() -> Iterator[ClamdServer]:
    """Run a clamd of one's own, or skip the test."""
    found = shutil.which("clamd") or shutil.which("/usr/sbin/clamd")
    binary = require("clamd", found, "apt install clamav-daemon")
    with folder_for("clamd") as folder:
        server = ClamdServer(binary, folder)
        server.start()
        try:
            yield server
        finally:
            server.kill()
