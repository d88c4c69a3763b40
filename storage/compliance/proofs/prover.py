"""Making proofs for people to take away: of entries, of growth, of copies."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bridge.errors import BadInput, NotFound
from storage.compliance.leaf import leaf_bytes
from storage.compliance.proofs.checkpoints import Seen
from storage.compliance.proofs.proof_files import ProofFile
from storage.compliance.proofs.publisher import Publisher
from storage.log_reader import LogEntry, LogReader
from storage.rows import canonical_body


@dataclass(frozen=True, slots=True)
class Prover:
    """Proofs of what is in a company's log."""

    publisher: Publisher
    reader: LogReader

    async def checkpoint(self, tenant: str, beyond: int = -1) -> Seen:
        """Return the newest checkpoint; a new one if it does not cover `beyond`."""
        newest = await self.publisher.newest(tenant)
        if newest is None or newest.checkpoint.size <= beyond:
            newest = await self.publisher.publish(tenant)
        return newest

    async def entry(self, tenant: str, seq: int) -> ProofFile:
        """Return the proof of one entry. Raises `NotFound` if there is none."""
        entry = await self._entry(tenant, seq)
        return await self._proof(tenant, entry, await self.checkpoint(tenant, seq))

    async def entries(self, tenant: str, seqs: Sequence[int], at: Seen) -> list[str]:
        """Return the proof files of several entries, all under one checkpoint."""
        return [
            str(await self._proof(tenant, await self._entry(tenant, seq), at))
            for seq in seqs
        ]

    async def link(self, tenant: str, seq: int, *, opened: bool) -> dict[str, Any]:
        """
        Return the proof that a delivered copy is one of what was said.

        `seq` is the entry that says that it was delivered. If `opened`, what both
        entries hold is disclosed as well, with what it takes to check that it is what
        was committed to.
        """
        copy = await self._entry(tenant, seq)
        origin_seq = copy.row["origin_seq"]
        if origin_seq is None:
            raise BadInput(f"entry {seq} is about no copy: nothing precedes it")
        origin = await self._entry(tenant, origin_seq)
        at = await self.checkpoint(tenant, max(seq, origin_seq))
        told: dict[str, Any] = {
            "kind": "atom-link-proof/v1",
            "origin": str(await self._proof(tenant, origin, at)),
            "copy": str(await self._proof(tenant, copy, at)),
        }
        if opened:
            told["opened"] = {
                "origin": await self._opening(tenant, origin),
                "copy": await self._opening(tenant, copy),
            }
        return told

    async def consistency(self, tenant: str, old: int, new: int) -> list[bytes]:
        """Return the proof that the tree of `new` begins with that of `old`."""
        size = await self.publisher.keeper.keep(tenant)
        if new > size:
            raise BadInput(f"the log has {size} entries, not {new}")
        return await self.publisher.keeper.tree.consistency(tenant, old, new)

    async def _opening(self, tenant: str, entry: LogEntry) -> dict[str, str]:
        item = await self.reader.item(tenant, entry)
        if item is None or entry.erased:
            raise NotFound(f"what entry {entry.seq} said was erased")
        return {"nonce": item.nonce.hex(), "body": canonical_body(entry.body).decode()}

    async def _proof(self, tenant: str, entry: LogEntry, at: Seen) -> ProofFile:
        tree, size = self.publisher.keeper.tree, at.checkpoint.size
        path = await tree.inclusion(tenant, entry.seq, size)
        return ProofFile(entry.seq, path, at.note, leaf_bytes(entry.row))

    async def _entry(self, tenant: str, seq: int) -> LogEntry:
        found = await self.reader.entries(tenant, seq - 1, 1)
        if not found or found[0].seq != seq:
            raise NotFound(f"there is no entry {seq} in the log")
        return found[0]
