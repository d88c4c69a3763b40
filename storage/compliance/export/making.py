"""
Make an export: read, choose, write every format, prove, sign, and put it into one zip.

Killed at any point, it goes on where it was; the result is the same bytes.
"""

import asyncio
import gc
import os
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol

from bridge.errors import BadInput
from storage.compliance.export.archive import ZipWriter
from storage.compliance.export.assembling import assemble
from storage.compliance.export.fetching import MOST_BYTES, Blobs, fetch
from storage.compliance.export.gathering import (
    LEAVES,
    Entries,
    Opener,
    Progress,
    gather,
)
from storage.compliance.export.levels import Levels
from storage.compliance.export.manifest import (
    Placed,
    files_root,
    manifest,
    manifest_bytes,
    note_text,
    placed,
)
from storage.compliance.export.model import Heading, Written
from storage.compliance.export.parts import write_files, write_format, write_proofs
from storage.compliance.export.question import Matches, Question
from storage.compliance.export.spool import Piece, Spool
from storage.compliance.proofs.checkpoints import Checkpoint
from storage.compliance.tree import HASH_BYTES


class Notary(Protocol):
    """Signs in a company's name; `storage.compliance.proofs.signers` is one."""

    async def sign(self, tenant: str, text: str) -> str:
        """Return a note of `text`, signed."""
        ...


@dataclass(frozen=True, slots=True)
class Result:
    """What an export came to. `root` is the root over its files."""

    id: str
    path: Path
    size: int
    sha256: str
    root: str
    manifest_sha256: str
    counts: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Maker:
    """
    Makes exports of one company's log.

    `origin` is the log's name in its notes, `root` returns the root that the log had
    at a size, and `verifier` is the program that checks exports. In `key_notes` each
    signing key vouches for the next one, oldest first. Files of more than `most_bytes`
    are named, and left out.
    """

    reader: Entries
    opener: Opener
    blobs: Blobs
    notary: Notary
    origin: str
    root: Callable[[int], Awaitable[bytes]]
    verifier: bytes
    key_notes: Sequence[str] = ()
    most_bytes: int = MOST_BYTES

    async def make(
        self,
        spool: Spool,
        question: Question,
        matches: Matches,
        out: Path,
        progress: Progress,
    ) -> Result:
        """
        Make the export in `out`, which it replaces only when it is whole.

        Raises `BadInput` if the log was changed: nothing is exported then.
        """
        with _rarely_collected():
            return await self._made(spool, question, matches, out, progress)

    async def _made(
        self,
        spool: Spool,
        question: Question,
        matches: Matches,
        out: Path,
        progress: Progress,
    ) -> Result:
        await gather(spool, self.reader, self.opener, question, progress)
        levels = await asyncio.to_thread(self._levels, spool, question)
        if levels.root != await self.root(question.size):
            raise BadInput(
                "the log is not the one that was signed: nothing is exported"
            )
        progress("choosing", 0, 1)
        await asyncio.to_thread(assemble, spool, question, matches)
        await fetch(spool, self.blobs, question, progress, self.most_bytes)
        heading = _heading(question, spool, levels)
        for done, name in enumerate(sorted(question.formats)):
            progress(f"writing {name}", done, len(question.formats))
            await asyncio.to_thread(write_format, spool, heading, name)
        checkpoint = await self._checkpoint(question, levels)
        progress("proving", 0, 1)
        write_files(spool, "notes", self._notes(checkpoint))
        await asyncio.to_thread(write_proofs, spool, levels, checkpoint)
        return await self._packed(spool, question, heading, out, progress)

    def _levels(self, spool: Spool, question: Question) -> Levels:
        whole = Piece(LEAVES, 0, question.size * HASH_BYTES)
        return Levels(b"".join(spool.read(whole)))

    async def _checkpoint(self, question: Question, levels: Levels) -> str:
        """
        Sign the log as of the export's size.

        Neither time nor cosignatures are in it, so that it is the same every time.
        """
        stated = Checkpoint(self.origin, question.size, levels.root)
        return await self.notary.sign(question.tenant, stated.text)

    def _notes(self, checkpoint: str) -> Iterator[Written]:
        yield Written("checkpoint.note", iter([checkpoint.encode()]))
        for number, note in enumerate(self.key_notes, 1):
            yield Written(f"keys/{number:04}.note", iter([note.encode()]))

    async def _packed(
        self,
        spool: Spool,
        question: Question,
        heading: Heading,
        out: Path,
        progress: Progress,
    ) -> Result:
        files = await asyncio.to_thread(lambda: [*placed(spool)])
        told = manifest(question, heading, files, spool, self.verifier)
        stated = manifest_bytes(told)
        note = await self.notary.sign(question.tenant, note_text(self.origin, stated))
        extra = {
            "manifest.json": stated,
            "manifest.note": note.encode(),
            "verify_atom.py": self.verifier,
        }
        progress("packing", 0, 1)
        size, digest = await asyncio.to_thread(_zipped, spool, files, extra, out)
        progress("packing", 1, 1)
        return Result(
            id=question.id,
            path=out,
            size=size,
            sha256=digest,
            root=files_root(files).hex(),
            manifest_sha256=sha256(stated).hexdigest(),
            counts=told["counts"],
        )


@contextmanager
def _rarely_collected() -> Iterator[None]:
    """
    Look for garbage that refers to itself less often: here is none.

    Rows by the thousand would have Python look at everything again and again.
    """
    before = gc.get_threshold()
    gc.set_threshold(50_000, 50, 50)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _heading(question: Question, spool: Spool, levels: Levels) -> Heading:
    return Heading(
        id=question.id,
        tenant=question.tenant,
        size=question.size,
        root=levels.root.hex(),
        as_of_us=int(spool.get("as_of_us", "0")),
        zone=question.zone,
    )


def _zipped(
    spool: Spool, files: list[Placed], extra: dict[str, bytes], out: Path
) -> tuple[int, str]:
    draft = out.with_name(f".{out.name}.part")
    with os.fdopen(
        os.open(draft, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600), "w+b"
    ) as stream:
        known = {file.path: file for file in files}
        with ZipWriter(stream) as archive, spool.reading() as read:
            for path in sorted([*known, *extra]):
                if path in extra:
                    archive.add(path, [extra[path]])
                    continue
                file = known[path]
                piece = Piece(file.store, file.start, file.size)
                if archive.add(path, read(piece)) != (file.size, file.sha256):
                    raise BadInput("the export's folder was changed: remove it")
        stream.flush()
        os.fsync(stream.fileno())
        size = stream.tell()
        stream.seek(0)
        digest = sha256()
        while chunk := stream.read(1 << 20):
            digest.update(chunk)
    draft.replace(out)
    return size, digest.hexdigest()
