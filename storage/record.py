"""What the log has of a channel's messages, to tell news from what is known."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from bridge.messages import Channel, EventKind, Person
from bridge.recent import Known, Words
from storage.files import files_in
from storage.hot import HotStore, Row, Statement
from storage.ledger import kind_of, newest_content
from storage.log_reader import LogEntry, LogReader
from storage.rows import clean_id

_COLUMNS = "SELECT msg, thread, etype, version_us FROM log WHERE tenant = :tenant "
_KINDS = f"AND (etype LIKE 'message.%' OR etype = '{EventKind.COMMAND}') ORDER BY seq"
_SELECT = f"{_COLUMNS}AND conv = :conv AND cap_us >= :since AND msg <> '' {_KINDS}"
_ONE = f"{_COLUMNS}AND conv = :conv AND msg = :msg {_KINDS}"


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """Implements `bridge.recent.Record`."""

    store: HotStore
    reader: LogReader

    async def known(
        self, tenant: str, channel: Channel, since_us: int
    ) -> Mapping[str, Known]:
        parameters = {"tenant": tenant, "conv": clean_id(channel.id)}
        rows = await self.store.fetch(
            Statement(_SELECT, parameters | {"since": max(since_us, 0)})
        )
        return _folded(rows)

    async def of(self, tenant: str, channel: Channel, message: str) -> Known | None:
        conv, msg = clean_id(channel.id), clean_id(message)
        wanted = {"tenant": tenant, "conv": conv, "msg": msg}
        return _folded(await self.store.fetch(Statement(_ONE, wanted))).get(msg)

    async def author(
        self, tenant: str, channel: Channel, message: str
    ) -> Person | None:
        newest = await self._newest(tenant, channel, message)
        if newest is None:
            return None
        told = newest.body["author"]
        kind = kind_of(newest)
        return Person(channel.platform, told["id"], told["name"], told["avatar"], kind)

    async def says(self, tenant: str, channel: Channel, message: str) -> Words | None:
        newest = await self._newest(tenant, channel, message)
        if newest is None:
            return None
        return newest.document, tuple(file.key for file in files_in(newest))

    async def _newest(
        self, tenant: str, channel: Channel, message: str
    ) -> LogEntry | None:
        """Return what a message says last, None if nobody has it or it was erased."""
        entries = await self.reader.revisions(tenant, channel.id, clean_id(message))
        newest = newest_content(entries) if entries else None
        return None if newest is None or newest.erased else newest


def _folded(rows: Iterable[Row]) -> dict[str, Known]:
    known: dict[str, Known] = {}
    for message, thread, etype, version_us in rows:
        before = known.get(message, Known(thread, said=False))
        known[message] = _with(before, etype, version_us)
    return known


def _with(known: Known, etype: str, version_us: int) -> Known:
    match etype:
        case EventKind.MESSAGE_EDIT:
            return replace(known, version_us=max(known.version_us, version_us))
        case EventKind.MESSAGE_DELETE:
            return replace(known, deleted=True, gone_us=version_us)
        case EventKind.MESSAGE_RESTORE:
            return replace(known, deleted=False)
        case _:
            return replace(known, said=True)
