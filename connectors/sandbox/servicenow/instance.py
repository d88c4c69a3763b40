"""
One instance's rows, and what it does by itself when they are written.

Values are strings, as ServiceNow keeps them: times in UTC as `YYYY-MM-DD HH:MM:SS`,
references as the other row's id, empty for nothing.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from connectors.sandbox.clock import Clock
from connectors.sandbox.servicenow.dictionary import TABLES, Field, Table
from connectors.sandbox.servicenow.replies import NO_RECORD, Failure

Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class Happened:
    """A write that business rules may tell of."""

    table: str
    op: str
    row: Mapping[str, str]
    changed: tuple[str, ...]


@dataclass(slots=True)
class Properties:
    """
    How this instance is set up. `no_rows` is `glide.invalid_query.returns_no_rows`,
    `two_step` the catalogue's checkout, `hourly` the calls that each user has an hour,
    0 without a limit, `deciding` says by change whether `any` approval is enough.
    """

    no_rows: bool = False
    two_step: bool = False
    hourly: int = 0
    current_user: bool = True
    approver: str = ""  # who approves what has a price, by their id; nobody if empty
    deciding: dict[str, str] = field(default_factory=dict)


def id_of(kind: str, name: str) -> str:
    """Return the id that a seeded row always has."""
    return hashlib.sha256(f"{kind}:{name}".encode()).hexdigest()[:32]


class Instance:
    """The rows by table, and their rules. Everything is in the memory alone."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.properties = Properties()
        self.rows: dict[str, dict[str, Row]] = {name: {} for name in TABLES}
        self.variables: dict[str, list[dict[str, Any]]] = {}  # by item
        self.producers: dict[str, str] = {}  # item -> table that it makes rows of
        self.carts: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.told: list[Happened] = []
        self.policies: dict[str, str] = {}  # a data policy: fields nobody may change
        self.scripts: list[str] = []  # `javascript:` that somebody sent
        self.blind: set[str] = set()  # fields that queries on them are not understood
        self._numbers: dict[str, int] = defaultdict(lambda: 10_000)
        self._made = 0

    @property
    def now(self) -> str:
        return self.clock.moment().strftime("%Y-%m-%d %H:%M:%S")

    def table(self, name: str) -> Table:
        if name not in TABLES:
            raise Failure(400, f"Invalid table {name}")
        return TABLES[name]

    def row(self, table: str, sys_id: str) -> Row:
        """Return a row. Raises `Failure` if there is none."""
        found = self.rows[self.table(table).name].get(sys_id)
        if found is None:
            raise Failure(404, *NO_RECORD)
        return found

    def all(self, table: str) -> Iterator[Row]:
        yield from list(self.rows[table].values())

    def named(self, table: str, field_: str, value: str) -> Row | None:
        return next((row for row in self.all(table) if row.get(field_) == value), None)

    def insert(
        self, table: str, values: Mapping[str, str], by: str, sys_id: str = ""
    ) -> Row:
        """Make a row, with what the dictionary and the rules put into it."""
        known = self.table(table)
        self._made += 1
        made = sys_id or id_of(table, f"made {self._made}")
        row = {name: spec.default for name, spec in known.fields.items()}
        row |= {"sys_id": made, "sys_class_name": table, "sys_mod_count": "0"}
        row |= {"sys_created_on": self.now, "sys_created_by": by}
        row |= {"sys_updated_on": self.now, "sys_updated_by": by}
        if given := values.get("number", ""):
            told = int(given.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
            self._numbers[table] = max(self._numbers[table], told)
        elif known.prefix:
            self._numbers[table] += 1
            row["number"] = f"{known.prefix}{self._numbers[table]:07d}"
        if "opened_at" in known.fields:
            row["opened_at"] = self.now
        entries = self._write(known, row, values)
        row |= apply(table, {}, row)
        self.rows[table][made] = row
        self._journal(table, made, entries, by)
        self.told.append(Happened(table, "insert", dict(row), tuple(values)))
        return row

    def update(
        self, table: str, sys_id: str, values: Mapping[str, str], by: str
    ) -> Row:
        """Write values; a row that stays as it is keeps its count, as ServiceNow's do."""
        known, row = self.table(table), self.row(table, sys_id)
        before, fresh = dict(row), dict(row)
        entries = self._write(known, fresh, values)
        fresh |= apply(table, before, fresh)
        changed = [name for name in fresh if fresh[name] != before.get(name)]
        if kept := [self.policies[name] for name in changed if name in self.policies]:
            listed = ", ".join(kept)
            why = f"Data Policy Exception: The following fields are read only: {listed}"
            raise Failure(403, "Operation Failed", why)
        if changed or entries:
            fresh["sys_mod_count"] = str(int(row["sys_mod_count"]) + 1)
            fresh["sys_updated_on"], fresh["sys_updated_by"] = self.now, by
            row.update(fresh)
            self._journal(table, sys_id, entries, by)
            told = (*changed, *entries)
            self.told.append(Happened(table, "update", dict(row), told))
        if table == "sysapproval_approver" and "state" in changed:
            self._decided(row, by)
        return row

    def delete(self, table: str, sys_id: str) -> None:
        row = self.row(table, sys_id)
        del self.rows[table][sys_id]
        self.told.append(Happened(table, "delete", dict(row), ()))

    def shown(self, spec: Field, value: str) -> str:
        """Return how a value is displayed."""
        if spec.reference and value:
            row = self.rows.get(spec.reference, {}).get(value)
            return "" if row is None else row[TABLES[spec.reference].display]
        return spec.choices.get(value, value)

    def entries(self, sys_id: str, element: str) -> str:
        """Return a journal as it is displayed, latest entry first."""
        label = {"work_notes": "Work notes", "comments": "Additional comments"}[element]
        told = []
        for row in self.all("sys_journal_field"):
            if (row["element_id"], row["element"]) == (sys_id, element):
                by = self.named("sys_user", "user_name", row["sys_created_by"])
                name = by["name"] if by else row["sys_created_by"]
                told.append(
                    f"{row['sys_created_on']} - {name} ({label})\n{row['value']}\n\n"
                )
        return "".join(reversed(told))

    def _write(
        self, known: Table, row: Row, values: Mapping[str, str]
    ) -> dict[str, str]:
        """Put values into a row; returns the entries for its journals."""
        entries = {}
        for name, value in values.items():
            spec = known.fields.get(name)
            if spec is None:
                continue
            if spec.kind == "journal":
                if str(value).strip():
                    entries[name] = str(value)
            else:
                row[name] = "" if value is None else str(value)
        return entries

    def _journal(
        self, table: str, sys_id: str, entries: Mapping[str, str], by: str
    ) -> None:
        for element, value in entries.items():
            self._made += 1
            made = id_of("journal", f"{self._made}")
            row = dict.fromkeys(TABLES["sys_journal_field"].fields, "")
            row |= {"sys_id": made, "name": table, "element": element}
            row |= {"element_id": sys_id, "value": value, "sys_mod_count": "0"}
            row |= {"sys_created_on": self.now, "sys_created_by": by}
            row |= {"sys_updated_on": self.now, "sys_updated_by": by}
            self.rows["sys_journal_field"][made] = row

    def _decided(self, row: Row, by: str) -> None:
        """Follow a decision: the others need not decide, or it moves on."""
        table = row["source_table"] or "change_request"
        about = self.rows.get(table, {}).get(row["sysapproval"])
        if about is None or row["state"] not in {"approved", "rejected"}:
            return
        siblings = [
            other
            for other in self.all("sysapproval_approver")
            if other["sysapproval"] == about["sys_id"]
        ]
        waiting = [other for other in siblings if other["state"] == "requested"]
        rejected = row["state"] == "rejected"
        enough = self.properties.deciding.get(about["sys_id"], "any") == "any"
        if waiting and not (enough or rejected):
            return
        for other in waiting:
            self.update(
                "sysapproval_approver", other["sys_id"], {"state": "not_required"}, by
            )
        if table == "sc_request":
            self._request_decided(about, by, rejected=rejected)
            return
        moved = {"-4": "-3", "-3": "-2"}.get(about["state"], about["state"])
        values = {"approval": row["state"], "state": "-5" if rejected else moved}
        self.update("change_request", about["sys_id"], values, by)

    def _request_decided(self, request: Row, by: str, *, rejected: bool) -> None:
        state = "closed_rejected" if rejected else "in_process"
        values = {"approval": "rejected" if rejected else "approved"}
        values |= {"request_state": state, "active": "false" if rejected else "true"}
        self.update("sc_request", request["sys_id"], values, by)
        stage = "closed_incomplete" if rejected else "fulfillment"
        for item in self.all("sc_req_item"):
            if item["request"] == request["sys_id"]:
                self.update("sc_req_item", item["sys_id"], {"stage": stage}, by)


def apply(table: str, before: Mapping[str, str], row: Mapping[str, str]) -> Row:
    """Return what the business rules set. Raises `Failure` for a data policy."""
    if table != "incident":
        return {}
    moved = row["incident_state"] not in {"", before.get("incident_state", "")}
    state = row["incident_state"] if moved else row["state"]
    missing = [
        label
        for name, label in _MANDATORY.get(state, {}).items()
        if not row.get(name, "").strip()
    ]
    if missing:
        listed = ", ".join(missing)
        raise Failure(
            403,
            "Operation Failed",
            f"Data Policy Exception: The following fields are mandatory: {listed}",
        )
    level = {"1": 1, "2": 2, "3": 3}
    priority = min(5, level.get(row["impact"], 3) + level.get(row["urgency"], 3) - 1)
    return {
        "state": state,
        "incident_state": state,
        "priority": str(priority),
        "active": "false" if state in {"7", "8"} else "true",
        "hold_reason": row["hold_reason"] if state == "3" else "",
    }


_MANDATORY: Mapping[str, Mapping[str, str]] = {
    "3": {"hold_reason": "On hold reason"},
    "6": {"close_code": "Resolution code", "close_notes": "Resolution notes"},
    "7": {"close_code": "Resolution code", "close_notes": "Resolution notes"},
}
