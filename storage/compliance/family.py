"""
A message's family: the original in all its revisions, and every copy of it.

What is held, erased, disclosed or counted is a family, never a lone entry. The kinship
is on record twice: in `copy`, which says where a copy stands, and in the leaves, where
a copy's entry names the position and the leaf of the entry it was made from.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import orjson

from bridge.errors import BadInput
from bridge.messages import Channel, Platform
from storage.hot import HotStore, Row, Statement

_COLUMNS = (
    "l.seq, l.etype, l.platform, l.team, l.conv, l.msg, l.thread, l.key_ref, "
    "l.cap_us, l.leaf, l.origin_seq, l.origin_leaf"
)
_MESSAGES = "message."
_COPIES = "bridge."
_RELATIVES = 64  # messages of one family; a link has few channels, a copy few parts


@dataclass(frozen=True, slots=True, order=True)
class Spoken:
    """Where a message stands: its channel and its platform's id."""

    channel: Channel
    message: str


@dataclass(frozen=True, slots=True)
class Relative:
    """
    One log entry of a family.

    `copied` says that it tells of a copy, or was read back from one: it never counts
    as something that was said. `spoken` is None for what ended without a copy.
    """

    seq: int
    etype: str
    spoken: Spoken | None
    thread: str
    key_ref: str
    cap_us: int
    leaf: bytes
    copied: bool
    origin_seq: int | None
    origin_leaf: bytes | None


@dataclass(frozen=True, slots=True)
class Family:
    """Everything on record about one message, lowest position first."""

    original: Spoken | None
    relatives: tuple[Relative, ...]

    @property
    def positions(self) -> tuple[int, ...]:
        return tuple(relative.seq for relative in self.relatives)

    @property
    def originals(self) -> tuple[int, ...]:
        """What was said and done by people, wherever: revisions, reactions, files."""
        return tuple(each.seq for each in self.relatives if not each.copied)

    @property
    def revisions(self) -> tuple[int, ...]:
        """The original's revisions: one message, however many copies it has."""
        return tuple(
            each.seq
            for each in self.relatives
            if not each.copied
            and each.etype.startswith(_MESSAGES)
            and each.spoken == self.original
        )

    @property
    def copies(self) -> tuple[int, ...]:
        return tuple(each.seq for each in self.relatives if each.copied)

    @property
    def unproven(self) -> tuple[int, ...]:
        """Positions of copies whose leaf does not commit to an earlier relative's."""
        leaves = {each.seq: each.leaf for each in self.relatives}
        return tuple(
            each.seq
            for each in self.relatives
            if each.etype.startswith(_COPIES)
            and not (
                each.origin_seq is not None
                and each.origin_seq < each.seq
                and leaves.get(each.origin_seq) == each.origin_leaf
            )
        )


async def family(store: HotStore, tenant: str, seq: int) -> Family:
    """
    Return the family of the message that the entry at `seq` is about.

    An entry that is about no message is alone. Raises `BadInput` if there is no such
    entry, and `StoreUnavailable`.
    """
    search = _Search(store, tenant)
    await search.take(await search.at([seq]))
    if not search.rows:
        raise BadInput(f"the log has no entry {seq}")
    await search.complete()
    return search.family()


@dataclass(slots=True)
class _Search:
    """Goes from entries to where they stand, and from there to entries, to the end."""

    store: HotStore
    tenant: str
    rows: dict[int, Row] = field(default_factory=dict)
    places: set[Spoken] = field(default_factory=set)
    copied: set[Spoken] = field(default_factory=set)
    _new_places: list[Spoken] = field(default_factory=list)
    _new_rows: list[int] = field(default_factory=list)

    async def complete(self) -> None:
        while self._new_rows or self._new_places:
            rows, self._new_rows = self._new_rows, []
            if rows:
                await self.take(await self._made_from(rows))
                origins = {self.rows[seq][10] for seq in rows} - {None}
                await self.take(await self.at(origins - set(self.rows)))
            places, self._new_places = self._new_places, []
            for place in places:
                await self.take(await self._about(place))
                await self._kin(place)

    async def take(self, rows: Sequence[Row]) -> None:
        for row in rows:
            if row[0] in self.rows:
                continue
            self.rows[row[0]] = row
            self._new_rows.append(row[0])
            if spoken := _spoken(row):
                self._place(spoken)

    def _place(self, spoken: Spoken) -> None:
        if spoken not in self.places and len(self.places) < _RELATIVES:
            self.places.add(spoken)
            self._new_places.append(spoken)

    async def at(self, seqs: Iterable[int]) -> Sequence[Row]:
        return await self._by_number("seq", [*seqs])

    async def _made_from(self, seqs: Sequence[int]) -> Sequence[Row]:
        return await self._by_number("origin_seq", seqs)

    async def _by_number(self, column: str, numbers: Sequence[int]) -> Sequence[Row]:
        if not numbers:
            return ()
        return await self.store.fetch(
            Statement(
                f"SELECT {_COLUMNS} FROM json_each(:numbers) AS n CROSS JOIN log l "
                f"WHERE l.tenant = :tenant AND l.{column} = n.value",
                {
                    "tenant": self.tenant,
                    "numbers": orjson.dumps([*numbers]).decode(),
                },
                postgres=f"SELECT {_COLUMNS} FROM log l WHERE l.tenant = :tenant "
                f"AND l.{column} = ANY(ARRAY(SELECT "
                "jsonb_array_elements_text(:numbers::text::jsonb)::bigint))",
            )
        )

    async def _about(self, spoken: Spoken) -> Sequence[Row]:
        return await self.store.fetch(
            Statement(
                f"SELECT {_COLUMNS} FROM log l WHERE l.tenant = :tenant "
                "AND l.conv = :conv AND l.msg = :msg AND l.platform = :platform",
                {
                    "tenant": self.tenant,
                    "conv": spoken.channel.id,
                    "msg": spoken.message,
                    "platform": str(spoken.channel.platform),
                },
            )
        )

    async def _kin(self, spoken: Spoken) -> None:
        """Follow `copy` both ways: to what it was made from, and to what was made."""
        asked = {
            "tenant": self.tenant,
            "channel": str(spoken.channel),
            "message": spoken.message,
        }
        above = await self.store.fetch(
            Statement(
                "SELECT source, message FROM copy WHERE tenant = :tenant "
                "AND target = :channel AND remote = :message",
                asked,
            )
        )
        below = await self.store.fetch(
            Statement(
                "SELECT target, remote FROM copy WHERE tenant = :tenant "
                "AND source = :channel AND message = :message",
                asked,
            )
        )
        if above:
            self.copied.add(spoken)
        for channel, message in [*above, *below]:
            self._place(Spoken(Channel.parse(channel), message))

    def family(self) -> Family:
        relatives = tuple(self._relatives())
        said = [
            each.spoken
            for each in relatives
            if each.spoken and not each.copied and each.etype.startswith(_MESSAGES)
        ]
        return Family(said[0] if said else None, relatives)

    def _relatives(self) -> Iterator[Relative]:
        for seq in sorted(self.rows):
            row = self.rows[seq]
            spoken, etype = _spoken(row), row[1]
            yield Relative(
                seq,
                etype,
                spoken,
                thread=row[6],
                key_ref=row[7],
                cap_us=row[8],
                leaf=bytes(row[9]),
                copied=etype.startswith(_COPIES)
                or (etype.startswith(_MESSAGES) and spoken in self.copied),
                origin_seq=row[10],
                origin_leaf=bytes(row[11]) if row[11] is not None else None,
            )


def _spoken(row: Row) -> Spoken | None:
    _, _, platform, team, conv, message, *_ = row
    if platform not in set(Platform) or not (conv and message):
        return None
    return Spoken(Channel(Platform(platform), team, conv), message)
