"""Answers to queries and searches, as one user may see them."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from connectors.sandbox.salesforce import soql
from connectors.sandbox.salesforce.refusals import Refused, missing_type
from connectors.sandbox.salesforce.schema import CHILDREN, OBJECTS, relation_of
from connectors.sandbox.salesforce.store import Row, Store
from connectors.sandbox.users import User

_SEARCHED = ("Account", "Contact", "Opportunity", "Case")


class Asking:
    """Reads the store for one user."""

    def __init__(self, store: Store, user: User, version: str = "62.0") -> None:
        self._store = store
        self._user = user
        self._base = f"/services/data/v{version}"

    def query(self, text: str, *, deleted: bool = False) -> list[Row]:
        """Return a query's records. Raises `Refused`."""
        asked = soql.parse(text)
        kind = self._kind(asked.kind)
        for name in asked.names:
            if name not in {child.kind for child in asked.children}:
                self._checked(kind, name)
        rows = list(self._store.visible(self._user, kind))
        if deleted:
            gone = [row for row in self._store.rows[kind].values() if row["IsDeleted"]]
            rows += [row for row in gone if self._store.shares(self._user, row)]

        def look(row: Mapping[str, Any], name: str) -> Any:
            return self._look(kind, row, name)

        if asked.test is not None:
            test = asked.test
            rows = [row for row in rows if test(row, look)]
        if asked.counts:
            return self._counted(kind, asked, rows)
        for name, down in reversed(asked.order):
            rows.sort(key=lambda row: _sortable(look(row, name)), reverse=down)
        rows = rows[asked.offset :]
        if asked.limit is not None:
            rows = rows[: asked.limit]
        return [self._shown(kind, row, asked) for row in rows]

    def fields(self, kind: str, row: Row, names: Sequence[str]) -> Row:
        """Return a row with the fields that were asked for. Raises `Refused`."""
        for name in names:
            self._checked(kind, name)
        return self._shown(kind, row, soql.Query(kind, list(names)))

    def everything(self, kind: str, row: Row) -> Row:
        return self.fields(
            kind, row, [one.name for one in self._store.columns(self._user, kind)]
        )

    def search(
        self, words: str, wanted: Sequence[tuple[str, Sequence[str], int]], most: int
    ) -> list[Row]:
        """
        Return what holds all words, in any field that the user may see.

        `wanted` says which kinds, with which fields, and how many of each.
        """
        asked = [word.casefold() for word in re.findall(r"[\w@.+-]+", words)]
        if len(words.strip()) < 2:  # noqa: PLR2004 - the vendor's own limit
            raise Refused(400, "MALFORMED_SEARCH", "search term must be longer")
        found: list[Row] = []
        for kind, fields, limit in wanted:
            if not self._user.profile.may("r", kind):
                raise missing_type(kind)
            for name in fields:
                self._checked(kind, name)
            columns = [one.name for one in self._store.columns(self._user, kind)]
            hits = [
                row
                for row in self._store.visible(self._user, kind)
                if _holds(row, columns, asked)
            ]
            found += [
                self._shown(kind, r, soql.Query(kind, list(fields)))
                for r in hits[:limit]
            ]
        return found[:most]

    def _kind(self, name: str) -> str:
        for kind in OBJECTS:
            if kind.casefold() == name.casefold():
                return kind
        raise missing_type(name)

    def _checked(self, kind: str, path: str) -> None:
        first, dot, rest = path.partition(".")
        if not dot:
            self._store.column(self._user, kind, first)
            return
        relation = relation_of(kind, first)
        profile = self._user.profile
        if (
            relation is None
            or not profile.sees(kind, relation.name)
            or not profile.may("r", relation.to[0])
        ):
            raise Refused(
                400,
                "INVALID_FIELD",
                f"Didn't understand relationship '{first}' in field path.",
            )
        # An owner may be of two kinds: both have a name.
        self._checked(relation.to[0], rest)

    def _look(self, kind: str, row: Mapping[str, Any], path: str) -> Any:
        first, dot, rest = path.partition(".")
        if not dot:
            return row.get(self._store.column(self._user, kind, first).name)
        found = self._related(kind, row, first)
        return None if found is None else self._look(found[0], found[1], rest)

    def _related(
        self, kind: str, row: Mapping[str, Any], name: str
    ) -> tuple[str, Row] | None:
        relation = relation_of(kind, name)
        id_ = row.get(relation.name) if relation else None
        for other in relation.to if relation else ():
            found = self._store.rows[other].get(str(id_))
            if found is not None and self._store.shares(self._user, found):
                return other, found
        return None

    def _shown(self, kind: str, row: Row, asked: soql.Query) -> Row:
        made: Row = self._head(kind, row)
        nested: defaultdict[str, list[str]] = defaultdict(list)
        for path in asked.fields:
            first, dot, rest = path.partition(".")
            if dot:
                nested[first].append(rest)
            else:
                one = self._store.column(self._user, kind, first)
                made[one.name] = row.get(one.name)
        for first, rests in nested.items():
            found = self._related(kind, row, first)
            query = soql.Query("", rests)
            made[first] = self._shown(*found, query) if found else None
        for child in asked.children:
            made[child.kind] = self._children(kind, row, child)
        return made

    def _children(self, kind: str, row: Row, asked: soql.Query) -> Any:
        known = CHILDREN.get(kind, {}).get(asked.kind)
        if known is None or not self._user.profile.may("r", known[0]):
            raise Refused(
                400, "INVALID_TYPE", f"Didn't understand relationship '{asked.kind}'"
            )
        other, back = known
        for name in asked.names:
            self._checked(other, name)
        rows = [
            one
            for one in self._store.visible(self._user, other)
            if one[back] == row["Id"]
            and (
                asked.test is None
                or asked.test(one, lambda r, n: self._look(other, r, n))
            )
        ]
        for name, down in reversed(asked.order):
            rows.sort(key=lambda r: _sortable(r.get(name)), reverse=down)
        rows = rows[: asked.limit]
        if not rows:
            return None
        records = [self._shown(other, one, asked) for one in rows]
        return {"totalSize": len(records), "done": True, "records": records}

    def _counted(self, kind: str, asked: soql.Query, rows: list[Row]) -> list[Row]:
        groups: defaultdict[Any, int] = defaultdict(int)
        name = asked.group[0] if asked.group else ""
        if not asked.group:
            groups[None] = 0
        for row in rows:
            groups[self._look(kind, row, name) if name else None] += 1
        made = []
        for key, number in groups.items():
            counted: Row = {"attributes": {"type": "AggregateResult"}}
            counted |= {name: key} if name else {}
            made.append(counted | dict.fromkeys(asked.counts, number))
        return made

    def _head(self, kind: str, row: Row) -> Row:
        url = f"{self._base}/sobjects/{kind}/{row['Id']}"
        return {"attributes": {"type": kind, "url": url}}


def sosl(text: str) -> tuple[str, list[tuple[str, Sequence[str], int]]]:
    """Read `FIND {words} IN ALL FIELDS RETURNING A(B, C LIMIT 5), D(E)`."""
    match = re.fullmatch(
        r"\s*FIND\s*\{((?:[^{}\\]|\\.)*)\}(?:\s+IN\s+\w+\s+FIELDS)?"
        r"(?:\s+RETURNING\s+(.*))?\s*",
        text,
        re.IGNORECASE | re.DOTALL,
    )
    if match is None:
        raise Refused(400, "MALFORMED_SEARCH", "unexpected token")
    words = re.sub(r"\\(.)", r"\1", match[1], flags=re.DOTALL)
    if match[2] is None:
        return words, [(kind, ("Id",), 200) for kind in _SEARCHED]
    wanted: list[tuple[str, Sequence[str], int]] = []
    for kind, inner in re.findall(r"(\w+)\s*(?:\(([^)]*)\))?\s*(?:,|$)", match[2]):
        names, _, limit = re.sub(r"(?i)\s+limit\s+", "|", inner or "Id").partition("|")
        fields = [one.strip() for one in names.split(",")]
        wanted.append((kind, fields, int(limit or 200)))
    return words, wanted


def _holds(row: Row, columns: Sequence[str], words: Sequence[str]) -> bool:
    text = " ".join(str(row[name]) for name in columns if row.get(name)).casefold()
    return all(word in text for word in words)


def _sortable(value: Any) -> tuple[bool, str, float]:
    if isinstance(value, int | float):
        return True, "", float(value)
    return value is not None, str(value or ""), 0.0
