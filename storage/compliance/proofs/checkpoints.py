"""
Checkpoints: a tree's size and root, signed (c2sp.org/tlog-checkpoint).

Below its signature a log puts a second one with the time, in the form in which
witnesses cosign: so a checkpoint that says the same as the one before still shows
that somebody was there to sign it.
"""

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from storage.compliance.proofs.notes import (
    COSIGNATURE,
    NoteRefused,
    SigningKey,
    VerifierKey,
    opened,
)
from storage.compliance.tree import HASH_BYTES

_LINES = 3


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log claims: that its first `size` entries have this root."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a checkpoint's text. Raises `NoteRefused`."""
        lines = text.split("\n")
        if len(lines) < _LINES + 1 or not lines[0]:
            raise NoteRefused("this note is no checkpoint")
        try:
            root = base64.b64decode(lines[2], validate=True)
        except binascii.Error as error:
            raise NoteRefused("the checkpoint's root is not base64") from error
        size = lines[1]
        plain = size.isascii() and size.isdecimal() and str(int(size)) == size
        if not plain or len(root) != HASH_BYTES:
            raise NoteRefused("this note is no checkpoint")
        return cls(lines[0], int(size), root)


@dataclass(frozen=True, slots=True)
class Seen:
    """A checkpoint whose signature holds, and when it was signed, in seconds UTC."""

    checkpoint: Checkpoint
    note: str
    time: int


def signed(checkpoint: Checkpoint, time: int, *keys: SigningKey) -> str:
    """Return the note, signed by each of the log's keys, and the time by the last."""
    note = keys[0].sign(checkpoint.text)
    for key in keys[1:]:
        note = key.add_to(note)
    return note + keys[-1].cosignature(checkpoint.text, time)


def verified(note: str, keys: Iterable[VerifierKey]) -> Seen:
    """
    Return the checkpoint of a note that the log's `keys` (of type 1) sign.

    Raises `NoteRefused`. Its time is 0 if no time is signed.
    """
    known = tuple(keys)
    stamping = (VerifierKey(k.name, k.public, COSIGNATURE) for k in known)
    found = opened(note, (*known, *stamping))
    checkpoint = Checkpoint.parse(found.text)
    own = checkpoint.origin
    if not any(s.name == own for s in found.signatures if not s.time):
        raise NoteRefused("the checkpoint is not signed by its own log")
    times = [s.time for s in found.signatures]
    return Seen(checkpoint, note, max(times))
