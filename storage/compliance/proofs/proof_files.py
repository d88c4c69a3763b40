"""
Proofs as files: c2sp.org/tlog-proof@v1, with the leaf's bytes as extra data.

Whoever has such a file and the log's verifier key can see, without asking anybody,
that the entry is in the log. The extra data is not authenticated by itself: it counts
because its hash is what the proof is about.
"""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

from storage.compliance.proofs.merkle import ProofRefused

_TITLE = "c2sp.org/tlog-proof@v1"
_MOST_LINES = 63


@dataclass(frozen=True, slots=True)
class ProofFile:
    """An inclusion proof with the checkpoint that it leads to."""

    index: int
    path: Sequence[bytes]
    checkpoint: str
    extra: bytes | None = None

    def __str__(self) -> str:
        extra = [f"extra {_base64(self.extra)}"] if self.extra is not None else []
        lines = (_TITLE, *extra, f"index {self.index}", *map(_line, self.path))
        return "\n".join(lines) + f"\n\n{self.checkpoint}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a proof file. Raises `ProofRefused`."""
        head, blank, checkpoint = text.partition("\n\n")
        lines = head.split("\n")
        if not blank or lines.pop(0) != _TITLE:
            raise ProofRefused("this is no tlog-proof@v1 file")
        extra = None
        if lines and lines[0].startswith("extra "):
            extra = _bytes(lines.pop(0).removeprefix("extra "))
        if not lines or len(lines) > 1 + _MOST_LINES:
            raise ProofRefused("this is no tlog-proof@v1 file")
        word, _, index = lines.pop(0).partition(" ")
        if word != "index" or not index.isascii() or not index.isdecimal():
            raise ProofRefused("the proof file names no index")
        if str(int(index)) != index:
            raise ProofRefused("the proof file's index has leading zeroes")
        return cls(int(index), [_bytes(line) for line in lines], checkpoint, extra)


@lru_cache(maxsize=4096)
def _line(node: bytes) -> str:
    """Proofs of entries that stand near each other share most of their path."""
    return _base64(node)


def _base64(data: bytes) -> str:
    return binascii.b2a_base64(data, newline=False).decode()


def _bytes(text: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ProofRefused("a line of the proof file is not base64") from error
    if _base64(data) != text:
        raise ProofRefused("a line of the proof file is not base64")
    return data
