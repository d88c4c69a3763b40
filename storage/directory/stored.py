"""
The company's directory in the database: read version by version, written in one go.

What a source said, the cursor from where it goes on, the new version and the log's
entries about it stand in one transaction: whoever dies in between has done nothing.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import orjson

from bridge.directory.difference import Change
from bridge.directory.frozen import Frozen
from bridge.directory.held import Delta, Ending, Kept, Lost, Membership, Ref
from bridge.directory.model import Grace, Kind
from bridge.errors import AtomError
from storage.directory.rows import (
    KEPT,
    MEMBER,
    change_json,
    change_of,
    kept_of,
    kept_row,
    member_row,
)
from storage.hot import HotStore, Insert, Program, Row, Statement, run_one
from storage.journal import Journal
from storage.rows import clean_id
from storage.writes import Entry, Write


class Moved(AtomError):
    """Another process made a version of the directory; start over from it."""


@dataclass(frozen=True, slots=True)
class Followed:
    """How far a source was read; times are microseconds UTC, 0 for never."""

    source: str
    cursor: bytes = b""
    heard_us: int = 0
    whole_us: int = 0
    tried_us: int = 0
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Changes that wait. `state` is waiting or refused; `told_us` 0 for not yet."""

    frozen: Frozen
    digest: str
    state: str
    since_us: int
    seen_us: int
    told_us: int


@dataclass(frozen=True, slots=True)
class Step:
    """
    What becomes of the directory at once, from version `base` on.

    `followed` is None where no source was read; `waiting` replaces all that a source has
    waiting if `source` is given. `entries` are for the log, the first about ATOM itself.
    """

    base: int
    kept: Sequence[Kept] = ()
    memberships: Sequence[Membership] = ()
    people: Mapping[Ref, str] = field(default_factory=dict)
    graces: Sequence[tuple[str, Grace]] = ()
    pasts: Sequence[tuple[str, Lost]] = ()
    source: str = ""
    followed: Followed | None = None
    waiting: Sequence[Waiting] = ()
    entries: Sequence[Entry] = ()

    @property
    def changes(self) -> bool:
        return bool(self.kept or self.memberships or self.people or self.graces)


@dataclass(frozen=True, slots=True)
class StoredDirectory:
    """Keeps every company's directory."""

    store: HotStore
    journal: Journal
    clock: Callable[[], int]

    async def version(self, tenant: str) -> int:
        rows = await self.store.fetch(
            Statement(
                "SELECT version FROM directory_state WHERE tenant = :tenant",
                {"tenant": tenant},
                brief=True,
            )
        )
        return int(rows[0][0]) if rows else 0

    async def since(self, tenant: str, version: int) -> Delta:
        """Return all that changed after a version, as far as it goes now."""
        # Read first: rows that are newer are read once more next time.
        newest = await self.version(tenant)
        if newest <= version:
            return Delta(version)
        asked = {"tenant": tenant, "version": version}
        where = "WHERE tenant = :tenant AND version > :version"
        # Entries last: whoever is somebody's by then has a row there.
        people, graces, members, kept = [
            await self.store.fetch(
                Statement(f"SELECT {columns} FROM directory_{table} {where}", asked)
            )
            for columns, table in (
                ("source, id, person", "person"),
                ("person, ancestor, since_us, until_us", "grace"),
                (MEMBER, "member"),
                (KEPT, "entry"),
            )
        ]
        return Delta(
            newest,
            tuple(kept_of(row) for row in kept),
            tuple(Membership(*row) for row in members),
            tuple(((row[0], row[1]), row[2]) for row in people),
            tuple((row[0], Grace(*row[1:])) for row in graces),
        )

    async def followed(self, tenant: str) -> dict[str, Followed]:
        """Return how far each source was read."""
        rows = await self.store.fetch(
            Statement(
                "SELECT source, cursor, heard_us, whole_us, tried_us, problem "
                "FROM directory_source WHERE tenant = :tenant",
                {"tenant": tenant},
            )
        )
        return {row[0]: Followed(row[0], bytes(row[1]), *row[2:]) for row in rows}

    async def waiting(self, tenant: str) -> list[Waiting]:
        """Return what waits for somebody's word."""
        rows = await self.store.fetch(
            Statement(
                "SELECT source, sort, digest, changes, reason, state, since_us, "
                "seen_us, told_us FROM directory_frozen WHERE tenant = :tenant "
                "ORDER BY since_us, source, sort",
                {"tenant": tenant},
            )
        )
        return [_waiting(row) for row in rows]

    async def told(self, tenant: str, digest: str) -> None:
        """Note that admins were told of changes that wait."""
        await self._run(
            Statement(
                "UPDATE directory_frozen SET told_us = :now WHERE tenant = :tenant "
                "AND digest = :digest",
                {"tenant": tenant, "digest": digest, "now": self.clock()},
            )
        )

    async def heard(self, tenant: str, followed: Followed) -> None:
        """Note when a source was last up to date, and what is wrong with it."""
        await self._run(_followed(tenant, followed))

    async def apply(self, tenant: str, step: Step) -> Delta:
        """
        Do all of a step or nothing, and return what it changes in memory.

        Raises `Moved` if the directory is not at version `base` any more, and
        `StoreUnavailable`, after which nobody knows: load what there is.
        """
        version = step.base + 1 if step.changes else step.base
        if step.entries:
            first, *others = step.entries
            await self.journal.decide(
                tenant,
                first.subject,
                partial(_found, tenant, step, version, self.clock()),
                [entry.subject for entry in others],
            )
        else:
            await self.store.run(partial(_written, tenant, step, version, self.clock()))
        return Delta(
            version,
            tuple(step.kept),
            tuple(step.memberships),
            tuple(step.people.items()),
            tuple(step.graces),
        )

    async def claim(self, tenant: str, source: str, owner: str, lease_us: int) -> bool:
        """Say whether this process may read a source, until a while from now."""
        now = self.clock()
        asked = {
            "tenant": tenant,
            "source": source,
            "owner": owner,
            "now": now,
            "until": now + lease_us,
        }

        def program() -> Program[bool]:
            yield Statement(
                "INSERT INTO directory_source (tenant, source, cursor, heard_us, "
                "whole_us, tried_us, problem, owner, until_us) VALUES (:tenant, "
                ":source, :empty, 0, 0, 0, '', '', 0) ON CONFLICT DO NOTHING",
                {"tenant": tenant, "source": source, "empty": b""},
            )
            rows = yield Statement(
                "UPDATE directory_source SET owner = :owner, until_us = :until "
                "WHERE tenant = :tenant AND source = :source "
                "AND (owner = :owner OR until_us < :now) RETURNING owner",
                asked,
            )
            return bool(rows)

        return await self.store.run(program)

    async def endings(self, tenant: str, member: str) -> list[Membership]:
        """Return what somebody is not in any more, newest first, by an entry's id."""
        rows = await self.store.fetch(
            Statement(
                f"SELECT {MEMBER} FROM directory_member WHERE tenant = :tenant "
                "AND member = :member AND why <> '' ORDER BY at_us DESC",
                {"tenant": tenant, "member": member},
            )
        )
        return [Membership(*row) for row in rows]

    async def losses(
        self, tenant: str, person: str, entries: Iterable[Kept]
    ) -> Sequence[Lost]:
        """Return what somebody and their entries are in no more, newest first."""
        ended = [
            Lost(each.group, each.at_us, each.source)
            for kept in entries
            for each in await self.endings(tenant, kept.entry.id)
            if each.source == kept.source
        ]
        rows = await self.store.fetch(
            Statement(
                "SELECT thing, at_us, told_by, kind, how FROM directory_past "
                "WHERE tenant = :tenant AND person = :person",
                {"tenant": tenant, "person": person},
            )
        )
        ended += [
            Lost(thing, at_us, by, Kind(kind) if kind else None, Ending(how))
            for thing, at_us, by, kind, how in rows
        ]
        return sorted(ended, key=lambda each: -each.at_us)

    async def _run(self, statement: Statement) -> None:
        await run_one(self.store, statement)


def _found(
    tenant: str, step: Step, version: int, now_us: int, _seq: int
) -> Program[Write | None]:
    yield from _written(tenant, step, version, now_us)
    first, *others = [_numbered(entry, version) for entry in step.entries]
    return Write(
        tenant, entry=first, others=tuple(Write(tenant, entry=e) for e in others)
    )


def _numbered(entry: Entry, version: int) -> Entry:
    detail = {**entry.body.get("detail", {}), "directory": version}
    return replace(entry, body={**entry.body, "detail": detail})


def _written(tenant: str, step: Step, version: int, now_us: int) -> Program[None]:
    yield from _moved(tenant, step.base, version, now_us)
    for insert in _inserts(tenant, step, version):
        if insert.rows:
            yield insert
    if step.followed:
        yield _followed(tenant, step.followed)
    if step.source:
        yield Statement(
            "DELETE FROM directory_frozen WHERE tenant = :tenant AND source = :source",
            {"tenant": tenant, "source": step.source},
        )
        rows = [_waiting_row(tenant, waiting) for waiting in step.waiting]
        if rows:
            yield Insert("directory_frozen", rows)


def _moved(tenant: str, base: int, version: int, now_us: int) -> Program[None]:
    asked = {"tenant": tenant, "base": base, "version": version, "now": now_us}
    yield Statement(
        "INSERT INTO directory_state (tenant, version, changed_us) "
        "VALUES (:tenant, 0, :now) ON CONFLICT DO NOTHING",
        {"tenant": tenant, "now": now_us},
    )
    rows = yield Statement(
        "UPDATE directory_state SET version = :version, changed_us = :now "
        "WHERE tenant = :tenant AND version = :base RETURNING version",
        asked,
    )
    if not rows:
        raise Moved("another process changed the directory meanwhile")


def _inserts(tenant: str, step: Step, version: int) -> list[Insert]:
    kept = [kept_row(tenant, each, version) for each in step.kept]
    members = [member_row(tenant, each, version) for each in step.memberships]
    people = [
        {"tenant": tenant, "source": s, "id": i, "person": p, "version": version}
        for (s, i), p in step.people.items()
    ]
    graces = [
        {
            "tenant": tenant,
            "person": person,
            "ancestor": grace.ancestor,
            "since_us": grace.since_us,
            "until_us": grace.until_us,
            "version": version,
        }
        for person, grace in step.graces
    ]
    pasts = {
        (person, lost.how, lost.kind, lost.thing): {
            "tenant": tenant,
            "person": person,
            "how": str(lost.how),
            "kind": str(lost.kind or ""),
            "thing": clean_id(lost.thing),
            "at_us": lost.at_us,
            "told_by": clean_id(lost.by),
        }
        for person, lost in step.pasts
    }
    return [
        Insert("directory_entry", kept, _upsert("source, id", KEPT.split(", ")[2:])),
        Insert(
            "directory_member",
            members,
            _upsert("source, grp, member", ["at_us", "why"]),
        ),
        Insert("directory_person", people, _upsert("source, id", ["person"])),
        Insert(
            "directory_grace",
            graces,
            _upsert("person, ancestor", ["since_us", "until_us"]),
        ),
        Insert(
            "directory_past",
            list(pasts.values()),
            "ON CONFLICT (tenant, person, how, kind, thing) DO UPDATE SET "
            "at_us = excluded.at_us, told_by = excluded.told_by",
        ),
    ]


def _upsert(key: str, columns: Sequence[str]) -> str:
    sets = ", ".join(f"{name} = excluded.{name}" for name in (*columns, "version"))
    return f"ON CONFLICT (tenant, {key}) DO UPDATE SET {sets}"


def _followed(tenant: str, followed: Followed) -> Statement:
    columns = ("cursor", "heard_us", "whole_us", "tried_us", "problem")
    names = ", ".join(columns)
    values = ", ".join(f":{name}" for name in columns)
    sets = ", ".join(f"{name} = excluded.{name}" for name in columns)
    return Statement(
        f"INSERT INTO directory_source (tenant, source, {names}, owner, until_us) "
        f"VALUES (:tenant, :source, {values}, '', 0) "
        f"ON CONFLICT (tenant, source) DO UPDATE SET {sets}",
        {
            "tenant": tenant,
            "source": followed.source,
            "cursor": followed.cursor,
            "heard_us": followed.heard_us,
            "whole_us": followed.whole_us,
            "tried_us": followed.tried_us,
            "problem": followed.problem,
        },
    )


def _waiting_row(tenant: str, waiting: Waiting) -> dict[str, Any]:
    frozen = waiting.frozen
    changes = [change_json(change) for change in frozen.changes]
    return {
        "tenant": tenant,
        "source": frozen.source,
        "sort": frozen.sort,
        "digest": waiting.digest,
        "changes": orjson.dumps(changes).decode(),
        "reason": frozen.reason,
        "state": waiting.state,
        "since_us": waiting.since_us,
        "seen_us": waiting.seen_us,
        "told_us": waiting.told_us,
    }


def _waiting(row: Row) -> Waiting:
    source, sort, digest, told, reason, state, since_us, seen_us, told_us = row
    changes: tuple[Change, ...] = tuple(change_of(c) for c in orjson.loads(told))
    frozen = Frozen(source, sort, changes, reason)
    return Waiting(frozen, digest, state, since_us, seen_us, told_us)
