"""The org's rows, and what each user may see of them and do with them."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from connectors.sandbox.clock import Clock
from connectors.sandbox.salesforce import ids, record_types, rules
from connectors.sandbox.salesforce.refusals import (
    Refused,
    missing_column,
    missing_type,
    told,
)
from connectors.sandbox.salesforce.schema import OBJECTS, Field, field_of
from connectors.sandbox.users import User

Row = dict[str, Any]
ONLY_FOR = "_only_for"  # names of users; a row without it is everybody's


def shown(moment: datetime) -> str:
    """Return a time as the REST API writes it."""
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}+0000"


@dataclass(frozen=True, slots=True)
class Change:
    """What happened to a row, for change data capture."""

    kind: str
    id: str
    what: str  # CREATE, UPDATE, DELETE, UNDELETE
    at: datetime
    by: str
    client: str
    fields: tuple[str, ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict)


class Store:
    """Rows by kind and id. What is asked with `user` None is done by the org itself."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.rows: dict[str, dict[str, Row]] = {}
        self.changes: list[Change] = []
        self._numbers: defaultdict[str, int] = defaultdict(lambda: 0x1000)
        self.case_number = 1020
        # Of kinds that have any; admins set them up.
        self.record_types: dict[str, tuple[record_types.RecordType, ...]] = {}

    def clear(self) -> None:
        self.rows = {kind: {} for kind in OBJECTS}
        self.changes = []
        self._numbers.clear()
        self.case_number = 1020

    # Seeing.

    def visible(self, user: User, kind: str) -> Iterator[Row]:
        """Go through the rows that a user may see. Raises `Refused`."""
        if kind not in OBJECTS or not user.profile.may("r", kind):
            raise missing_type(kind)
        for row in self.rows[kind].values():
            if not row["IsDeleted"] and self.shares(user, row):
                yield row

    def shares(self, user: User, row: Row) -> bool:
        only = row.get(ONLY_FOR)
        return user.profile.everything or only is None or user.name in only

    def column(self, user: User, kind: str, name: str) -> Field:
        """Return a field that a user may see. Raises `Refused`."""
        found = self.field(kind, name)
        if found is None or not user.profile.sees(kind, found.name):
            raise missing_column(kind, name)
        return found

    def field(self, kind: str, name: str) -> Field | None:
        if name.casefold() == record_types.COLUMN.casefold():
            return record_types.FIELD if self.types(kind) else None
        return field_of(kind, name)

    def types(self, kind: str) -> tuple[record_types.RecordType, ...]:
        return self.record_types.get(kind, ())

    def columns(self, user: User, kind: str) -> list[Field]:
        more = [record_types.FIELD] if self.types(kind) else []
        every = [*OBJECTS[kind], *more]
        return [one for one in every if user.profile.sees(kind, one.name)]

    def row(self, user: User, kind: str, id_: str) -> Row:
        """Return a row. Raises `Refused`: the same without the right and without it."""
        if kind not in OBJECTS or not user.profile.may("r", kind):
            raise told("NOT_FOUND")
        wanted = ids.read(id_)
        if wanted is None:
            raise Refused(400, "MALFORMED_ID", f"bad id {id_}")
        row = self.rows[kind].get(wanted)
        if row is None or not self.shares(user, row):
            raise told("NOT_FOUND")
        if row["IsDeleted"]:
            raise told("ENTITY_IS_DELETED")
        return row

    # Writing.

    def create(
        self, user: User | None, kind: str, values: Mapping[str, Any], client: str = ""
    ) -> Row:
        """Make a row. Raises `Refused`."""
        if user is not None:
            if not user.profile.may("c", kind):
                raise missing_type(kind)
            values = self._writable(user, kind, values, new=True)
        at = self.clock.moment()
        by = user.id if user else ""
        row: Row = dict.fromkeys((one.name for one in OBJECTS[kind]), None)
        row |= {one.name: False for one in OBJECTS[kind] if one.type == "boolean"}
        row |= {"CreatedDate": shown(at), "CreatedById": by, "OwnerId": by}
        if kind not in {"Account", "Contact", "Opportunity", "Case", "Task"}:
            del row["OwnerId"]
        self._numbers[kind] += 1
        row["Id"] = ids.make(kind, self._numbers[kind])
        if kind == "Case":
            row["CaseNumber"] = f"{self.case_number:08d}"
            self.case_number += 1
        row |= rules.defaults(kind) | dict(values)
        if self.types(kind) and user is not None:
            usual = record_types.usual_of(self.types(kind), user)
            row.setdefault(record_types.COLUMN, usual)
        if user is not None:
            record_types.check(self.types(kind), user, {}, row)
            rules.check(kind, {}, row)
        rules.derive(kind, {}, row, shown(at))
        self.rows[kind][row["Id"]] = row
        self._stamp(row, at, by)
        changed = tuple(name for name, value in row.items() if value is not None)
        self._note(Change(kind, row["Id"], "CREATE", at, by, client, changed, row))
        if kind == "Opportunity":
            self._history(row)
        if kind == "Task" and row["Status"] == "Completed":
            self._active(row, at)
        return row

    def update(
        self,
        user: User,
        kind: str,
        id_: str,
        values: Mapping[str, Any],
        client: str = "",
    ) -> Row:
        """Change a row. Raises `Refused`."""
        row = self.row(user, kind, id_)
        if not user.profile.may("u", kind):
            raise Refused(
                403,
                "INSUFFICIENT_ACCESS_OR_READONLY",
                "insufficient access rights on object id",
            )
        values = self._writable(user, kind, values, new=False)
        before = dict(row)
        after = row | dict(values)
        record_types.check(self.types(kind), user, before, after)
        rules.check(kind, before, after)
        at = self.clock.moment()
        rules.derive(kind, before, after, shown(at))
        changed = tuple(name for name in after if after[name] != before.get(name))
        row |= after
        self._stamp(row, at, user.id)
        values = {name: row[name] for name in changed}
        self._note(
            Change(kind, row["Id"], "UPDATE", at, user.id, client, changed, values)
        )
        if kind == "Opportunity" and "StageName" in changed:
            self._history(row)
        return row

    def delete(self, user: User, kind: str, id_: str, client: str = "") -> None:
        """Put a row into the recycle bin. Raises `Refused`."""
        row = self.row(user, kind, id_)
        if not user.profile.may("d", kind):
            raise Refused(
                403,
                "INSUFFICIENT_ACCESS_OR_READONLY",
                "insufficient access rights on object id",
            )
        at = self.clock.moment()
        row["IsDeleted"] = True
        self._stamp(row, at, user.id)
        self._note(Change(kind, row["Id"], "DELETE", at, user.id, client))

    def undelete(self, kind: str, id_: str) -> None:
        row = self.rows[kind][id_]
        at = self.clock.moment()
        row["IsDeleted"] = False
        self._stamp(row, at, "")
        self._note(Change(kind, id_, "UNDELETE", at, "", ""))

    def by_key(self, kind: str, name: str, value: str) -> Row | None:
        for row in self.rows[kind].values():
            if row.get(name) == value and not row["IsDeleted"]:
                return row
        return None

    def _writable(
        self, user: User, kind: str, values: Mapping[str, Any], *, new: bool
    ) -> Row:
        taken: Row = {}
        locked: list[str] = []
        for name, value in values.items():
            if name == "attributes":
                continue
            one = self.field(kind, name)
            if one is None or not user.profile.sees(kind, one.name):
                raise Refused(
                    400,
                    "INVALID_FIELD",
                    f"No such column '{name}' on sobject of type {kind}",
                )
            fixed = one.fixed or (one.create_only and not new)
            if fixed or not user.profile.writes(kind, one.name):
                locked.append(one.name)
            taken[one.name] = rules.taken(one, value)
        if locked:
            raise Refused(
                400,
                "INVALID_FIELD_FOR_INSERT_UPDATE",
                f"Unable to create/update fields: {', '.join(locked)}. Please check the"
                " security settings of this field and verify that it is read/write for"
                " your profile or permission set.",
                locked,
            )
        self._referred(user, kind, taken)
        return taken

    def _referred(self, user: User, kind: str, values: Row) -> None:
        for name, value in values.items():
            one = field_of(kind, name)
            if one is None or not one.to or value is None:
                continue
            id_ = ids.read(str(value))
            found = [to for to in one.to if id_ in self.rows[to]] if id_ else []
            if not found or not self.shares(user, self.rows[found[0]][str(id_)]):
                raise Refused(
                    400,
                    "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY",
                    "insufficient access rights on cross-reference id",
                )
            values[name] = id_

    def _stamp(self, row: Row, at: datetime, by: str) -> None:
        row["LastModifiedDate"] = row["SystemModstamp"] = shown(at)
        row["LastModifiedById"] = by

    def _note(self, change: Change) -> None:
        self.changes.append(change)

    def _active(self, task: Row, at: datetime) -> None:
        for id_ in (task["WhatId"], task["WhoId"]):
            for rows in self.rows.values():
                if id_ in rows and "LastActivityDate" in rows[id_]:
                    rows[id_]["LastActivityDate"] = f"{at:%Y-%m-%d}"

    def _history(self, row: Row) -> None:
        told_ = {"OpportunityId": row["Id"], "StageName": row["StageName"]}
        made = self.create(None, "OpportunityHistory", told_)
        self.changes.pop()  # no events of it
        if only := row.get(ONLY_FOR):
            made[ONLY_FOR] = only


def moment(text: str) -> datetime:
    """Read a time of the REST API's, in any of the forms that it takes."""
    plain = text.replace("Z", "+00:00").replace("+0000", "+00:00")
    read = datetime.fromisoformat(plain)
    return read if read.tzinfo else read.replace(tzinfo=UTC)
