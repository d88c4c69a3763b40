"""The manifest of an export: every file with its hash, and what was asked for."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

from storage.compliance.export.model import Heading
from storage.compliance.export.question import Question
from storage.compliance.export.spool import Spool, unjson
from storage.compliance.export.text import as_json
from storage.compliance.leaf import canonical
from storage.compliance.tree import Frontier, leaf_hash

VERSION = 1
TITLE = "atom-manifest/v1"


@dataclass(frozen=True, slots=True)
class Placed:
    """A file of the export and where its bytes are in the folder."""

    path: str
    store: str
    start: int
    size: int
    sha256: str
    entries: Sequence[tuple[int, str]] = ()

    @property
    def stated(self) -> Mapping[str, Any]:
        told = {"path": self.path, "bytes": self.size, "sha256": self.sha256}
        if not self.entries:
            return told
        return told | {"entries": [list(entry) for entry in self.entries]}


def placed(spool: Spool) -> Iterator[Placed]:
    """Yield every file that the manifest names, by its path."""
    rows = spool.rows(
        "SELECT path, store, start, size, sha256, entries FROM part "
        "UNION ALL SELECT path, 'files', start, size, sha256, NULL FROM content "
        "WHERE start IS NOT NULL ORDER BY 1"
    )
    for path, store, start, size, digest, entries in rows:
        held = tuple(map(tuple, unjson(entries))) if entries else ()
        yield Placed(path, store, start, size, digest, held)


def manifest(
    question: Question,
    heading: Heading,
    files: Sequence[Placed],
    spool: Spool,
    verifier: bytes,
) -> dict[str, Any]:
    """
    Return the manifest.

    Nothing in it depends on who made the export, when or where: the same question
    about the same log has the same manifest. That stands in the log itself.
    """
    return {
        "version": VERSION,
        "export_id": heading.id,
        "tenant": heading.tenant,
        "matter": question.matter,
        "query": question.stated,
        "query_ast_sha256": sha256(as_json(question.stated, ordered=True)).hexdigest(),
        "formats": sorted(question.formats),
        "as_of": {"size": heading.size, "root": heading.root},
        "created_us": heading.as_of_us,
        "tz": heading.zone,
        "tool": {
            "name": "ATOM",
            "version": version("atom-bridge"),
            "sha256": tool(),
            "verifier_sha256": sha256(verifier).hexdigest(),
        },
        "counts": counts(spool),
        "missing_files": [*_missing(spool)],
        "items": [file.stated for file in files],
        "files_root": files_root(files).hex(),
    }


def manifest_bytes(told: Mapping[str, Any]) -> bytes:
    return canonical(told)


def note_text(origin: str, manifest_json: bytes) -> str:
    """Return what is signed for a manifest."""
    return f"{TITLE}\n{origin}\nsha256 {sha256(manifest_json).hexdigest()}\n"


def files_root(files: Sequence[Placed]) -> bytes:
    """Return the RFC 6962 root over `<sha256> <path>` of each file."""
    leaves = (leaf_hash(f"{f.sha256} {f.path}".encode()) for f in files)
    frontier = Frontier()
    for leaf in leaves:
        frontier = frontier.append(leaf)
    return frontier.root()


def counts(spool: Spool) -> dict[str, Any]:
    """Return how many messages matched, and of how many something is withheld."""
    matched, copies = int(spool.get("matched")), int(spool.get("copies"))
    withheld = unjson(spool.get("withheld", "{}"))
    return {
        "matched": matched,
        "exported": matched - sum(withheld.values()),
        "copies": copies,
        "withheld_by_reason": withheld,
    }


def _missing(spool: Spool) -> Iterator[dict[str, str]]:
    """Every file whose bytes are not here, with the reason: none is dropped silently."""
    for path, reason in spool.rows(
        "SELECT path, missing FROM content WHERE missing <> '' "
        "UNION ALL SELECT path, reason FROM unkept ORDER BY 1, 2"
    ):
        yield {"path": path, "reason": reason}


@cache
def tool() -> str:
    """Return SHA-256 over the sources that made the export."""
    digest = sha256()
    for source in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(source.name.encode() + b"\0" + source.read_bytes())
    return digest.hexdigest()
