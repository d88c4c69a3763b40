"""Users and groups that an identity provider pushed, in two databases alike."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import orjson

from bridge.directory.scim import (
    Change,
    Kept,
    Lookup,
    Member,
    Membership,
    ScimKind,
    Stale,
)
from bridge.errors import Conflict
from storage.hot import HotStore, Insert, Program, Row, Rows, Statement

T = TypeVar("T")

_AT_ONCE = 400  # ids in one statement
_GROUPS_OF = "SELECT grp FROM scim_member WHERE tenant = :tenant AND member = :member"
_COLUMNS = "kind, id, version, change, created_us, modified_us, document, deleted"


@dataclass(frozen=True, slots=True)
class StoredScim:
    """Implements `bridge.directory.scim.ScimStore`."""

    store: HotStore
    clock: Callable[[], int]

    async def one(self, tenant: str, kind: ScimKind, resource: str) -> Kept | None:
        found = await self.found(tenant, kind, Lookup(id=resource))
        return found[0] if found else None

    async def kinds(
        self, tenant: str, resources: Sequence[str]
    ) -> Mapping[str, ScimKind]:
        rows = await self._of_ids(
            "SELECT id, kind FROM scim_resource WHERE tenant = :tenant "
            "AND deleted = 0 AND id IN ({ids})",
            tenant,
            resources,
        )
        return {resource: ScimKind(kind) for resource, kind in rows}

    async def count(self, tenant: str, kind: ScimKind) -> int:
        rows = await self.store.fetch(
            Statement(
                "SELECT count(*) FROM scim_resource WHERE tenant = :tenant "
                "AND kind = :kind AND deleted = 0",
                {"tenant": tenant, "kind": str(kind)},
            )
        )
        return int(rows[0][0])

    async def page(
        self, tenant: str, kind: ScimKind, offset: int, limit: int
    ) -> Sequence[Kept]:
        rows = await self.store.fetch(
            Statement(
                f"SELECT {_COLUMNS} FROM scim_resource WHERE tenant = :tenant "
                "AND kind = :kind AND deleted = 0 ORDER BY number "
                "LIMIT :most OFFSET :skipped",
                {
                    "tenant": tenant,
                    "kind": str(kind),
                    "most": limit,
                    "skipped": offset,
                },
            )
        )
        return [_kept(row) for row in rows]

    async def scan(
        self, tenant: str, kind: ScimKind, after: int, limit: int
    ) -> tuple[Sequence[Kept], int]:
        rows = await self.store.fetch(
            Statement(
                f"SELECT {_COLUMNS}, number FROM scim_resource "
                "WHERE tenant = :tenant AND kind = :kind AND deleted = 0 "
                "AND number > :after ORDER BY number LIMIT :most",
                {
                    "tenant": tenant,
                    "kind": str(kind),
                    "after": after,
                    "most": limit,
                },
            )
        )
        last = int(rows[-1][8]) if len(rows) == limit else 0
        return [_kept(row) for row in rows], last

    async def found(
        self, tenant: str, kind: ScimKind, lookup: Lookup
    ) -> Sequence[Kept]:
        wanted = {
            "id": ("id = :id", lookup.id),
            "label": ("label = :label", lookup.label),
            "external": ("external = :external", lookup.external),
            "member": (
                f"id IN ({_GROUPS_OF})",
                lookup.member,
            ),
        }
        given = {name: each for name, each in wanted.items() if each[1]}
        conditions = "".join(f" AND {sql}" for sql, _ in given.values())
        rows = await self.store.fetch(
            Statement(
                f"SELECT {_COLUMNS} FROM scim_resource WHERE tenant = :tenant "
                f"AND kind = :kind AND deleted = 0{conditions} ORDER BY number",
                {
                    "tenant": tenant,
                    "kind": str(kind),
                    **{name: value for name, (_, value) in given.items()},
                },
            )
        )
        return [_kept(row) for row in rows]

    async def members(
        self, tenant: str, groups: Sequence[str]
    ) -> Mapping[str, Sequence[Member]]:
        rows = await self._of_ids(
            "SELECT grp, member, kind, display FROM scim_member "
            "WHERE tenant = :tenant AND grp IN ({ids}) "
            "ORDER BY grp, change, place",
            tenant,
            groups,
        )
        found: dict[str, list[Member]] = {group: [] for group in groups}
        for group, member, kind, display in rows:
            found[group].append(Member(member, ScimKind(kind), display))
        return found

    async def memberships(
        self, tenant: str, members: Sequence[str]
    ) -> Mapping[str, Sequence[Membership]]:
        rows = await self._of_ids(
            "WITH RECURSIVE upwards (start, grp) AS ("
            "SELECT member, grp FROM scim_member WHERE tenant = :tenant "
            "AND member IN ({ids}) "
            "UNION SELECT u.start, m.grp FROM upwards u JOIN scim_member m "
            "ON m.tenant = :tenant AND m.member = u.grp) "
            "SELECT u.start, u.grp, r.document, d.member FROM upwards u "
            "JOIN scim_resource r ON r.tenant = :tenant AND r.id = u.grp "
            "LEFT JOIN scim_member d ON d.tenant = :tenant AND d.grp = u.grp "
            "AND d.member = u.start ORDER BY u.start, r.number",
            tenant,
            members,
        )
        found: dict[str, list[Membership]] = {member: [] for member in members}
        for member, group, document, direct in rows:
            name = orjson.loads(document).get("displayName", "")
            found[member].append(Membership(group, name, direct is not None))
        return found

    async def changes(
        self, tenant: str, after: int, limit: int
    ) -> tuple[Sequence[Kept], int]:
        newest = await self.store.fetch(
            Statement(
                "SELECT change FROM scim_head WHERE tenant = :tenant",
                {"tenant": tenant},
            )
        )
        rows = await self.store.fetch(
            Statement(
                f"SELECT {_COLUMNS} FROM scim_resource WHERE tenant = :tenant "
                "AND change > :after ORDER BY change LIMIT :most",
                {"tenant": tenant, "after": after, "most": limit},
            )
        )
        return [_kept(row) for row in rows], int(newest[0][0]) if newest else 0

    async def write(self, tenant: str, change: Change) -> Kept:
        def program() -> Program[Kept]:
            number = yield from _next_change(tenant)
            now = self.clock()
            if change.expected:
                kept = yield from _replaced(tenant, change, number, now)
            else:
                kept = yield from _created(tenant, change, number, now)
            yield from _named(tenant, change)
            yield from _peopled(tenant, change, number)
            return kept

        return await self.store.run(program)

    async def allow(self, tenant: str, group: str, until_us: int) -> None:
        """Let a group shrink once, until a moment, as much as a client asks."""

        def program() -> Program[None]:
            yield _without_pass(tenant, group)
            row = {"tenant": tenant, "grp": group, "until_us": until_us}
            yield Insert("scim_pass", [row])

        await self.store.run(program)

    async def allowed(self, tenant: str, group: str) -> bool:
        """Say whether an admin lets a group shrink now."""
        rows = await self.store.fetch(
            Statement(
                "SELECT 1 FROM scim_pass WHERE tenant = :tenant AND grp = :grp "
                "AND until_us > :now",
                {"tenant": tenant, "grp": group, "now": self.clock()},
            )
        )
        return bool(rows)

    async def _of_ids(self, sql: str, tenant: str, ids: Sequence[str]) -> list[Row]:
        found: list[Row] = []
        for some in _parts(list(dict.fromkeys(ids))):
            names = [f"i{n}" for n in range(len(some))]
            listed = ", ".join(f":{name}" for name in names)
            parameters = {"tenant": tenant, **dict(zip(names, some, strict=True))}
            rows = await self.store.fetch(
                Statement(sql.replace("{ids}", listed), parameters)
            )
            found += rows
        return found


def _next_change(tenant: str) -> Program[int]:
    """Count a change, and keep others of the company waiting until this one is done."""
    yield Statement(
        "INSERT INTO scim_head (tenant, change) VALUES (:tenant, 0) "
        "ON CONFLICT DO NOTHING",
        {"tenant": tenant},
    )
    rows = yield Statement(
        "UPDATE scim_head SET change = change + 1 WHERE tenant = :tenant "
        "RETURNING change",
        {"tenant": tenant},
    )
    return int(rows[0][0])


def _created(tenant: str, change: Change, number: int, now: int) -> Program[Kept]:
    row = {
        "tenant": tenant,
        "id": change.id,
        "kind": str(change.kind),
        "number": number,
        "version": 1,
        "change": number,
        "label": change.label,
        "external": change.external,
        "document": orjson.dumps(change.document).decode(),
        "created_us": now,
        "modified_us": now,
        "deleted": 0,
    }
    yield Insert("scim_resource", [row])
    return Kept(change.kind, change.id, 1, number, now, now, change.document)


def _replaced(tenant: str, change: Change, number: int, now: int) -> Program[Kept]:
    rows: Rows = yield Statement(
        "UPDATE scim_resource SET version = version + 1, change = :change, "
        "label = :label, external = :external, document = :document, "
        "modified_us = :now, deleted = :deleted "
        "WHERE tenant = :tenant AND id = :id AND kind = :kind "
        f"AND version = :expected AND deleted = 0 RETURNING {_COLUMNS}",
        {
            "tenant": tenant,
            "id": change.id,
            "kind": str(change.kind),
            "expected": change.expected,
            "change": number,
            "label": change.label,
            "external": change.external,
            "document": orjson.dumps(change.document).decode(),
            "now": now,
            "deleted": int(change.deleted),
        },
    )
    if not rows:
        raise Stale
    return _kept(rows[0])


def _named(tenant: str, change: Change) -> Program[None]:
    wanted = "" if change.deleted else change.unique
    yield Statement(
        "DELETE FROM scim_name WHERE tenant = :tenant AND resource = :resource "
        "AND name <> :name",
        {"tenant": tenant, "resource": change.id, "name": wanted},
    )
    if not wanted:
        return
    row = {"tenant": tenant, "name": wanted, "resource": change.id}
    yield Insert("scim_name", [row], "ON CONFLICT DO NOTHING")
    owners = yield Statement(
        "SELECT resource FROM scim_name WHERE tenant = :tenant AND name = :name",
        {"tenant": tenant, "name": wanted},
    )
    if owners[0][0] != change.id:
        raise Conflict("another user of the company has that name")


def _peopled(tenant: str, change: Change, number: int) -> Program[None]:
    if change.deleted:
        for column in ("grp", "member"):
            yield Statement(
                f"DELETE FROM scim_member WHERE tenant = :tenant AND {column} = :id",
                {"tenant": tenant, "id": change.id},
            )
        yield _without_pass(tenant, change.id)
        return
    for some in _parts(change.left):
        names = [f"i{n}" for n in range(len(some))]
        listed = ", ".join(f":{name}" for name in names)
        yield Statement(
            "DELETE FROM scim_member WHERE tenant = :tenant AND grp = :grp "
            f"AND member IN ({listed})",
            {
                "tenant": tenant,
                "grp": change.id,
                **dict(zip(names, some, strict=True)),
            },
        )
    if change.spends:
        yield _without_pass(tenant, change.id)
    rows = [
        {
            "tenant": tenant,
            "grp": change.id,
            "member": member.id,
            "kind": str(member.kind),
            "display": member.display,
            "change": number,
            "place": place,
        }
        for place, member in enumerate(change.joined)
    ]
    if rows:
        yield Insert("scim_member", rows, "ON CONFLICT DO NOTHING")


def _without_pass(tenant: str, group: str) -> Statement:
    return Statement(
        "DELETE FROM scim_pass WHERE tenant = :tenant AND grp = :grp",
        {"tenant": tenant, "grp": group},
    )


def _kept(row: Row) -> Kept:
    kind, resource, version, change, created, modified, document, deleted = row[:8]
    told: Mapping[str, Any] = orjson.loads(document)
    return Kept(
        ScimKind(kind),
        resource,
        version,
        change,
        created,
        modified,
        told,
        deleted=bool(deleted),
    )


def _parts(ids: Sequence[T]) -> Iterator[Sequence[T]]:
    for first in range(0, len(ids), _AT_ONCE):
        yield ids[first : first + _AT_ONCE]
