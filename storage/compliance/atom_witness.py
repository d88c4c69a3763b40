#!/usr/bin/env python3
"""
A witness for ATOM's log (c2sp.org/tlog-witness), for an auditor to run.

It cosigns a checkpoint if that goes on from the one it cosigned before, and never
anything else. It needs Python 3.9 and the `cryptography` package, and this file.

    atom_witness.py --name witness.example/w1 --state FOLDER --log VKEY [--port 8787]

The folder holds its key (made at the first start, for its owner alone) and the newest
checkpoint of each log. The verifier key to hand out is printed at the start.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import hashlib
import os
import re
import secrets
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Tuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

LONGEST = 65536
MOST_LINES = 63
Told = Tuple[str, int, bytes]  # a checkpoint: origin, size, root


class Answer(Exception):
    """What a request is answered with, if not with a cosignature."""

    def __init__(self, status: int, text: str = "", kind: str = "text/plain") -> None:
        super().__init__(text)
        self.status, self.text, self.kind = status, text, kind


def unbase64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Answer(400, "a line is not base64\n") from error


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def follows(old: Told, new: Told, path: list[bytes]) -> bool:
    """Say whether the new tree begins with the old one: RFC 9162 section 2.1.4.2."""
    (_, first_size, first_root), (_, second_size, second_root) = old, new
    if first_size == second_size:
        return not path and first_root == second_root
    nodes = list(path)
    if first_size & (first_size - 1) == 0:
        nodes.insert(0, first_root)
    if not nodes or any(len(node) != 32 for node in nodes):
        return False
    at, last = first_size - 1, second_size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    first = second = nodes[0]
    for node in nodes[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            first, second = node_hash(node, first), node_hash(node, second)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            second = node_hash(second, node)
        at, last = at >> 1, last >> 1
    return last == 0 and (first, second) == (first_root, second_root)


def key_id(name: str, kind: int, public: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + public).digest()[:4]


def parse_checkpoint(text: str) -> Told:
    lines = text.split("\n")
    if len(lines) < 4 or not re.fullmatch(r"0|[1-9][0-9]{0,18}", lines[1]):
        raise Answer(400, "this is no checkpoint\n")
    root = unbase64(lines[2])
    if len(root) != 32:
        raise Answer(400, "the root is not 32 bytes long\n")
    return lines[0], int(lines[1]), root


class Witness:
    """Cosigns for the logs that it knows, one request at a time."""

    def __init__(self, name: str, folder: str, logs: list[str]) -> None:
        self.name, self.folder = name, folder
        self.lock = threading.Lock()
        self.keys: dict[str, list[bytes]] = {}
        for log in logs:
            parts = log.strip().split("+", 2)
            data = unbase64(parts[2]) if len(parts) == 3 else b""
            known = len(data) == 33 and data[0] == 1
            if not known or key_id(parts[0], 1, data[1:]).hex() != parts[1]:
                raise ValueError("a log's verifier key looks like NAME+ID+KEY")
            self.keys.setdefault(parts[0], []).append(data[1:])
        os.makedirs(folder, mode=0o700, exist_ok=True)
        self.key = self._own_key()
        self.public = self.key.public_key().public_bytes_raw()

    @property
    def vkey(self) -> str:
        data = base64.b64encode(b"\x04" + self.public).decode()
        return f"{self.name}+{key_id(self.name, 4, self.public).hex()}+{data}"

    def add_checkpoint(self, body: str) -> str:
        """Return the cosignature's line, or raise `Answer`."""
        head, blank, note = body.partition("\n\n")
        lines = head.split("\n")
        named = re.fullmatch(r"old (0|[1-9][0-9]{0,18})", lines.pop(0))
        if not blank or not named or len(lines) > MOST_LINES:
            raise Answer(400, "this is no request to add a checkpoint\n")
        old, proof = int(named.group(1)), [unbase64(line) for line in lines]
        text, _, signatures = note.partition("\n\n")
        text += "\n"
        told = parse_checkpoint(text)
        self._require_signature(told[0], text, signatures)
        if old > told[1]:
            raise Answer(400, "the old size is larger than the new one\n")
        with self.lock:
            self._require_growth(old, proof, told)
            self._keep(told[0], note)
        now = int(time.time())
        message = f"cosignature/v1\ntime {now}\n{text}".encode()
        data = now.to_bytes(8, "big") + self.key.sign(message)
        line = base64.b64encode(key_id(self.name, 4, self.public) + data).decode()
        return f"\N{EM DASH} {self.name} {line}\n"

    def _require_signature(self, origin: str, text: str, signatures: str) -> None:
        if origin not in self.keys:
            raise Answer(404, "this log is not known here\n")
        for line in signatures.split("\n"):
            found = re.fullmatch("\N{EM DASH} (\\S+) (\\S+)", line)
            if not found or found.group(1) != origin:
                continue
            data = unbase64(found.group(2))
            for public in self.keys[origin]:
                if data[:4] != key_id(origin, 1, public):
                    continue
                try:
                    known = Ed25519PublicKey.from_public_bytes(public)
                    known.verify(data[4:], text.encode())
                except InvalidSignature:
                    continue
                return
        raise Answer(403, "no known key of the log has signed this\n")

    def _require_growth(self, old: int, proof: list[bytes], told: Told) -> None:
        seen = self._seen(told[0])
        known = seen[1] if seen else 0
        if old != known:
            raise Answer(409, f"{known}\n", "text/x.tlog.size")
        if seen is None or known == 0:
            if proof:
                raise Answer(422, "nothing was cosigned that a proof could be from\n")
            return
        if known == told[1] and seen[2] != told[2]:
            raise Answer(409, f"{known}\n", "text/x.tlog.size")
        if not follows(seen, told, proof):
            raise Answer(422, "the log does not go on from what was cosigned\n")

    def _path(self, origin: str) -> str:
        name = hashlib.sha256(origin.encode()).hexdigest()
        return os.path.join(self.folder, name + ".note")

    def _seen(self, origin: str) -> Told | None:
        try:
            with open(self._path(origin), encoding="utf-8") as stream:
                return parse_checkpoint(stream.read().partition("\n\n")[0] + "\n")
        except FileNotFoundError:
            return None

    def _keep(self, origin: str, note: str) -> None:
        self._write(self._path(origin), note.encode())

    def _write(self, path: str, data: bytes) -> None:
        """Write before anything is answered: on the disk, and whole."""
        draft = f"{path}.{secrets.token_hex(8)}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        with os.fdopen(os.open(draft, flags, 0o600), "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(draft, path)
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _own_key(self) -> Ed25519PrivateKey:
        path = os.path.join(self.folder, "witness.key")
        if not os.path.exists(path):
            self._write(path, secrets.token_bytes(32).hex().encode() + b"\n")
        with open(path, encoding="ascii") as stream:
            return Ed25519PrivateKey.from_private_bytes(
                bytes.fromhex(stream.read().strip())
            )


class Handler(BaseHTTPRequestHandler):
    """Answers one connection."""

    protocol_version = "HTTP/1.1"
    timeout = 10
    witness: Witness

    def do_POST(self) -> None:
        try:
            self._answer(200, self._cosigned(), "text/plain; charset=utf-8")
        except Answer as answer:
            self._answer(answer.status, answer.text, answer.kind)
        except OSError:
            self._answer(500, "the checkpoint could not be kept\n", "text/plain")

    def _cosigned(self) -> str:
        length = self.headers.get("Content-Length", "")
        if not re.fullmatch(r"[0-9]{1,6}", length) or int(length) > LONGEST:
            self.close_connection = True
            raise Answer(413, "the request is too long\n")
        body = self.rfile.read(int(length))
        if self.path != "/add-checkpoint":
            raise Answer(404, "there is add-checkpoint here, and nothing else\n")
        try:
            return self.witness.add_checkpoint(body.decode("utf-8"))
        except UnicodeDecodeError as error:
            raise Answer(400, "the request is no text\n") from error

    def _answer(self, status: int, text: str, kind: str) -> None:
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing: the answers are the record."""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--name", required=True, help="the witness's name, like a URL")
    parser.add_argument("--state", required=True, help="the folder to keep things in")
    parser.add_argument("--log", action="append", required=True, metavar="VKEY")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8787)
    options = parser.parse_args(arguments)
    try:
        witness = Witness(options.name, options.state, options.log)
    except (Answer, OSError, ValueError) as error:
        print(f"atom_witness: {error}", file=sys.stderr)
        return 2
    handler = type("Handler", (Handler,), {"witness": witness})
    server = ThreadingHTTPServer((options.host, options.port), handler)
    print(f"{witness.vkey} http://{options.host}:{server.server_port}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
