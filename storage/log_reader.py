"""Reading the log: opening entries, and proving that nothing in it was changed."""

from collections import deque
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Callable,
    Collection,
    Iterable,
    Mapping,
    Sequence,
)
from contextlib import aclosing, suppress
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import orjson

from bridge.catchup import AHEAD
from bridge.document import Document, from_json
from bridge.messages import EventKind
from bridge.spooled import VIA as SPOOLED
from storage.compliance.conflicts import PUSHED
from storage.compliance.keys import ItemKey, Keyring, SealBroken
from storage.compliance.keys.gone import Gone, gone
from storage.compliance.keys.ring import Stored, stored
from storage.compliance.leaf import is_skewed, leaf_of
from storage.compliance.portions import Portion, Portions, whole
from storage.compliance.sealing import open_body, raw_fault
from storage.compliance.tree import EMPTY_ROOT, HASH_BYTES, Frontier
from storage.crew import Crew
from storage.hot import HotStore, Row, Statement
from storage.months import since_us
from storage.schema import log

COLUMNS = tuple(column.name for column in log.columns)
_KEY = ("k.ref", "k.version", "k.wrapped")
_FROM = (
    "FROM log l LEFT JOIN subject_key k "
    "ON k.tenant = l.tenant AND k.ref = l.key_ref WHERE l.tenant = :tenant"
)
_SINCE = "AND l.cap_us >= :since "  # lets PostgreSQL leave earlier months alone
# Not in the order of an index: see storage/batch_reads.py.
_IN_ORDER = "ORDER BY l.seq + 0"
_WITHOUT_RAW = tuple(name for name in COLUMNS if name != "raw_ct")
_PAGE = 1000

Done = TypeVar("Done")

# Platforms send again for five minutes; what comes later was not heard in its time.
LATE_US = 6 * 60 * 1_000_000
# What they pushed seems late as well where our clock is ahead of theirs.
_CLOCKS_DIFFER_US = 10 * 60 * 1_000_000
# What waited on the disk was acknowledged, and its author heard of no trouble.
_WAITED_US = 30 * 1_000_000


@dataclass(frozen=True, slots=True)
class LogHead:
    """How long a tenant's log is, and the root of the tree over it."""

    size: int
    root: bytes

    @property
    def root_hex(self) -> str:
        return self.root.hex()


@dataclass(frozen=True, slots=True)
class LogEntry:
    """
    A log entry with its body opened.

    Of an entry that was erased, or disposed of, the row is all that is left: the body
    is empty then. `known` is the body's document, where it need not be read again.
    """

    row: Mapping[str, Any]
    body: Mapping[str, Any]
    erased: bool = False
    known: Document | None = None

    @property
    def document(self) -> Document:
        """What a message says. Raises `LookupError` and others if the body has none."""
        return from_json(self.body["document"]) if self.known is None else self.known

    @property
    def seq(self) -> int:
        seq: int = self.row["seq"]
        return seq

    @property
    def etype(self) -> str:
        etype: str = self.row["etype"]
        return etype

    @property
    def skewed(self) -> bool:
        """Whether the platform's time and ours are further apart than 5 minutes."""
        return is_skewed(self.row)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer of a verification; `fault` is empty when all is well."""

    size: int
    root: bytes
    fault: str = ""

    @property
    def intact(self) -> bool:
        return not self.fault


@dataclass(frozen=True, slots=True)
class LogReader:
    """Reads one database's logs with the tenants' keys."""

    store: HotStore
    keys: Keyring
    crew: Crew = field(default_factory=Crew)

    async def head(self, tenant: str) -> LogHead:
        rows = await self.store.fetch(
            Statement(
                "SELECT size, root FROM head WHERE tenant = :tenant", {"tenant": tenant}
            )
        )
        return (
            LogHead(rows[0][0], bytes(rows[0][1])) if rows else LogHead(0, EMPTY_ROOT)
        )

    async def heads(self) -> dict[str, int]:
        """Return the size of every tenant's log."""
        rows = await self.store.fetch(Statement("SELECT tenant, size FROM head"))
        return dict(rows)

    async def entries(self, tenant: str, after: int, limit: int) -> list[LogEntry]:
        """Return entries with a position above `after`, lowest first."""
        return await self._opened(tenant, await self._rows(tenant, after, limit))

    async def at(self, tenant: str, seqs: Collection[int]) -> list[LogEntry]:
        """Return the entries at some positions, lowest first; `raw_ct` is left out."""
        return await self._opened(tenant, await self._at(tenant, seqs))

    async def _at(self, tenant: str, seqs: Collection[int]) -> "list[_Found]":
        rows = await self.store.fetch(
            Statement(
                f"SELECT {_columns(_WITHOUT_RAW)} {_FROM} AND l.seq IN "
                "(SELECT value FROM json_each(:seqs)) ORDER BY l.seq",
                {"tenant": tenant, "seqs": orjson.dumps(sorted(seqs)).decode()},
                postgres=f"SELECT {_columns(_WITHOUT_RAW)} {_FROM} AND l.seq = "
                "ANY(ARRAY(SELECT jsonb_array_elements_text(:seqs::text::jsonb)::bigint"
                ")) ORDER BY l.seq",
            )
        )
        return [_named(row, _WITHOUT_RAW) for row in rows]

    async def sealed(self, tenant: str, seqs: Collection[int]) -> list[LogEntry]:
        """Return entries with nothing opened, for whoever has other keys to them."""
        rows = await self._at(tenant, seqs)
        return [LogEntry(found.row, {}, erased=True) for found in rows]

    async def between(
        self,
        tenant: str,
        first: int,
        upto: int,
        etypes: Collection[str],
        without: Collection[int] = (),
    ) -> list[LogEntry]:
        """
        Return the entries of these types with `first <= seq < upto`, without `raw_ct`,
        and not those at the positions `without`.
        """
        kinds = ", ".join(f"'{etype}'" for etype in sorted(etypes))
        row: dict[str, Any] = {"tenant": tenant, "first": first, "upto": upto}
        head = (
            f"SELECT {_columns(_WITHOUT_RAW)} {_FROM} AND l.seq >= :first "
            f"AND l.seq < :upto AND l.etype IN ({kinds})"
        )
        embedded = server = ""
        if without:
            row["without"] = orjson.dumps(sorted(without)).decode()
            embedded = " AND l.seq NOT IN (SELECT value FROM json_each(:without))"
            server = (
                " AND l.seq <> ALL(ARRAY(SELECT jsonb_array_elements_text("
                ":without::text::jsonb)::bigint))"
            )
        rows = await self.store.fetch(
            Statement(
                f"{head}{embedded} ORDER BY l.seq",
                row,
                postgres=f"{head}{server} ORDER BY l.seq",
            )
        )
        return await self._opened(tenant, [_named(row, _WITHOUT_RAW) for row in rows])

    async def of_message(self, tenant: str, msg: str) -> list[LogEntry]:
        """Return what messages of this id said, in whatever channel, oldest first."""
        rows = await self.store.fetch(
            Statement(
                f"SELECT {_columns(_WITHOUT_RAW)} {_FROM} AND l.msg = :msg "
                "AND l.etype LIKE 'message.%' ORDER BY l.seq",
                {"tenant": tenant, "msg": msg},
            )
        )
        return await self._opened(tenant, [_named(row, _WITHOUT_RAW) for row in rows])

    async def revisions(self, tenant: str, conv: str, msg: str) -> list[LogEntry]:
        """
        Return what is known of one message, in the order of capture.

        The platform's own words (`raw_ct`) are left out: every delivery asks this.
        """
        return await self.about(tenant, conv, msg, "message.%")

    async def item(self, tenant: str, entry: LogEntry) -> ItemKey | None:
        """Return the key that opens an entry and its commitment; None if it is gone."""
        return (await self.items(tenant, [entry])).get(entry.seq)

    async def items(
        self, tenant: str, entries: Sequence[LogEntry]
    ) -> dict[int, ItemKey]:
        """Return the keys of entries by position; those that are gone are left out."""
        refs = {entry.row["key_ref"] for entry in entries}
        secrets = await self.keys.secrets(tenant, refs)
        return {
            entry.seq: ItemKey.of(secret, entry.row["eid"])
            for entry in entries
            if (secret := secrets.get(entry.row["key_ref"]))
        }

    async def leaf(self, tenant: str, seq: int) -> bytes | None:
        """Return an entry's place in the tree, which needs no key; None if it is gone."""
        rows = await self.store.fetch(
            Statement(
                "SELECT leaf FROM log WHERE tenant = :tenant AND seq = :seq",
                {"tenant": tenant, "seq": seq},
            )
        )
        return bytes(rows[0][0]) if rows else None

    async def about(
        self, tenant: str, conv: str, msg: str, kinds: str
    ) -> list[LogEntry]:
        """Return the entries about one message whose types match, oldest first."""
        head = (
            f"SELECT {_columns(_WITHOUT_RAW)} {_FROM} AND l.conv = :conv "
            "AND l.msg = :msg AND l.etype LIKE :kinds "
        )
        row = {"tenant": tenant, "conv": conv, "msg": msg, "kinds": kinds}
        rows = await self._in_order(head, row, since_us(msg))
        return await self._opened(tenant, [_named(row, _WITHOUT_RAW) for row in rows])

    async def entry(self, tenant: str, seq: int, msg: str = "") -> LogEntry | None:
        """
        Return the entry at a position, without `raw_ct`.

        Where it is known which message it is about, it is found in less time.
        """
        head = f"SELECT {_columns(_WITHOUT_RAW)} {_FROM} AND l.seq = :seq "
        row = {"tenant": tenant, "seq": seq}
        rows = await self._in_order(head, row, since_us(msg))
        found = [_named(row, _WITHOUT_RAW) for row in rows]
        return next(iter(await self._opened(tenant, found)), None)

    async def about_each(
        self, tenant: str, wanted: Mapping[tuple[str, str], Collection[str]]
    ) -> list[LogEntry]:
        """
        Return the entries about several messages at once, oldest first.

        `wanted` are patterns of types by channel and message, as `about` has them.
        """
        since = min((since_us(msg) for _, msg in wanted), default=0)
        row: dict[str, Any] = {"tenant": tenant}
        places = []
        for n, ((conv, msg), kinds) in enumerate(wanted.items()):
            names = [f"kind{n}_{k}" for k, _ in enumerate(kinds)]
            row |= {f"conv{n}": conv, f"msg{n}": msg}
            row |= dict(zip(names, kinds, strict=True))
            types = " OR ".join(f"l.etype LIKE :{name}" for name in names)
            places.append(f"(l.conv = :conv{n} AND l.msg = :msg{n} AND ({types}))")
        head = f"SELECT {_columns(_WITHOUT_RAW)} {_FROM} AND ({' OR '.join(places)}) "
        rows = await self._in_order(head, row, since)
        return await self._opened(tenant, [_named(row, _WITHOUT_RAW) for row in rows])

    async def _in_order(
        self, head: str, row: Mapping[str, Any], since_us: int
    ) -> Sequence[Row]:
        """
        Return what a query finds, by position.

        Nothing was captured before `since_us`, unless somebody's clock was far off:
        where nothing is found at all, that is looked for as well.
        """
        rows = await self.store.fetch(
            Statement(
                f"{head}{_IN_ORDER}",
                {**row, "since": since_us},
                postgres=f"{head}{_SINCE}{_IN_ORDER}",
                brief=True,
            )
        )
        if rows or not since_us:
            return rows
        return await self.store.fetch(Statement(f"{head}{_IN_ORDER}", row, brief=True))

    async def verify(
        self, tenant: str, progress: Callable[[int, int], None] = lambda _a, _b: None
    ) -> Verdict:
        """
        Read the whole log again and compare it with its head.

        Names the first position at which something is missing or was changed. What
        does not open any more has to be said in the log itself to be gone.
        """
        head = await self.head(tenant)
        frontier, fault = Frontier(), ""
        async for hashes, said in self._verified(tenant, head.size):
            frontier = frontier.extend(hashes)
            fault = fault or said
            progress(frontier.size, head.size)
        if fault:
            return Verdict(head.size, head.root, fault)
        if frontier.size != head.size:
            return Verdict(
                head.size, head.root, f"entry {frontier.size} and later are missing"
            )
        if frontier.root() != head.root:
            return Verdict(head.size, head.root, "the head's root is another one")
        return Verdict(head.size, head.root)

    async def _verified(
        self, tenant: str, size: int
    ) -> AsyncIterator[tuple[Sequence[bytes], str]]:
        """Yield the leaf hashes of what is whole; what is wrong is the last one said."""
        if not self.crew.takes(size):
            async for page in self._judged(tenant, 0, size):
                yield page
            return
        async with aclosing(self.spread(whole, tenant, 0, size)) as answers:
            async for portion, hashes in answers:
                if hashes:
                    yield _cut(hashes), ""
                    continue
                # What was erased since the keys were looked up is no fault.
                wrong = ""
                async for page in self._judged(tenant, portion.first, portion.end):
                    yield page
                    wrong = page[1]
                if wrong:
                    return

    async def _judged(
        self, tenant: str, first: int, end: int
    ) -> AsyncIterator[tuple[Sequence[bytes], str]]:
        allowed, seq = await self.gone(tenant), first
        async for page in self._pages(tenant, first, end):
            hashes: list[bytes] = []
            for found in page:
                if fault := _fault(found, seq, allowed):
                    yield hashes, fault
                    return
                hashes.append(bytes(found.row["leaf"]))
                seq += 1
            yield hashes, ""
        if seq < end:
            later = await self._rows(tenant, end - 1, 1)
            word = "is missing" if later else "and later are missing"
            yield [], f"entry {seq} {word}"

    async def spread(
        self, work: Callable[[Portion], Done], tenant: str, first: int, size: int
    ) -> AsyncGenerator[tuple[Portion, Done], None]:
        """
        Let processes do something with every portion of a log, and yield it in order.

        A key that was changed is left out of what a portion has.
        """
        gone, most = await self.gone(tenant), self.crew.at_once
        cutter = Portions(self.store, self._opening, gone, most)
        given: deque[Portion] = deque()

        async def kept() -> AsyncIterator[Portion]:
            async for portion in cutter.of(tenant, first, size):
                given.append(portion)
                yield portion

        results = self.crew.results(work, kept(), self.store.address)
        async with aclosing(results) as answers:
            async for answer in answers:
                yield given.popleft(), answer

    async def _opening(
        self, tenant: str, found: Mapping[str, Stored | None]
    ) -> Mapping[str, bytes | None]:
        opened = await self.keys.opened(tenant, found, broken=_CHANGED)
        return {ref: secret for ref, secret in opened.items() if secret != _CHANGED}

    async def gone(self, tenant: str) -> Gone:
        """
        Return what the log says was erased or disposed of.

        An entry that does not open says nothing; verification comes to it later.
        """
        rows = await self.store.fetch(
            Statement(
                f"SELECT {_columns(_WITHOUT_RAW)} {_FROM} AND l.platform = 'atom' "
                "AND l.etype IN ('erasure.shred', 'key.destroy', 'retention.dispose') "
                "ORDER BY l.seq",
                {"tenant": tenant},
            )
        )
        told = [_named(row, _WITHOUT_RAW) for row in rows]
        secrets = await self.keys.opened(tenant, _keys_of(told), broken=_CHANGED)
        bodies = []
        for found in told:
            with suppress(SealBroken):
                bodies.append(_entry(found.row, secrets).body)
        return gone(bodies)

    async def _pages(
        self, tenant: str, first: int, end: int
    ) -> "AsyncIterator[list[_Found]]":
        after = first - 1
        while rows := await self._rows(tenant, after, min(_PAGE, end - after - 1)):
            secrets = await self.keys.opened(tenant, _keys_of(rows), broken=_CHANGED)
            yield [
                replace(found, secret=secrets.get(found.row["key_ref"], _NO_KEY))
                for found in rows
                if found.row["seq"] < end
            ]
            after = rows[-1].row["seq"]
            if after >= end - 1:
                return

    async def _rows(self, tenant: str, after: int, limit: int) -> "list[_Found]":
        rows = await self.store.fetch(
            Statement(
                f"SELECT {_columns(COLUMNS)} {_FROM} AND l.seq > :after "
                "ORDER BY l.seq LIMIT :limit",
                {"tenant": tenant, "after": after, "limit": limit},
            )
        )
        return [_named(row) for row in rows]

    async def _opened(self, tenant: str, rows: "Sequence[_Found]") -> list[LogEntry]:
        secrets = await self.keys.opened(tenant, _keys_of(rows))
        return [_entry(found.row, secrets) for found in rows]


@dataclass(frozen=True, slots=True)
class _Found:
    """A row of the log with its subject key's row, and later that key."""

    row: Mapping[str, Any]
    key: Stored | None
    secret: bytes | None = None


_NO_KEY = b"no key"
_CHANGED = b"changed"
_FAULTS = {_NO_KEY: "its key is missing", _CHANGED: "its key does not open"}


def _columns(names: Sequence[str]) -> str:
    return ", ".join((*(f"l.{name}" for name in names), *_KEY))


def _named(row: Row, columns: Sequence[str] = COLUMNS) -> _Found:
    *told, ref, version, wrapped = row
    key = None if ref is None else stored((version, wrapped))
    return _Found(dict(zip(columns, told, strict=True)), key)


def _keys_of(rows: Iterable[_Found]) -> dict[str, Stored | None]:
    return {found.row["key_ref"]: found.key for found in rows}


def _entry(row: Mapping[str, Any], secrets: Mapping[str, bytes | None]) -> LogEntry:
    if not row["ct"]:
        return LogEntry(row, {}, erased=True)
    try:
        secret = secrets[row["key_ref"]]
    except KeyError as error:
        raise SealBroken(f"the key of entry {row['seq']} is missing") from error
    if secret is None:
        return LogEntry(row, {}, erased=True)
    body = open_body(ItemKey.of(secret, row["eid"]), row["ct"])
    return LogEntry(row, orjson.loads(body))


def _fault(found: _Found, seq: int, allowed: Gone) -> str:
    row = found.row
    if row["seq"] != seq:
        return f"entry {seq} is missing"
    if leaf_of(row) != row["leaf"]:
        return f"entry {seq}: a column does not match the entry's leaf"
    if not row["ct"] or found.secret is None:
        if allowed.key(row["key_ref"]) or (not row["ct"] and allowed.entry(seq)):
            return ""
        what = "its key is destroyed" if row["ct"] else "column ct is empty"
        return f"entry {seq}: {what}, and no entry says why"
    if found.secret in _FAULTS:
        return f"entry {seq}: {_FAULTS[found.secret]}"
    item = ItemKey.of(found.secret, row["eid"])
    try:
        body = open_body(item, row["ct"])
    except SealBroken:
        return f"entry {seq}: column ct does not open with its key"
    if item.commitment(body) != row["cmt"]:
        return f"entry {seq}: column ct is not what was committed to"
    try:
        raw = raw_fault(item, row["raw_ct"], row["raw_cmt"])
    except SealBroken:
        raw = "column raw_ct does not open with its key"
    return f"entry {seq}: {raw}" if raw else ""


def _cut(hashes: bytes) -> list[bytes]:
    places = range(0, len(hashes), HASH_BYTES)
    return [hashes[at : at + HASH_BYTES] for at in places]


def late_us(entries: list[LogEntry]) -> int:
    """Return when a message was said, if it was captured much later, else 0."""
    first = entries[0]
    said, captured = first.row["src_us"], first.row["cap_us"]
    captured += int((first.body.get("detail") or {}).get(AHEAD, 0))
    most = LATE_US
    if (via := entries[0].row["via"]) == SPOOLED:
        most = _WAITED_US
    elif via == PUSHED:
        most += _CLOCKS_DIFFER_US
    if entries[0].etype != EventKind.MESSAGE_CREATE or captured - said < most:
        return 0
    return int(said)
