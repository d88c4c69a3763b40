"""A time-stamping authority made of `openssl ts`, behind a small server on loopback."""

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

_CONFIG = """
[tsa]
default_tsa = here
[here]
serial = {folder}/serial
signer_cert = {folder}/tsa.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
accuracy = secs:1
ess_cert_id_alg = sha256
[ca]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign
subjectKeyIdentifier = hash
[leaf]
basicConstraints = CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[req]
distinguished_name = name
[name]
"""


@dataclass
class Authority:
    """Runs until the test is over; `broken` makes it answer with what is no token."""

    folder: Path
    url: str = ""
    broken: bool = False

    @property
    def ca(self) -> Path:
        return self.folder / "ca.pem"

    def openssl(self, *arguments: object) -> bytes:
        done = subprocess.run(
            ["openssl", *map(str, arguments)],
            cwd=self.folder,
            capture_output=True,
            check=True,
        )
        return done.stdout

    def set_up(self) -> None:
        config = self.folder / "tsa.cnf"
        config.write_text(_CONFIG.format(folder=self.folder))
        (self.folder / "serial").write_text("01\n")
        curve = ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")
        for name in ("ca", "tsa"):
            self.openssl("genpkey", *curve, "-out", f"{name}.key")
        whole = ("-config", config, "-days", "30", "-sha256")
        self.openssl(
            "req", "-x509", "-key", "ca.key", "-subj", "/CN=Test Root", *whole,
            "-extensions", "ca", "-out", "ca.pem",
        )  # fmt: skip
        self.openssl(
            "req", "-new", "-key", "tsa.key", "-subj", "/CN=Test TSA", "-config",
            config, "-out", "tsa.csr",
        )  # fmt: skip
        self.openssl(
            "x509", "-req", "-in", "tsa.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
            "-CAcreateserial", "-extfile", config, "-extensions", "leaf", "-days",
            "30", "-sha256", "-out", "tsa.pem",
        )  # fmt: skip

    def reply(self, query: bytes) -> bytes:
        if self.broken:
            return b"no token"
        (self.folder / "query").write_bytes(query)
        self.openssl(
            "ts",
            "-reply",
            "-config",
            "tsa.cnf",
            "-queryfile",
            "query",
            "-out",
            "answer",
        )
        return (self.folder / "answer").read_bytes()

    def verify(self, data: Path, token: Path) -> bool:
        """Ask openssl whether the token is over the file."""
        done = subprocess.run(
            [
                "openssl",
                "ts",
                "-verify",
                "-data",
                data,
                "-in",
                token,
                "-CAfile",
                self.ca,
            ],
            capture_output=True,
            check=False,
        )
        return done.returncode == 0


@contextmanager
def running_authority(folder: Path) -> Iterator[Authority]:
    authority = Authority(folder)
    authority.set_up()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            data = self.rfile.read(int(self.headers["Content-Length"]))
            answer = authority.reply(data)
            self.send_response(200)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    authority.url = f"http://127.0.0.1:{server.server_port}/tsa"
    try:
        yield authority
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
