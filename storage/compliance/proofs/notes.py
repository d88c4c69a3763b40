"""
Signed notes, as C2SP states them (c2sp.org/signed-note).

A note is a text, an empty line, and a line a signature. Whoever has a signer's public
key (a *vkey*) can check it, with no more than the note in hand.
"""

import base64
import binascii
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from bridge.errors import AtomError, BadInput

ED25519 = 1
COSIGNATURE = 4  # c2sp.org/tlog-cosignature: the time, and a signature over it too

_KEY_BYTES = 32
_ID_BYTES = 4
_SIGNATURE_BYTES = 64
_STAMPED_BYTES = 8 + _SIGNATURE_BYTES
_MOST_SIGNATURES = 100
_MARK = "\n\n\N{EM DASH} "
_LINE = re.compile("\N{EM DASH} (\\S+) ([A-Za-z0-9+/]+=*)")
_NAME = re.compile(r"[^\s+]+")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")


class NoteRefused(AtomError):
    """A note is malformed, or nobody known has signed it."""


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A signer's public key: what `NAME+ID+KEY` (a vkey) says."""

    name: str
    public: bytes
    algorithm: int = ED25519

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a vkey. Raises `BadInput` unless its id is the one of its key."""
        try:
            name, told, encoded = text.strip().split("+", 2)
            data = base64.b64decode(encoded, validate=True)
        except (ValueError, binascii.Error) as error:
            raise BadInput("a verifier key looks like NAME+ID+KEY") from error
        if not _NAME.fullmatch(name) or len(data) != 1 + _KEY_BYTES:
            raise BadInput("a verifier key looks like NAME+ID+KEY")
        if data[0] not in {ED25519, COSIGNATURE}:
            raise BadInput(f"verifier keys of type {data[0]} are not known")
        key = cls(name, data[1:], data[0])
        if key.id.hex() != told or str(key) != text.strip():
            raise BadInput("the verifier key's id is not the one of its key")
        return key

    @property
    def id(self) -> bytes:
        """Four bytes that tell apart keys of one name."""
        told = self.name.encode() + b"\n" + bytes([self.algorithm]) + self.public
        return sha256(told).digest()[:_ID_BYTES]

    def __str__(self) -> str:
        encoded = base64.b64encode(bytes([self.algorithm]) + self.public).decode()
        return f"{self.name}+{self.id.hex()}+{encoded}"

    def verifies(self, text: str, signature: bytes) -> bool:
        """Say whether `signature` (without the id) is this key's over `text`."""
        if self.algorithm == COSIGNATURE:
            if len(signature) != _STAMPED_BYTES:
                return False
            stamp, signature = int.from_bytes(signature[:8], "big"), signature[8:]
            text = cosigned_text(text, stamp)
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(
                signature, text.encode()
            )
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A signer: a name, and the 32 bytes of an Ed25519 private key (RFC 8032)."""

    name: str
    seed: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name) or len(self.seed) != _KEY_BYTES:
            raise BadInput("a signer has a name without spaces or '+', and 32 bytes")

    @property
    def verifier(self) -> VerifierKey:
        return VerifierKey(self.name, self._key.public_key().public_bytes_raw())

    @property
    def cosigner(self) -> VerifierKey:
        """The vkey for what this signer cosigns as a witness."""
        return VerifierKey(self.name, self.verifier.public, COSIGNATURE)

    def sign(self, text: str) -> str:
        """Return the note. Raises `BadInput` if `text` cannot be one's text."""
        check_text(text)
        return f"{text}\n{self.line(text)}"

    def add_to(self, note: str) -> str:
        """Return the note with this signer's line at its end."""
        return note + self.line(split(note).text)

    def line(self, text: str) -> str:
        """Return this signer's line below a note of `text`."""
        signature = self._key.sign(text.encode())
        return signature_line(self.verifier, signature)

    def cosignature(self, text: str, time: int) -> str:
        """Return a witness's line: that at `time` (seconds UTC) it saw `text`."""
        signature = self._key.sign(cosigned_text(text, time).encode())
        return signature_line(self.cosigner, time.to_bytes(8, "big") + signature)

    @property
    def _key(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.seed)


@dataclass(frozen=True, slots=True)
class Signature:
    """A line below a note: who claims to have signed, and what."""

    name: str
    key_id: bytes
    data: bytes = field(repr=False)

    def is_by(self, key: VerifierKey) -> bool:
        return self.name == key.name and self.key_id == key.id

    @property
    def time(self) -> int:
        """The seconds UTC of a cosignature; 0 for a plain signature."""
        stamped = len(self.data) == _STAMPED_BYTES
        return int.from_bytes(self.data[:8], "big") if stamped else 0


@dataclass(frozen=True, slots=True)
class Note:
    """A note in two. Nothing of it is verified yet."""

    text: str
    signatures: tuple[Signature, ...]


def split(note: str) -> Note:
    """Take a note apart. Raises `NoteRefused` when it is none."""
    head, mark, tail = note.rpartition("\n\n")
    text = head + "\n"
    lines = tail.split("\n")
    if not mark or not head or lines.pop() or len(lines) > _MOST_SIGNATURES:
        raise NoteRefused("this is no signed note")
    if _CONTROL.search(note):
        raise NoteRefused("a signed note holds no control characters")
    return Note(text, tuple(_signature(line) for line in lines))


def opened(note: str, keys: Iterable[VerifierKey]) -> Note:
    """
    Return the note with those signatures that `keys` verify, at least one.

    Raises `NoteRefused` if there is none, or one that claims a known key and is not
    its. Signatures of unknown keys count for nothing.
    """
    told, found = split(note), []
    known = tuple(keys)
    for signature in told.signatures:
        for key in known:
            if not signature.is_by(key):
                continue
            if not key.verifies(told.text, signature.data):
                raise NoteRefused(f"the signature of {key.name} is not over this text")
            if signature not in found:
                found.append(signature)
    if not found:
        raise NoteRefused("nobody who is trusted has signed this note")
    return Note(told.text, tuple(found))


def with_lines(note: str, lines: str) -> str:
    """
    Return the note with more signature lines.

    A key has one line, its newest; a note's first line, which is the log's own, stays.
    """
    found = split(note)
    text, _, below = note.rpartition("\n\n")
    kept = dict(zip(_marks(found.signatures), below.splitlines(), strict=True))
    added = split(f"{text}\n\n{lines}")
    kept |= dict(zip(_marks(added.signatures), lines.splitlines(), strict=True))
    return text + "\n\n" + "".join(f"{line}\n" for line in kept.values())


def first_signed(note: str) -> str:
    """Return the note with its first signature only."""
    text, _, below = note.rpartition("\n\n")
    return f"{text}\n\n{below.splitlines()[0]}\n"


def _marks(signatures: Iterable[Signature]) -> list[tuple[str, bytes]]:
    return [(signature.name, signature.key_id) for signature in signatures]


def check_text(text: str) -> None:
    """Raise `BadInput` unless `text` can be signed as a note."""
    if not text.endswith("\n") or _CONTROL.search(text) or _MARK in text:
        raise BadInput("a note's text is lines without control characters")


def cosigned_text(text: str, time: int) -> str:
    """Return what a cosignature of a note's `text` at `time` is over."""
    return f"cosignature/v1\ntime {time}\n{text}"


def signature_line(key: VerifierKey, signature: bytes) -> str:
    encoded = base64.b64encode(key.id + signature).decode()
    return f"\N{EM DASH} {key.name} {encoded}\n"


def _signature(line: str) -> Signature:
    if not (found := _LINE.fullmatch(line)):
        raise NoteRefused("a line below the note is no signature")
    try:
        data = base64.b64decode(found[2], validate=True)
    except binascii.Error as error:
        raise NoteRefused("a signature is not base64") from error
    if len(data) <= _ID_BYTES or base64.b64encode(data).decode() != found[2]:
        raise NoteRefused("a signature is not base64")
    return Signature(found[1], data[:_ID_BYTES], data[_ID_BYTES:])
