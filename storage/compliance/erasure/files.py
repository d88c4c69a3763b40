"""Kept files go with the messages that hold them."""

from collections.abc import Collection
from dataclasses import dataclass

import orjson

from storage.compliance.blobs.kept import Blobs
from storage.hot import Program, Rows, Statement


@dataclass(frozen=True, slots=True)
class FilesGo:
    """Implements `bridge.compliance.Forgets` for kept files."""

    blobs: Blobs

    async def forget(self, tenant: str, seqs: Collection[int]) -> None:
        rows = await self.blobs.store.fetch(_messages(tenant, seqs))
        if rows:
            await self.blobs.store.run(lambda: self._released(tenant, rows))
            await self.blobs.sweep(tenant)

    def _released(self, tenant: str, rows: Rows) -> Program[None]:
        for platform, conv, msg in rows:
            for change in self.blobs.released(tenant, platform, conv, msg):  # noqa: UP028 - a tuple cannot be sent rows
                yield change


def _messages(tenant: str, seqs: Collection[int]) -> Statement:
    # Whoever deletes somebody else's message does not own its files.
    select = (
        "SELECT DISTINCT platform, conv, msg FROM log WHERE tenant = :tenant "
        "AND msg <> '' AND etype = 'message.create' AND seq"
    )
    return Statement(
        f"{select} IN (SELECT value FROM json_each(:seqs)) ORDER BY 1, 2, 3",
        {"tenant": tenant, "seqs": orjson.dumps(sorted(seqs)).decode()},
        postgres=f"{select} = ANY(ARRAY(SELECT "
        "jsonb_array_elements_text(:seqs::text::jsonb)::bigint)) ORDER BY 1, 2, 3",
    )
