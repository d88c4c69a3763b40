"""The bytes of files go with the last message that holds them."""

from collections.abc import Collection
from dataclasses import dataclass

import orjson

from storage.compliance.blobs.kept import Blobs
from storage.hot import Program, Statement


@dataclass(frozen=True, slots=True)
class ForgottenFiles:
    """
    Implements `bridge.compliance.Forgets`.

    A message of which no revision can be read any more holds no files. A blob that
    another message holds stays.
    """

    blobs: Blobs

    async def forget(self, tenant: str, seqs: Collection[int]) -> None:
        rows = await self.blobs.store.fetch(_unreadable(tenant, seqs))
        statements = [
            statement
            for platform, conv, msg in rows
            for statement in self.blobs.released(tenant, platform, conv, msg)
        ]
        if not statements:
            return

        def released() -> Program[None]:
            for statement in statements:  # noqa: UP028 - a list cannot be sent rows
                yield statement

        await self.blobs.store.run(released)
        await self.blobs.sweep(tenant)


def _unreadable(tenant: str, seqs: Collection[int]) -> Statement:
    rest = (
        "l.tenant = :tenant AND l.msg <> '' AND NOT EXISTS (SELECT 1 FROM log r "
        "WHERE r.tenant = l.tenant AND r.conv = l.conv AND r.msg = l.msg "
        "AND r.platform = l.platform AND r.etype LIKE 'message.%' AND length(r.ct) > 0)"
    )
    return Statement(
        "SELECT DISTINCT l.platform, l.conv, l.msg FROM json_each(:seqs) AS n "
        f"CROSS JOIN log l WHERE l.seq = n.value AND {rest}",
        {"tenant": tenant, "seqs": orjson.dumps(sorted(seqs)).decode()},
        postgres="SELECT DISTINCT l.platform, l.conv, l.msg FROM log l "
        "WHERE l.seq = ANY(ARRAY(SELECT "
        f"jsonb_array_elements_text(:seqs::text::jsonb)::bigint)) AND {rest}",
    )
