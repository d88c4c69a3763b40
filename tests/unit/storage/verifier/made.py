"""What ATOM would give out, made with its own modules and small enough to flip."""

import json
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from storage.compliance.leaf import canonical
from storage.compliance.proofs.checkpoints import Checkpoint, signed
from storage.compliance.proofs.notes import SigningKey
from storage.compliance.proofs.proof_files import ProofFile
from storage.compliance.proofs.tiles import (
    Tiles,
    consistency_lines,
    grown,
    inclusion_lines,
)
from storage.compliance.tree import Frontier, leaf_hash

ORIGIN = "atom-log/acme/3f9a2b1c"
TIME = 1_900_000_000
KEY = SigningKey(ORIGIN, bytes(range(32)))
NEXT = SigningKey(ORIGIN, bytes(range(1, 33)))
WITNESS = SigningKey("witness.example/w1", bytes(range(2, 34)))


@dataclass
class Log:
    """A log of leaves, signed at any of its sizes."""

    leaves: list[bytes] = field(default_factory=list)
    key: SigningKey = KEY

    @classmethod
    def of(cls, count: int, word: str = "entry") -> "Log":
        rows = ({"seq": n, "typ": "message.create", "msg": word} for n in range(count))
        return cls([canonical(row) for row in rows])

    @property
    def hashes(self) -> list[bytes]:
        return [leaf_hash(leaf) for leaf in self.leaves]

    @property
    def tiles(self) -> Tiles:
        return Tiles(grown(0, {}, self.hashes))

    def checkpoint(self, size: int) -> Checkpoint:
        root = Frontier().extend(self.hashes[:size]).root()
        return Checkpoint(self.key.name, size, root)

    def note(self, size: int, time: int = TIME) -> str:
        return signed(self.checkpoint(size), time, self.key)

    def proof(self, seq: int, size: int, note: str = "") -> str:
        path = self.tiles.proof(inclusion_lines(seq, size))
        return str(ProofFile(seq, path, note or self.note(size), self.leaves[seq]))

    def consistency(self, old: int, new: int) -> list[bytes]:
        return self.tiles.proof(consistency_lines(old, new))


def export(folder: Path, log: Log, files: dict[str, bytes]) -> dict[str, bytes]:
    """Write a small export of the log's first entries; returns its files."""
    size = len(log.leaves)
    note = log.note(size)
    names = dict(files)
    items: list[dict[str, object]] = []
    for seq, name in enumerate(sorted(files)):
        names[f"proofs/{seq}.tlog-proof"] = log.proof(seq, size, note).encode()
        items.append({"path": name, "seq": seq, "leaf": log.hashes[seq].hex()})
    names["checkpoint.note"] = note.encode()
    listed = {str(item["path"]): item for item in items}
    items = [
        {
            **listed.get(path, {"path": path}),
            "bytes": len(data),
            "sha256": sha256(data).hexdigest(),
        }
        for path, data in sorted(names.items())
    ]
    told = (leaf_hash(f"{i['sha256']} {i['path']}".encode()) for i in items)
    manifest = canonical(
        {
            "version": 1,
            "as_of": {"size": size, "root": log.checkpoint(size).root.hex()},
            "items": items,
            "files_root": Frontier().extend(list(told)).root().hex(),
        }
    )
    names["manifest.json"] = manifest
    digest = sha256(manifest).hexdigest()
    text = f"atom-manifest/v1\n{log.key.name}\nsha256 {digest}\n"
    names["manifest.note"] = log.key.sign(text).encode()
    for name, data in names.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return names


def certificate(key: SigningKey = KEY) -> str:
    person = sha256(b"5a17|slack|U1").hexdigest()
    told = {"erased": 3, "held": 0, "person": person}
    body = json.dumps(told, sort_keys=True, separators=(",", ":"))
    return key.sign(f"atom-erasure/v1\n{body}\n")
