#!/usr/bin/env python3
"""
Check what ATOM gave out: signed checkpoints, proofs, exports, certificates.

This one file needs Python 3.9 or newer, and nothing else: no network, no library, and
nothing of ATOM's. Give it the verifier key that the company handed out beforehand; it
must not come from where the evidence comes from.

Exit code 0: everything that was asked about holds. 1: something does not.
2: the question was not understood, or a file cannot be read.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import datetime
import hashlib
import hmac
import json
import os
import re
import sys
import zipfile
import zlib
from typing import Any, Iterable, Iterator, Tuple

EXIT_GOOD, EXIT_BAD, EXIT_USAGE = 0, 1, 2
DASH = "\N{EM DASH}"
LEAF, NODE = b"\x00", b"\x01"
Point = Tuple[int, int, int, int]
Signature = Tuple[str, bytes, bytes]  # whose it claims to be, the key's id, itself


class Bad(Exception):
    """Something does not hold. The text says what, in one line."""


# --- Ed25519, RFC 8032 ------------------------------------------------------------

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_1 = pow(2, (P - 1) // 4, P)


def _recover_x(y: int, sign: int) -> int | None:
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    if square == 0:
        return None if sign else 0
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT_OF_MINUS_1 % P
    if (x * x - square) % P:
        return None
    return P - x if x & 1 != sign else x


def _add(p: Point, q: Point) -> Point:
    a = (p[1] - p[0]) * (q[1] - q[0]) % P
    b = (p[1] + p[0]) * (q[1] + q[0]) % P
    c = 2 * p[3] * q[3] * D % P
    d = 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def _times(scalar: int, point: Point) -> Point:
    total = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            total = _add(total, point)
        point = _add(point, point)
        scalar >>= 1
    return total


def _compress(point: Point) -> bytes:
    inverse = pow(point[2], P - 2, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def _decompress(data: bytes) -> Point | None:
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (1 << 255) - 1
    x = _recover_x(y, sign)
    return None if x is None else (x, y, 1, x * y % P)


_BASE_Y = 4 * pow(5, P - 2, P) % P
_BASE_X = _recover_x(_BASE_Y, 0) or 0
BASE = (_BASE_X, _BASE_Y, 1, _BASE_X * _BASE_Y % P)


def ed25519_verify(public: bytes, message: bytes, signature: bytes) -> bool:
    """Say whether `signature` is `public`'s over `message`: RFC 8032 section 5.1.7."""
    if len(public) != 32 or len(signature) != 64:
        return False
    point = _decompress(public)
    scalar = int.from_bytes(signature[32:], "little")
    if point is None or scalar >= L:
        return False
    told = hashlib.sha512(signature[:32] + public + message).digest()
    challenge = int.from_bytes(told, "little") % L
    minus = (P - point[0], point[1], point[2], P - point[3])
    found = _add(_times(scalar, BASE), _times(challenge, minus))
    return _compress(found) == signature[:32]


# --- The Merkle tree, RFC 6962 and RFC 9162 ---------------------------------------


def leaf_hash(data: bytes) -> bytes:
    return hashlib.sha256(LEAF + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(NODE + left + right).digest()


def root_of(hashes: Iterable[bytes]) -> tuple[int, bytes]:
    """Return the root over leaf hashes, which may be more than fit into memory."""
    edge: list[bytes] = []
    size, sha256 = 0, hashlib.sha256
    for node in hashes:
        rest = size
        while rest & 1:
            node = sha256(NODE + edge.pop() + node).digest()
            rest >>= 1
        edge.append(node)
        size += 1
    if not edge:
        return 0, hashlib.sha256(b"").digest()
    root = edge.pop()
    while edge:
        root = node_hash(edge.pop(), root)
    return size, root


def _whole(hashes: Iterable[bytes]) -> None:
    if any(len(each) != 32 for each in hashes):
        raise Bad("a hash is not 32 bytes long")


def verify_inclusion(
    index: int, size: int, leaf: bytes, path: list[bytes], root: bytes
) -> None:
    _whole([leaf, root, *list(path)])
    if not 0 <= index < size:
        raise Bad("a tree of %d has no entry %d" % (size, index))
    at, last, node = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            raise Bad("the inclusion proof is too long")
        if at & 1 or at == last:
            node = node_hash(sibling, node)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            node = node_hash(node, sibling)
        at, last = at >> 1, last >> 1
    if last != 0:
        raise Bad("the inclusion proof is too short")
    if node != root:
        raise Bad("entry %d is not in the tree with this root" % index)


def verify_consistency(
    old: int, new: int, old_root: bytes, new_root: bytes, path: list[bytes]
) -> None:
    _whole([old_root, new_root, *list(path)])
    if not 0 < old <= new:
        raise Bad("a tree of %d cannot follow one of %d" % (new, old))
    if old == new:
        if path or old_root != new_root:
            raise Bad("two trees of one size have different roots")
        return
    nodes = list(path)
    if old & (old - 1) == 0:
        nodes.insert(0, old_root)
    if not nodes:
        raise Bad("the consistency proof is empty")
    at, last = old - 1, new - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    first = second = nodes[0]
    for node in nodes[1:]:
        if last == 0:
            raise Bad("the consistency proof is too long")
        if at & 1 or at == last:
            first, second = node_hash(node, first), node_hash(node, second)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            second = node_hash(second, node)
        at, last = at >> 1, last >> 1
    if last != 0:
        raise Bad("the consistency proof is too short")
    if (first, second) != (old_root, new_root):
        raise Bad("the later tree does not begin with the earlier one")


# --- Signed notes, c2sp.org/signed-note -------------------------------------------


def unbase64(text: str, what: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        data = None
    if data is None or base64.b64encode(data).decode() != text:
        raise Bad(f"{what} is not base64")
    return data


class Key:
    """A verifier key, and for which sizes of the log it signs."""

    def __init__(self, name: str, kind: int, public: bytes) -> None:
        self.name, self.kind, self.public = name, kind, public
        self.first = 0
        self.last: int | None = None

    @classmethod
    def parse(cls, text: str) -> Key:
        """Read NAME+ID+KEY. Raises `Bad` unless the id is the key's."""
        parts = text.strip().split("+", 2)
        if len(parts) != 3 or not parts[0] or re.search(r"\s", parts[0]):
            raise Bad("a verifier key looks like NAME+ID+KEY")
        data = unbase64(parts[2], "the verifier key")
        if len(data) != 33 or data[0] not in (1, 4):
            raise Bad("this kind of verifier key is not known")
        key = cls(parts[0], data[0], data[1:])
        if key.id(key.kind).hex() != parts[1]:
            raise Bad("the verifier key's id is not the one of its key")
        return key

    def id(self, kind: int) -> bytes:
        told = self.name.encode() + b"\n" + bytes([kind]) + self.public
        return hashlib.sha256(told).digest()[:4]

    def __str__(self) -> str:
        data = base64.b64encode(bytes([self.kind]) + self.public).decode()
        return f"{self.name}+{self.id(self.kind).hex()}+{data}"


def split_note(note: str) -> tuple[str, list[Signature]]:
    """Return a note's text and its signatures: (name, key id, signature)."""
    head, mark, tail = note.rpartition("\n\n")
    lines = tail.split("\n")
    if not mark or not head or lines.pop() != "" or not lines:
        raise Bad("this is no signed note")
    if re.search("[\x00-\x09\x0b-\x1f]", note):
        raise Bad("a signed note holds no control characters")
    signatures = []
    for line in lines:
        found = re.fullmatch(DASH + r" (\S+) ([A-Za-z0-9+/]+=*)", line)
        if not found:
            raise Bad("a line below the note is no signature")
        data = unbase64(found.group(2), "a signature")
        if len(data) <= 4:
            raise Bad("a signature is too short")
        signatures.append((found.group(1), data[:4], data[4:]))
    return head + "\n", signatures


class Signed:
    """What a note says, and who is known to have signed it."""

    def __init__(self, text: str, signers: list[Key], times: dict[str, int]) -> None:
        self.text, self.signers, self.times = text, signers, times


class Trust:
    """The keys that are believed: the log's, and its witnesses'."""

    def __init__(
        self, keys: Iterable[Key], witnesses: Iterable[Key] = (), quorum: int = 0
    ) -> None:
        self.keys, self.witnesses = list(keys), list(witnesses)
        self.quorum = quorum
        self.restored: dict[str, Restored] = {}  # by the origin that goes on
        self._seen: dict[str, Signed] = {}

    def note(self, note: str) -> Signed:
        """Return the note if a known key of the log signed it. Raises `Bad`."""
        if note not in self._seen:
            self._seen[note] = self._note(note)
        return self._seen[note]

    def _note(self, note: str) -> Signed:
        text, signatures = split_note(note)
        signers: list[Key] = []
        times: dict[str, int] = {}
        for name, key_id, data in signatures:
            for key in self.keys + self.witnesses:
                stamped = key.id(4) == key_id and name == key.name
                plain = key.id(1) == key_id and name == key.name and key.kind == 1
                if stamped:
                    times[str(key)] = _cosigned(key, text, data)
                elif plain:
                    if not ed25519_verify(key.public, text.encode(), data):
                        raise Bad(f"the signature of {name} is not over this text")
                    if key not in signers:
                        signers.append(key)
        if not any(key in self.keys for key in signers):
            raise Bad("no key that you trust has signed this")
        return Signed(text, signers, times)

    def checkpoint(self, note: str) -> Checkpoint:
        """Return a checkpoint: origin, size, root, and when it was signed."""
        told = self.note(note)
        lines = told.text.split("\n")
        if len(lines) < 4 or not re.fullmatch(r"0|[1-9]\d*", lines[1], re.ASCII):
            raise Bad("this note is no checkpoint")
        root = unbase64(lines[2], "the checkpoint's root")
        _whole([root])
        origin, size = lines[0], int(lines[1])
        mine = [k for k in told.signers if k in self.keys and k.name == origin]
        if not mine:
            raise Bad("the checkpoint is not signed by its own log")
        if not any(_valid(key, size) for key in mine):
            raise Bad("size %d is signed by a key that was not valid for it" % size)
        seen = [w for w in self.witnesses if str(w) in told.times]
        if len(seen) < self.quorum:
            raise Bad(
                "%d witnesses have cosigned, but %d were asked for"
                % (len(seen), self.quorum)
            )
        times = [told.times[str(k)] for k in self.keys + seen if str(k) in told.times]
        return Checkpoint(origin, size, root, note, times, [w.name for w in seen])

    def follow(self, note: str) -> Key:
        """Trust the key that a trusted key vouches for in an `atom-key/v1` note."""
        text, _ = split_note(note)
        lines = text.split("\n")
        if lines[0] == "atom-restored/v1":
            return self._follow_restored(note, lines)
        if len(lines) != 6 or lines[0] != "atom-key/v1":
            raise Bad("this note names no new key")
        size = re.fullmatch(r"size (0|[1-9]\d*)", lines[4], re.ASCII)
        old, new = Key.parse(lines[2]), Key.parse(lines[3])
        if not size or not lines[1] == old.name == new.name:
            raise Bad("this note names no new key")
        known = [key for key in self.keys if str(key) == str(old)]
        if not known:
            raise Bad("the key that vouches for the new one is not trusted")
        both = Trust([old, new]).note(note)
        if len({str(key) for key in both.signers}) != 2:
            raise Bad("the new key is not signed for by both keys")
        new.first = int(size.group(1))
        if not _valid(known[0], new.first):
            raise Bad("the key that vouches was not valid any more")
        known[0].last = new.first
        if str(new) not in map(str, self.keys):
            self.keys.append(new)
        self._seen.clear()
        return new

    def _follow_restored(self, note: str, lines: list[str]) -> Key:
        """Trust the key of the log that goes on after a backup was restored."""
        told = re.fullmatch(
            r"kept (0|[1-9]\d*)\nsize (0|[1-9]\d*)\nsigned (0|[1-9]\d*) (\S+)\n",
            "\n".join(lines[5:]),
            re.ASCII,
        )
        if len(lines) != 9 or not told:
            raise Bad("this note names no log that goes on")
        old, new = Key.parse(lines[3]), Key.parse(lines[4])
        if lines[1:3] != [old.name, new.name] or old.name == new.name:
            raise Bad("this note names no log that goes on")
        if str(old) not in map(str, self.keys):
            raise Bad("the key that vouches for the new log is not trusted")
        both = Trust([old, new]).note(note)
        if len({str(key) for key in both.signers}) != 2:
            raise Bad("the new log is not signed for by both keys")
        kept, new.first, signed = map(int, told.groups()[:3])
        unbase64(told.group(4), "the root of what was signed")
        self.restored[new.name] = Restored(old.name, kept, signed, new.first)
        if str(new) not in map(str, self.keys):
            self.keys.append(new)
        self._seen.clear()
        return new

    def goes_on(self, origin: str) -> list[Restored]:
        """Return the logs that this one says it goes on from, the last one first."""
        found: list[Restored] = []
        while origin in self.restored and len(found) < len(self.restored):
            found.append(self.restored[origin])
            origin = found[-1].origin
        return found


class Restored:
    """
    What was declared of an earlier log: its origin, up to where the one that goes on is
    the same for certain, how much it had signed, and at which size this was declared.
    """

    def __init__(self, origin: str, kept: int, signed: int, size: int) -> None:
        self.origin, self.kept, self.signed = origin, kept, signed
        self.size = size


def _valid(key: Key, size: int) -> bool:
    return key.first <= size and (key.last is None or size <= key.last)


def _cosigned(key: Key, text: str, data: bytes) -> int:
    if len(data) != 72:
        raise Bad(f"the cosignature of {key.name} is not 72 bytes long")
    time = int.from_bytes(data[:8], "big")
    message = "cosignature/v1\ntime %d\n%s" % (time, text)
    if not ed25519_verify(key.public, message.encode(), data[8:]):
        raise Bad(f"the cosignature of {key.name} is not over this text")
    return time


class Checkpoint:
    """A signed statement of a log's size and root."""

    def __init__(
        self,
        origin: str,
        size: int,
        root: bytes,
        note: str,
        times: list[int],
        witnesses: list[str],
    ) -> None:
        self.origin, self.size, self.root = origin, size, root
        self.note, self.times, self.witnesses = note, times, witnesses

    def __str__(self) -> str:
        text = "size %d, root %s" % (self.size, self.root.hex())
        if self.times:
            text += f", signed {_moment(max(self.times))}"
        if self.witnesses:
            text += ", seen by {}".format(", ".join(self.witnesses))
        return text


def _moment(seconds: int) -> str:
    try:
        zone = datetime.timezone.utc
        return datetime.datetime.fromtimestamp(seconds, zone).isoformat()
    except (OverflowError, OSError, ValueError):
        return "at %d" % seconds


def compare(
    old: Checkpoint,
    new: Checkpoint,
    path: list[bytes] | None,
    restored: Iterable[Restored] = (),
) -> None:
    """Check that `new` goes on from `old`; `path` may be None where sizes are one."""
    for before in restored:
        if before.origin == old.origin and old.size > before.kept:
            raise Bad(
                "size %d was signed, and cannot be compared any more: it was declared "
                "that a backup was restored, which holds the first %d of %d entries"
                % (old.size, before.kept, before.signed)
            )
    if old.origin not in {new.origin, *(before.origin for before in restored)}:
        raise Bad("the checkpoints are of different logs")
    if new.size < old.size:
        old, new = new, old
    if old.size == new.size:
        if old.root != new.root:
            raise _conflict("one size, two roots", old, new)
        return
    if old.size == 0:
        return
    if path is None:
        raise Bad("to compare different sizes, a consistency proof is needed")
    try:
        verify_consistency(old.size, new.size, old.root, new.root, path)
    except Bad as error:
        raise _conflict(str(error), old, new) from error


def _conflict(why: str, old: Checkpoint, new: Checkpoint) -> Bad:
    return Bad(
        f"CONFLICT: {why}. Both statements, each signed by the log, are the evidence:"
        f"\n--- earlier\n{old.note}--- later\n{new.note}---"
    )


# --- Proof files, c2sp.org/tlog-proof ---------------------------------------------


class Proof:
    """An entry's inclusion proof with the checkpoint that it leads to."""

    def __init__(self, text: str) -> None:
        head, blank, self.note = text.partition("\n\n")
        lines = head.split("\n")
        if not blank or lines.pop(0) != "c2sp.org/tlog-proof@v1":
            raise Bad("this is no tlog-proof@v1 file")
        self.leaf: bytes | None = None
        if lines and lines[0].startswith("extra "):
            self.leaf = unbase64(lines.pop(0)[6:], "the proof's extra data")
        named = re.fullmatch(r"index (0|[1-9]\d*)", lines.pop(0) if lines else "")
        if not named:
            raise Bad("the proof file names no index")
        self.index = int(named.group(1))
        self.path = [unbase64(line, "a line of the proof") for line in lines]

    def verify(
        self, trust: Trust, leaf: bytes | None = None
    ) -> tuple[Checkpoint, bytes]:
        """Return the checkpoint and the leaf's hash, or raise `Bad`."""
        checkpoint = trust.checkpoint(self.note)
        if leaf is None:
            if self.leaf is None:
                raise Bad("the proof does not hold its entry: name it with --leaf")
            leaf = leaf_hash(self.leaf)
        elif self.leaf is not None and leaf_hash(self.leaf) != leaf:
            raise Bad("the proof is about another entry")
        verify_inclusion(self.index, checkpoint.size, leaf, self.path, checkpoint.root)
        fields = self.fields()
        if fields and fields.get("seq") != self.index:
            raise Bad("the entry says that it is another one")
        return checkpoint, leaf

    def fields(self) -> dict[str, Any]:
        """Return the leaf's fields, or nothing if it is none of ATOM's."""
        if self.leaf is None:
            return {}
        try:
            found = canonical_json(self.leaf, "the leaf")
        except Bad:
            return {}
        return found if isinstance(found, dict) else {}


def canonical_json(data: bytes, what: str) -> Any:
    """Read canonical JSON (RFC 8785; integers only), or raise `Bad`."""
    try:
        text = data.decode("utf-8")
        value = json.loads(text, parse_float=_no_float, parse_constant=_no_float)
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise Bad(f"{what} is no JSON") from error
    again = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    if again != text:
        raise Bad(f"{what} is not canonical JSON")
    return value


def _no_float(text: str) -> Any:
    raise ValueError(text)


# --- What can be asked ------------------------------------------------------------


def check_link(trust: Trust, told: Any) -> str:
    """A delivered copy and what it is a copy of: both in the log, in that order."""
    if not isinstance(told, dict) or told.get("kind") != "atom-link-proof/v1":
        raise Bad("this is no link proof")
    if not all(isinstance(told.get(part), str) for part in ("origin", "copy")):
        raise Bad("this is no link proof")
    origin, copy = Proof(told["origin"]), Proof(told["copy"])
    first, origin_leaf = origin.verify(trust)
    second, _ = copy.verify(trust)
    if first.origin != second.origin:
        raise Bad("origin and copy are in different logs")
    said, shown = origin.fields(), copy.fields()
    if shown.get("oleaf") != origin_leaf.hex() or shown.get("oseq") != origin.index:
        raise Bad("the copy commits to another origin")
    if origin.index >= copy.index:
        raise Bad("the copy comes before its origin")
    if not str(shown.get("typ", "")).startswith("bridge."):
        raise Bad("the second entry is no delivery")
    if shown.get("out") != "delivered":
        raise Bad("the copy was not delivered: {}".format(shown.get("out")))
    text = "entry %d (%s in %s) was delivered as %s in %s by entry %d" % (
        origin.index,
        said.get("msg"),
        said.get("conv"),
        shown.get("msg"),
        shown.get("conv"),
        copy.index,
    )
    if "opened" in told:
        before = _opened(told["opened"], "origin", said)
        after = _opened(told["opened"], "copy", shown)
        transform = after.get("transform", "not said")
        text += "; what it said: {!r}; what was shown ({}): {!r}".format(
            before.get("text"),
            transform,
            after.get("text"),
        )
    return text


def _opened(opened: Any, which: str, fields: dict[str, Any]) -> dict[str, Any]:
    """Check that what is disclosed of an entry is what its leaf commits to."""
    try:
        nonce = bytes.fromhex(opened[which]["nonce"])
        body = opened[which]["body"].encode()
        committed = bytes.fromhex(fields["cmt"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Bad(f"the {which} cannot be opened") from error
    found = hmac.new(nonce, b"atom/content/v1\x00" + body, hashlib.sha256).digest()
    if found != committed:
        raise Bad(f"what is shown of the {which} is not what was committed to")
    value = canonical_json(body, "the body")
    return value if isinstance(value, dict) else {}


def check_certificate(trust: Trust, note: str) -> dict[str, Any]:
    """A certificate of erasure: a signed note over a line of JSON."""
    told = trust.note(note)
    lines = told.text.split("\n")
    if len(lines) != 3 or lines[0] != "atom-erasure/v1":
        raise Bad("this note is no certificate of erasure")
    value = canonical_json(lines[1].encode(), "the certificate")
    if not isinstance(value, dict):
        raise Bad("the certificate is no JSON object")
    return value


def check_person(told: dict[str, Any], salt: str, person: str) -> None:
    """Whether a certificate is about somebody, for whoever was given the salt."""
    found = hashlib.sha256(f"{salt}|{person}".encode()).hexdigest()
    if found != told.get("person"):
        raise Bad("the certificate is about somebody else")


class Folder:
    """An export as a folder."""

    def __init__(self, path: str) -> None:
        self.path = path

    def names(self) -> list[str]:
        found = []
        for folder, folders, files in os.walk(self.path):
            for name in folders + files:
                if os.path.islink(os.path.join(folder, name)):
                    raise Bad(f"{name} is a link out of the export")
            for name in files:
                whole = os.path.relpath(os.path.join(folder, name), self.path)
                found.append(whole.replace(os.sep, "/"))
        return found

    def chunks(self, name: str) -> Iterator[bytes]:
        if os.path.islink(os.path.join(self.path, name)):
            raise Bad(f"{name} is a link out of the export")
        with open(os.path.join(self.path, *name.split("/")), "rb") as stream:
            while True:
                chunk = stream.read(1 << 20)
                if not chunk:
                    return
                yield chunk


class Zip:
    """An export as a zip file."""

    def __init__(self, path: str) -> None:
        self.zip = zipfile.ZipFile(path)

    def names(self) -> list[str]:
        found = [i.filename for i in self.zip.infolist() if not i.is_dir()]
        if len(set(found)) != len(found):
            raise Bad("the zip holds two files of one name")
        return found

    def chunks(self, name: str) -> Iterator[bytes]:
        try:
            with self.zip.open(name) as stream:
                while True:
                    chunk = stream.read(1 << 20)
                    if not chunk:
                        return
                    yield chunk
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
            raise Bad(f"{name} cannot be unpacked") from error


class Export:
    """An export: a manifest that is signed, and all that it names."""

    UNLISTED = ("manifest.json", "manifest.note")
    SELF = "verify_atom.py"

    def __init__(self, trust: Trust, place: Folder | Zip) -> None:
        self.trust, self.place = trust, place
        self.names = set(place.names())
        for name in self.names:
            parts = name.split("/")
            if name.startswith("/") or "\\" in name or ".." in parts or "" in parts:
                raise Bad(f"{name!r} is no name of a file in an export")

    def verify(self) -> str:
        """Return one line of what was found, or raise `Bad`."""
        for name in sorted(self.names):
            if name.startswith("keys/") and name.endswith(".note"):
                self.trust.follow(self.text(name))
        manifest = self.manifest()
        checkpoint = self.trust.checkpoint(self.text("checkpoint.note"))
        as_of = manifest.get("as_of")
        told = {"size": checkpoint.size, "root": checkpoint.root.hex()}
        if not isinstance(as_of, dict) or {k: as_of.get(k) for k in told} != told:
            raise Bad("the manifest is of another checkpoint")
        items = manifest.get("items")
        if not isinstance(items, list) or not all(isinstance(i, dict) for i in items):
            raise Bad("the manifest names no items")
        self.files(items, manifest)
        entries = self.entries(items)
        committed = {
            seq: self.entry(seq, leaf, checkpoint).get("cmt")
            for seq, leaf in sorted(entries.items())
        }
        shown, erased = self.openings(items, committed)
        return "%d files, %d entries proved at %s; %d opened, %d erased" % (
            len(items),
            len(entries),
            checkpoint,
            shown,
            erased,
        )

    def manifest(self) -> dict[str, Any]:
        data = self.read("manifest.json")
        told = self.trust.note(self.text("manifest.note"))
        lines = told.text.split("\n")
        if len(lines) != 4 or lines[0] != "atom-manifest/v1":
            raise Bad("manifest.note is about no manifest")
        if all(key.name != lines[1] for key in told.signers):
            raise Bad("the manifest is not signed by its own log")
        if lines[2] != "sha256 " + hashlib.sha256(data).hexdigest():
            raise Bad("manifest.json is not the one that was signed")
        value = canonical_json(data, "manifest.json")
        if not isinstance(value, dict):
            raise Bad("manifest.json is no JSON object")
        return value

    def files(self, items: list[dict[str, Any]], manifest: dict[str, Any]) -> None:
        """Every file is named, every name has its file, and its bytes are its own."""
        paths = [item.get("path") for item in items]
        if paths != sorted(set(map(str, paths))):
            raise Bad("the manifest's items are not sorted, or named twice")
        extra = self.names - set(paths) - set(self.UNLISTED) - {self.SELF}
        if extra:
            raise Bad(f"{min(extra)} is in the export, but not in its manifest")
        for item in items:
            path = item["path"]
            if path not in self.names:
                raise Bad(f"{path} is in the manifest, but missing")
            digest, size = hashlib.sha256(), 0
            for chunk in self.place.chunks(path):
                digest.update(chunk)
                size += len(chunk)
            if size != item.get("bytes") or digest.hexdigest() != item.get("sha256"):
                raise Bad(f"{path} is not the file that was exported")
        leaves = ["{} {}".format(i["sha256"], i["path"]) for i in items]
        _, root = root_of(leaf_hash(leaf.encode()) for leaf in leaves)
        if manifest.get("files_root") != root.hex():
            raise Bad("files_root is not that of the items")
        tool = manifest.get("tool")
        wanted = tool.get("verifier_sha256") if isinstance(tool, dict) else None
        if wanted and self.SELF in self.names:
            found = hashlib.sha256(self.read(self.SELF)).hexdigest()
            if found != wanted:
                raise Bad("verify_atom.py is not the one that was exported")

    def entries(self, items: list[dict[str, Any]]) -> dict[int, str]:
        """Return the log entries that items are made of, with their leaf hashes."""
        found: dict[int, str] = {}
        for item in items:
            named = list(item.get("entries") or ())
            if item.get("seq") is not None:
                named.append([item.get("seq"), item.get("leaf")])
            for pair in named:
                if not isinstance(pair, list) or len(pair) != 2:
                    raise Bad("the manifest names an entry in no known way")
                seq, leaf = pair
                if not isinstance(seq, int) or not isinstance(leaf, str):
                    raise Bad("the manifest names an entry in no known way")
                if found.setdefault(seq, leaf) != leaf:
                    raise Bad("the manifest gives entry %d two leaves" % seq)
        return found

    def openings(
        self, items: list[dict[str, Any]], committed: dict[int, Any]
    ) -> tuple[int, int]:
        """
        Hold what native/ says against what the log committed to.

        Returns how many entries were opened, and how many are said to be erased.
        """
        shown = erased = 0
        for item in items:
            path = item["path"]
            if not path.startswith("native/") or not path.endswith(".jsonl"):
                continue
            for line in self.read(path).splitlines():
                for seq, opened in message_openings(line, path):
                    if seq not in committed:
                        raise Bad(f"{path} shows entry {seq}, which is not proved")
                    if not opened.get("nonce"):
                        erased += 1
                        continue
                    told = {"cmt": committed[seq]}
                    _opened({"it": opened}, "it", told)
                    shown += 1
        return shown, erased

    def entry(self, seq: int, leaf: str, checkpoint: Checkpoint) -> dict[str, Any]:
        proof = Proof(self.text("proofs/%d.tlog-proof" % seq))
        try:
            wanted = bytes.fromhex(leaf)
        except ValueError as error:
            raise Bad("the leaf of entry %d is no hash" % seq) from error
        at, _ = proof.verify(self.trust, wanted)
        if proof.index != seq or (at.size, at.root) != (
            checkpoint.size,
            checkpoint.root,
        ):
            raise Bad("the proof of entry %d is about something else" % seq)
        return proof.fields()

    def read(self, name: str) -> bytes:
        if name not in self.names:
            raise Bad(f"{name} is missing")
        return b"".join(self.place.chunks(name))

    def text(self, name: str) -> str:
        return decoded(self.read(name), name)


def message_openings(line: bytes, path: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield a message's entries; what its revisions say must be what those say."""
    try:
        told = json.loads(line)
        opened = {entry["seq"]: entry for entry in told["entries"]}
        for revision in told["revisions"]:
            entry = opened[revision["seq"]]
            if not entry["nonce"] or revision["change"] == "delete":
                continue
            if (json.loads(entry["body"]).get("text") or "") != revision["text"]:
                raise Bad(f"{path} says something else than entry {entry['seq']}")
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise Bad(f"{path} holds a line that is no message") from error
    yield from opened.items()


def check_log(trust: Trust, folder: str) -> Checkpoint:
    """A whole log as tiles: every leaf is hashed, and the root compared."""
    checkpoint = trust.checkpoint(read_text(os.path.join(folder, "checkpoint")))
    restored = trust.goes_on(checkpoint.origin)
    leaves, told = _leaves(folder, checkpoint.size), list[int]()
    hashes = _watched(leaves, told) if restored else map(leaf_hash, leaves)
    size, root = root_of(hashes)
    if size != checkpoint.size:
        raise Bad("the log ends at %d, but %d were signed" % (size, checkpoint.size))
    if root != checkpoint.root:
        raise Bad("the entries are not those that were signed")
    _declared(restored, told)
    return checkpoint


def _watched(leaves: Iterable[bytes], told: list[int]) -> Iterator[bytes]:
    """Hash leaves, and note which say that a backup was restored."""
    for seq, leaf in enumerate(leaves):
        if b"log.restored" in leaf and json.loads(leaf).get("typ") == "log.restored":
            told.append(seq)
        yield leaf_hash(leaf)


def _declared(restored: Iterable[Restored], told: list[int]) -> None:
    """Whatever key goes on after a backup, the log itself has to say so."""
    kept = None
    for one in restored:
        # What a later backup does not hold any more, it cannot say.
        stands = kept is None or one.size <= kept
        if stands and not any(one.kept <= seq < one.size for seq in told):
            raise Bad(
                "a backup was restored before size %d, but no entry says so" % one.size
            )
        kept = one.kept if kept is None else min(kept, one.kept)


def _leaves(folder: str, size: int) -> Iterator[bytes]:
    for first in range(0, size, 256):
        width = min(256, size - first)
        data = _bundle(folder, first // 256, width)
        at, count = 0, 0
        while at < len(data) and count < width:
            end = at + 2 + int.from_bytes(data[at : at + 2], "big")
            yield data[at + 2 : end]
            at, count = end, count + 1
        if count != width:
            raise Bad("entry %d is missing" % (first + count))


def _bundle(folder: str, index: int, width: int) -> bytes:
    groups = ["%03d" % (index % 1000)]
    while index >= 1000:
        index //= 1000
        groups.insert(0, "x%03d" % (index % 1000))
    path = os.path.join(folder, "tile", "entries", *groups)
    for name in (path + ".p/%d" % width if width < 256 else path, path):
        try:
            with open(name, "rb") as stream:
                return stream.read()
        except OSError:
            continue
    raise Bad(f"{path} is missing")


# --- The command line -------------------------------------------------------------


def decoded(data: bytes, name: str) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Bad(f"{name} is no text") from error


def read_text(path: str) -> str:
    with open(path, "rb") as stream:
        return decoded(stream.read(), path)


def run_checkpoint(trust: Trust, options: argparse.Namespace) -> None:
    new = trust.checkpoint(read_text(options.file))
    if options.old:
        old = trust.checkpoint(read_text(options.old))
        path = None
        if options.proof:
            lines = read_text(options.proof).split()
            path = [unbase64(line, "a line of the proof") for line in lines]
        compare(old, new, path, trust.goes_on(new.origin))
        say("checkpoint: size %d goes on from size %d" % (new.size, old.size))
    say(f"checkpoint: {new}")


def run_proof(trust: Trust, options: argparse.Namespace) -> None:
    leaf = bytes.fromhex(options.leaf) if options.leaf else None
    for name in options.files:
        proof = Proof(read_text(name))
        checkpoint, found = proof.verify(trust, leaf)
        told = "entry %d, leaf %s, at %s" % (proof.index, found.hex(), checkpoint)
        say(f"proof: {told}")


def run_link(trust: Trust, options: argparse.Namespace) -> None:
    try:
        told = json.loads(read_text(options.file))
    except ValueError as error:
        raise Bad(f"{options.file} is no JSON") from error
    say(f"link: {check_link(trust, told)}")


def run_certificate(trust: Trust, options: argparse.Namespace) -> None:
    told = check_certificate(trust, read_text(options.file))
    if options.person:
        check_person(told, options.salt, options.person)
    say(f"certificate: {json.dumps(told, sort_keys=True)}")


def run_export(trust: Trust, options: argparse.Namespace) -> None:
    place: Folder | Zip
    if os.path.isdir(options.path):
        place = Folder(options.path)
    else:
        try:
            place = Zip(options.path)
        except zipfile.BadZipFile as error:
            raise Bad(f"{options.path} is neither a folder nor a zip") from error
    say(f"export: {Export(trust, place).verify()}")


def run_log(trust: Trust, options: argparse.Namespace) -> None:
    say(f"log: every entry, {check_log(trust, options.folder)}")


def run_note(trust: Trust, options: argparse.Namespace) -> None:
    told = trust.note(read_text(options.file))
    say("note: signed by {}".format(", ".join(key.name for key in told.signers)))
    sys.stdout.write(printable(told.text))


def say(text: str) -> None:
    print("OK  " + printable(text))


def printable(text: str) -> str:
    return "".join(c if c.isprintable() or c == "\n" else "\ufffd" for c in text)


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="verify_atom.py",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument(
        "--key",
        action="append",
        required=True,
        metavar="VKEY",
        help="the log's verifier key, or a file of them",
    )
    top.add_argument(
        "--key-note",
        action="append",
        default=[],
        metavar="FILE",
        help="a note in which one key vouches for the next; oldest first",
    )
    top.add_argument(
        "--witness",
        action="append",
        default=[],
        metavar="VKEY",
        help="a witness's verifier key, or a file of them",
    )
    top.add_argument(
        "--quorum",
        type=int,
        default=0,
        metavar="N",
        help="how many witnesses must have cosigned a checkpoint",
    )
    asked = top.add_subparsers(dest="asked", required=True, metavar="WHAT")
    one = asked.add_parser("checkpoint", help="a checkpoint; what it goes on from")
    one.add_argument("file")
    one.add_argument("--old", help="an earlier (or later) checkpoint of the same log")
    one.add_argument("--proof", help="the consistency proof: a line a hash")
    one.set_defaults(run=run_checkpoint)
    one = asked.add_parser("proof", help="that entries are in the log")
    one.add_argument("files", nargs="+")
    one.add_argument("--leaf", default="", help="the entry's leaf hash, in hexadecimal")
    one.set_defaults(run=run_proof)
    one = asked.add_parser("link", help="that a copy is one of what was said")
    one.add_argument("file")
    one.set_defaults(run=run_link)
    one = asked.add_parser("certificate", help="a certificate of erasure")
    one.add_argument("file")
    one.add_argument("--person", default="", help="who it is to be about")
    one.add_argument("--salt", default="", help="what was handed over beside it")
    one.set_defaults(run=run_certificate)
    one = asked.add_parser("export", help="an export, as a folder or a zip")
    one.add_argument("path")
    one.set_defaults(run=run_export)
    one = asked.add_parser("log", help="a whole log as tiles: checkpoint and tile/")
    one.add_argument("folder")
    one.set_defaults(run=run_log)
    one = asked.add_parser("note", help="any signed note; prints its text")
    one.add_argument("file")
    one.set_defaults(run=run_note)
    return top


def keys_of(given: list[str]) -> list[Key]:
    """Read verifier keys: each is one, or a file with one a line."""
    found = []
    for each in given:
        lines = read_text(each).split("\n") if os.path.isfile(each) else [each]
        wanted = [line for line in lines if line.strip() and line[0] != "#"]
        found += [Key.parse(line) for line in wanted]
    return found


def main(arguments: list[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    try:
        witnesses = keys_of(options.witness)
        trust = Trust(keys_of(options.key), witnesses, options.quorum)
        for name in options.key_note:
            trust.follow(read_text(name))
        options.run(trust, options)
    except Bad as error:
        print("BAD " + printable(str(error)))
        return EXIT_BAD
    except (OSError, ValueError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return EXIT_USAGE
    return EXIT_GOOD


if __name__ == "__main__":
    sys.exit(main())
