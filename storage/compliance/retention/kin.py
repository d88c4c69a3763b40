"""
The families of many entries at once, and what was said below them in threads.

As `storage.compliance.family`, but a program: a disposition looks at hundreds of
entries under the lock that keeps holds from being made meanwhile.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

import orjson

from bridge.legal_holds import Held
from storage.hot import Program, Row, Rows, Statement, Together

COLUMNS = (
    "l.seq, l.etype, l.platform, l.team, l.conv, l.msg, l.thread, l.key_ref, "
    "l.src_us, l.cap_us, l.via, l.origin_seq"
)

Place = tuple[str, str]  # a channel's address, and the platform's id of a message


@dataclass(frozen=True, slots=True)
class Member:
    """One entry, as far as its columns tell."""

    seq: int
    etype: str
    platform: str
    team: str
    conv: str
    msg: str
    thread: str
    key_ref: str
    src_us: int
    cap_us: int
    via: str
    origin_seq: int | None

    @property
    def channel(self) -> str:
        return f"{self.platform}:{self.team}/{self.conv}"

    @property
    def place(self) -> Place | None:
        return (self.channel, self.msg) if self.conv and self.msg else None

    @property
    def held(self) -> Held:
        where = (self.platform, self.conv)
        return Held(self.seq, self.key_ref, where, self.src_us, self.cap_us)


@dataclass(frozen=True, slots=True)
class Kin:
    """A family, and the replies that make no sense without it."""

    family: tuple[Member, ...]
    replies: tuple[Member, ...]

    @property
    def everybody(self) -> tuple[Member, ...]:
        return (*self.family, *self.replies)

    @property
    def places(self) -> frozenset[Place]:
        return frozenset(each.place for each in self.family if each.place)


@dataclass(slots=True)
class _Groups:
    """Which entries and places belong together: a forest of disjoint sets."""

    above: dict[object, object] = field(default_factory=dict)

    def root(self, node: object) -> object:
        while (up := self.above.setdefault(node, node)) != node:
            self.above[node] = node = self.above.setdefault(up, up)
        return node

    def join(self, one: object, other: object) -> None:
        self.above[self.root(one)] = self.root(other)


@dataclass(slots=True)
class _Search:
    tenant: str
    rows: dict[int, Member] = field(default_factory=dict)
    places: set[Place] = field(default_factory=set)
    groups: _Groups = field(default_factory=_Groups)
    new_rows: list[Member] = field(default_factory=list)
    new_places: list[Place] = field(default_factory=list)

    def take(self, rows: Rows) -> None:
        for row in rows:
            member = Member(*row)
            if member.seq in self.rows:
                continue
            self.rows[member.seq] = member
            self.new_rows.append(member)
            if member.place:
                self.place(member.place)
                self.groups.join(member.seq, member.place)
            if member.origin_seq is not None:
                self.groups.join(member.seq, member.origin_seq)

    def place(self, place: Place) -> None:
        if place not in self.places:
            self.places.add(place)
            self.new_places.append(place)

    def kinship(self, rows: Rows) -> None:
        """Take rows of `copy`: source, message, target, remote."""
        for source, message, target, remote in rows:
            self.place((source, message))
            self.place((target, remote))
            self.groups.join((source, message), (target, remote))


def kin(tenant: str, seqs: Collection[int]) -> Program[dict[int, Kin]]:
    """Return the family of each entry that there is, with its replies."""
    search = _Search(tenant)
    search.take((yield _by_number(tenant, "seq", seqs)))
    while search.new_rows or search.new_places:
        rows, search.new_rows = search.new_rows, []
        places, search.new_places = search.new_places, []
        if rows:
            origins = {r.origin_seq for r in rows if r.origin_seq is not None}
            search.take((yield _by_number(tenant, "origin_seq", [r.seq for r in rows])))
            if missing := origins - set(search.rows):
                search.take((yield _by_number(tenant, "seq", missing)))
        if places:
            search.take((yield _about(tenant, places)))
            for rows_of_copy in (yield Together(_copies(tenant, places))):
                search.kinship(rows_of_copy)
    below = (yield _below(tenant, search.places)) if search.places else ()
    return _sorted_out(search, [Member(*row) for row in below], seqs)


def _sorted_out(
    search: _Search, below: Sequence[Member], seqs: Iterable[int]
) -> dict[int, Kin]:
    families: dict[object, list[Member]] = {}
    replies: dict[object, list[Member]] = {}
    for seq in sorted(search.rows):
        families.setdefault(search.groups.root(seq), []).append(search.rows[seq])
    for reply in sorted(below, key=lambda each: each.seq):
        root = search.groups.root((reply.channel, reply.thread))
        replies.setdefault(root, []).append(reply)
    found: dict[int, Kin] = {}
    made: dict[object, Kin] = {}
    for seq in seqs:
        if seq not in search.rows:
            continue
        group = search.groups.root(seq)
        if group not in made:
            made[group] = Kin(tuple(families[group]), tuple(replies.get(group, ())))
        found[seq] = made[group]
    return found


def _by_number(tenant: str, column: str, numbers: Collection[int]) -> Statement:
    return Statement(
        f"SELECT {COLUMNS} FROM json_each(:numbers) AS n CROSS JOIN log l "
        f"WHERE l.tenant = :tenant AND l.{column} = n.value",
        {"tenant": tenant, "numbers": orjson.dumps(sorted(numbers)).decode()},
        postgres=f"SELECT {COLUMNS} FROM log l WHERE l.tenant = :tenant "
        f"AND l.{column} = ANY(ARRAY(SELECT "
        "jsonb_array_elements_text(:numbers::text::jsonb)::bigint))",
    )


def _about(tenant: str, places: Collection[Place]) -> Statement:
    """Ask for everything about messages; a place's platform is part of its address."""
    return _at(tenant, places, "msg")


def _below(tenant: str, places: Collection[Place]) -> Statement:
    return _at(tenant, places, "thread", " AND l.thread <> ''")


def _at(
    tenant: str, places: Collection[Place], column: str, more: str = ""
) -> Statement:
    pairs = sorted({(_split(channel), message) for channel, message in places})
    flat = [
        [platform, team, conv, message] for (platform, team, conv), message in pairs
    ]
    return Statement(
        f"SELECT {COLUMNS} FROM json_each(:places) AS p CROSS JOIN log l "
        "WHERE l.tenant = :tenant AND l.conv = json_extract(p.value, '$[2]') "
        f"AND l.{column} = json_extract(p.value, '$[3]') "
        "AND l.platform = json_extract(p.value, '$[0]') "
        f"AND l.team = json_extract(p.value, '$[1]'){more}",
        {"tenant": tenant, "places": orjson.dumps(flat).decode()},
        postgres=f"SELECT {COLUMNS} FROM "
        "jsonb_array_elements(:places::text::jsonb) AS p(at) CROSS JOIN LATERAL "
        f"(SELECT * FROM log WHERE tenant = :tenant AND conv = p.at->>2 "
        f"AND {column} = p.at->>3 AND platform = p.at->>0 AND team = p.at->>1"
        f"{more.replace('l.', '')}) l",
    )


def _split(channel: str) -> tuple[str, str, str]:
    platform, _, rest = channel.partition(":")
    team, _, conv = rest.rpartition("/")
    return platform, team, conv


def _copies(tenant: str, places: Collection[Place]) -> Sequence[Statement]:
    parameters = {
        "tenant": tenant,
        "places": orjson.dumps([list(place) for place in sorted(places)]).decode(),
    }
    return [
        Statement(
            "SELECT c.source, c.message, c.target, c.remote "
            "FROM json_each(:places) AS p CROSS JOIN copy c "
            f"WHERE c.tenant = :tenant AND c.{channel} = json_extract(p.value, '$[0]') "
            f"AND c.{message} = json_extract(p.value, '$[1]')",
            parameters,
            postgres="SELECT c.source, c.message, c.target, c.remote FROM "
            "jsonb_array_elements(:places::text::jsonb) AS p(at) JOIN copy c "
            f"ON c.tenant = :tenant AND c.{channel} = p.at->>0 "
            f"AND c.{message} = p.at->>1",
        )
        for channel, message in (("source", "message"), ("target", "remote"))
    ]


def members(rows: Iterable[Row]) -> list[Member]:
    """Read rows that were selected with `COLUMNS`."""
    return [Member(*row) for row in rows]
