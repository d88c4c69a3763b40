"""How many messages were cut as echoes, read from the log's end."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bridge.messages import Channel, PersonKind
from bridge.others import is_loop
from storage.hot import Statement
from storage.log_reader import LogReader
from storage.rows import clean_id

_FAR = 10_000  # entries to look back at most
_MOST = 500  # to open at most: more than any limit that makes sense

_DENIED = (
    "SELECT seq FROM log WHERE tenant = :tenant AND cap_us >= :since "
    "AND seq >= (SELECT size FROM head WHERE tenant = :tenant) - :far "
    f"AND outcome = 'deny' AND actor_kind = '{PersonKind.BOT}' "
    "ORDER BY seq DESC LIMIT :most"
)


@dataclass(frozen=True, slots=True)
class EchoesInLog:
    """Implements `bridge.echo_alarm.EchoesCut`."""

    reader: LogReader

    async def since(
        self, tenant: str, channels: Sequence[Channel], since_us: int
    ) -> Mapping[Channel, int]:
        asked = {"tenant": tenant, "since": since_us, "far": _FAR, "most": _MOST}
        rows = await self.reader.store.fetch(Statement(_DENIED, asked))
        if not rows:
            return {}
        entries = await self.reader.at(tenant, [row[0] for row in rows])
        found = Counter(
            entry.row["conv"]
            for entry in entries
            if any(is_loop(each["rule"]) for each in entry.body.get("decisions") or ())
        )
        counts = {channel: found[clean_id(channel.id)] for channel in channels}
        return {channel: count for channel, count in counts.items() if count}
