"""Show that what entries say is what their leaves commit to."""

from collections.abc import Sequence
from dataclasses import dataclass

from storage.compliance.export.gathering import Opening
from storage.compliance.keys import ItemKey
from storage.compliance.leaf import leaf_bytes
from storage.log_reader import LogEntry, LogReader
from storage.rows import canonical_body


@dataclass(frozen=True, slots=True)
class Openings:
    """
    Opens a company's entries for whoever gets the export.

    An entry's nonce opens this entry alone: nothing else can be guessed with it.
    """

    reader: LogReader
    tenant: str

    async def __call__(self, entries: Sequence[LogEntry]) -> Sequence[Opening]:
        refs = {entry.row["key_ref"] for entry in entries if not entry.erased}
        secrets = await self.reader.keys.secrets(self.tenant, refs)
        return [_opening(e, secrets.get(e.row["key_ref"])) for e in entries]


def _opening(entry: LogEntry, secret: bytes | None) -> Opening:
    leaf = leaf_bytes(entry.row)
    if entry.erased or secret is None:
        return Opening("", b"", leaf)
    item = ItemKey.of(secret, entry.row["eid"])
    return Opening(item.nonce.hex(), canonical_body(entry.body), leaf)
