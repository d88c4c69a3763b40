"""Write the files of formats and proofs into the export's folder, each format once."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from hashlib import sha256
from typing import Any

from storage.compliance.export import (
    actiance,
    concordance,
    csv_table,
    edrm,
    global_relay,
    native,
    purview,
    rsmf,
    slack_layout,
)
from storage.compliance.export.levels import Levels
from storage.compliance.export.model import Heading, Written
from storage.compliance.export.spool import Spool, unjson
from storage.compliance.export.spooled import SpooledSource
from storage.compliance.export.text import as_json
from storage.compliance.proofs.proof_files import ProofFile

Format = Callable[[Heading, Any], Iterator[Written]]

FORMATS: Mapping[str, Format] = {
    "native": native.files,
    "slack": slack_layout.files,
    "actiance": actiance.files,
    "eml": global_relay.files,
    "csv": csv_table.files,
    "edrm": edrm.files,
    "dat": concordance.files,
    "rsmf": rsmf.files,
    "purview": purview.files,
}


def write_format(spool: Spool, heading: Heading, name: str) -> None:
    """Write a format's files, unless they are all there."""
    source = SpooledSource(spool)
    write_files(spool, f"format-{name}", FORMATS[name](heading, source))


def write_files(spool: Spool, store: str, files: Iterable[Written]) -> None:
    """
    Write files one behind the other into a store of their own.

    They count once the last one is on disk: of half a format nothing is left.
    """
    if spool.get(store):
        return
    rows: list[tuple[str, str, int, int, str, bytes | None]] = []
    with spool.writing(store, 0) as out:
        for file in files:
            start, digest = out.tell(), sha256()
            for chunk in file.chunks:
                out.write(chunk)
                digest.update(chunk)
            entries = as_json([*file.entries()]) if file.entries else None
            size = out.tell() - start
            rows.append((file.path, store, start, size, digest.hexdigest(), entries))
    with spool.together() as base:
        base.executemany("INSERT INTO part VALUES (?, ?, ?, ?, ?, ?)", rows)
        spool.put(store, "yes")


def write_proofs(spool: Spool, levels: Levels, checkpoint: str) -> None:
    """Write the proof of every entry that a file of the export holds."""
    write_files(spool, "proofs", _proofs(spool, levels, checkpoint))


def _proofs(spool: Spool, levels: Levels, checkpoint: str) -> Iterator[Written]:
    held = spool.rows("SELECT entries FROM part WHERE entries IS NOT NULL")
    seqs = {seq for (data,) in held for seq, _leaf in unjson(data)}
    if not seqs:
        return
    for seq, leaf in spool.rows("SELECT seq, leaf FROM fact ORDER BY seq"):
        if seq not in seqs:
            continue
        proof = ProofFile(seq, levels.path(seq), checkpoint, leaf)
        yield Written(f"proofs/{seq}.tlog-proof", iter([str(proof).encode()]))
