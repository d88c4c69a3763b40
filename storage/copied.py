"""What was said and copied lately, read from the log's end."""

from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from bridge.echoes import Copied
from bridge.messages import Channel
from storage.compliance.keys import ItemKey, SealBroken
from storage.compliance.sealing import open_body
from storage.hot import Statement
from storage.log_reader import LogReader
from storage.rows import clean_id

_MOST = 2_000  # entries; what is further back is not of just now


@dataclass(frozen=True, slots=True)
class CopiedInLog:
    """Implements `bridge.echoes.CopiedLately`."""

    reader: LogReader

    async def since(
        self, tenant: str, channels: Sequence[Channel], since_us: int
    ) -> list[Copied]:
        conversations = orjson.dumps([clean_id(c.id) for c in channels]).decode()
        rows = await self.reader.store.fetch(
            Statement(
                "SELECT l.key_ref, l.eid, l.ct, l.conv, coalesce(o.conv, l.conv) FROM log l "
                "LEFT JOIN log o ON o.tenant = l.tenant AND o.seq = l.origin_seq "
                "WHERE l.tenant = :tenant AND l.etype IN ('message.create', 'bridge.delivered') "
                "AND l.seq >= (SELECT size FROM head WHERE tenant = :tenant) - :most "
                "AND l.cap_us >= :since "
                "AND l.conv IN (SELECT value FROM json_each(:conversations)) "
                "ORDER BY l.seq",
                {
                    "tenant": tenant,
                    "most": _MOST,
                    "since": since_us,
                    "conversations": conversations,
                },
                postgres="SELECT l.key_ref, l.eid, l.ct, l.conv, coalesce(o.conv, l.conv) FROM log l "
                "LEFT JOIN log o ON o.tenant = l.tenant AND o.seq = l.origin_seq "
                "WHERE l.tenant = :tenant AND l.etype IN ('message.create', 'bridge.delivered') "
                "AND l.seq >= (SELECT size FROM head WHERE tenant = :tenant) - :most "
                "AND l.cap_us >= :since AND l.conv = ANY(ARRAY(SELECT "
                "jsonb_array_elements_text(:conversations::text::jsonb))) "
                "ORDER BY l.seq",
            )
        )
        secrets = await self.reader.keys.secrets(tenant, {row[0] for row in rows})
        found = []
        for reference, eid, sealed, target, source in rows:
            secret = secrets.get(reference)
            if secret is None or not sealed:
                continue
            try:
                body = open_body(ItemKey.of(secret, eid), bytes(sealed))
            except SealBroken:
                continue
            text = str(orjson.loads(body).get("text", ""))
            found.append(Copied(source, target, text))
        return found
