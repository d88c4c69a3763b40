"""What people do with incidents, and with the comments of changes."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace

from bridge.errors import BadInput
from bridge.records.forms import Choice, Deed, Form, Input, InputKind
from bridge.records.model import RecordRef
from bridge.records.ports import Access, Done
from connectors.servicenow.calls import Page, rows_of
from connectors.servicenow.checks import SKEW, fits, required
from connectors.servicenow.creating import created, edited
from connectors.servicenow.query import Op, Query, where
from connectors.servicenow.remarks import entry
from connectors.servicenow.rows import Row, written
from connectors.servicenow.states import IncidentState
from connectors.servicenow.tables import INCIDENT, INTERNAL
from connectors.servicenow.translate import revision
from connectors.servicenow.writing import Writing

ELEMENTS = {"comment": "comments", "note": "work_notes"}
_HOLD = (
    Choice("1", "Awaiting Caller"),
    Choice("3", "Awaiting Problem"),
    Choice("4", "Awaiting Vendor"),
    Choice("5", "Awaiting Change"),
)
_EDITED = ("short_description", "description", "impact", "urgency")
_TEXT = 4_000

_Act = Callable[[Access, Deed, RecordRef, Row], Awaitable[Done]]


@dataclass(frozen=True, slots=True)
class Incidents:
    """Forms for incidents, and what is done with them."""

    writing: Writing

    async def form(self, access: Access, act: str, ref: RecordRef | None) -> Form:
        """Return what to ask for. Raises `BadInput`, `Gone`."""
        if ref is None:
            if act != "create":
                raise BadInput("choose an incident first")
            return _new_form()
        row = await self.writing.row(access, ref)
        inputs = await self._inputs(access, act, row)
        title = {
            "comment": "Comment",
            "note": "Work note",
            "resolve": "Resolve",
            "reassign": "Reassign",
            "hold": "On hold",
            "edit": "Edit",
        }[act]
        rev = None if act in ELEMENTS else revision(row)
        number = row.value("number")
        return Form(act, f"{title} {number}".strip(), inputs, ref=ref, rev=rev)

    async def perform(self, access: Access, deed: Deed) -> Done:
        """Do one thing. Raises what `bridge.records.ports.Records.perform` does."""
        if deed.ref is None:
            if deed.act != "create":
                raise BadInput("choose an incident first")
            return await self._new(access, deed)
        acts: Mapping[str, _Act] = {
            "comment": self._say,
            "note": self._say,
            "take": self._take,
            "resolve": self._resolve,
            "reassign": self._reassign,
            "hold": self._hold,
            "edit": self._edit,
            "reopen": self._reopen,
        }
        if deed.act not in acts:
            raise BadInput("that cannot be done with an incident")
        async with self.writing.turn(str(deed.ref)):
            row = await self.writing.row(access, deed.ref)
            return await acts[deed.act](access, deed, deed.ref, row)

    async def say(self, access: Access, deed: Deed, ref: RecordRef, row: Row) -> Done:
        """Add a comment or a work note, unless an earlier try of it stands there."""
        element = ELEMENTS[deed.act]
        required(deed.values, {element: "Text"})
        text = deed.values[element].strip()
        me = await self.writing.me(access)
        made = entry(me.user, text)
        if deed.tried_us:
            since = written(deed.tried_us // 1_000_000 - SKEW)
            if await self.writing.said(access, row, element, text, since):
                record = await self.writing.record(access, ref)
                return Done(record, again=True, made=made)
        done = await self.writing.patch(access, ref, row, {element: text})
        return replace(done, made=made)

    async def _say(self, access: Access, deed: Deed, ref: RecordRef, row: Row) -> Done:
        return await self.say(access, deed, ref, row)

    async def _take(self, access: Access, deed: Deed, ref: RecordRef, row: Row) -> Done:
        me = await self.writing.me(access)
        if row.value("assigned_to") == me.id:
            return Done(await self.writing.record(access, ref), again=True)
        changed = (
            deed.base is not None and row.number("sys_mod_count") != deed.base.order
        )
        if changed and row.value("assigned_to"):
            why = f"{row.text('assigned_to')} took it before you"
            raise await self.writing.conflict(access, deed, ref, row, why)
        values = {"assigned_to": me.id}
        if row.number("state") == IncidentState.NEW:
            values["state"] = str(int(IncidentState.IN_PROGRESS))
        return await self.writing.patch(access, ref, row, values)

    async def _resolve(
        self, access: Access, deed: Deed, ref: RecordRef, row: Row
    ) -> Done:
        labels = {"close_code": "Resolution code", "close_notes": "Resolution notes"}
        required(deed.values, labels)
        values = {name: deed.values[name] for name in labels}
        state = str(int(IncidentState.RESOLVED))
        return await self._move(access, deed, ref, row, values | {"state": state})

    async def _hold(self, access: Access, deed: Deed, ref: RecordRef, row: Row) -> Done:
        required(deed.values, {"hold_reason": "Reason"})
        values = {"hold_reason": deed.values["hold_reason"]}
        if deed.values.get("comments", "").strip():
            values["comments"] = deed.values["comments"].strip()
        state = str(int(IncidentState.ON_HOLD))
        return await self._move(access, deed, ref, row, values | {"state": state})

    async def _reopen(
        self, access: Access, deed: Deed, ref: RecordRef, row: Row
    ) -> Done:
        values = {"state": str(int(IncidentState.IN_PROGRESS))}
        return await self._move(access, deed, ref, row, values)

    async def _move(
        self,
        access: Access,
        deed: Deed,
        ref: RecordRef,
        row: Row,
        values: Mapping[str, str],
    ) -> Done:
        """Move an incident on, unless somebody moved it since the form was opened."""
        if row.value("state") == values["state"]:
            kept = [name for name in values if name not in ELEMENTS.values()]
            if all(row.value(name) == values[name] for name in kept):
                return Done(await self.writing.record(access, ref), again=True)
        seen = dict(deed.seen)
        if deed.base is not None and row.number("sys_mod_count") != deed.base.order:
            # Whether it was moved is what matters; a comment since then is no conflict.
            now = row.value("state")
            if seen.get("state", now) != now or row.number("state") in _OVER:
                why = "it was moved on since you opened it"
                raise await self.writing.conflict(access, deed, ref, row, why)
        return await self.writing.patch(access, ref, row, values)

    async def _reassign(
        self, access: Access, deed: Deed, ref: RecordRef, row: Row
    ) -> Done:
        given = {
            name: text.strip()
            for name, text in deed.values.items()
            if name in {"assignment_group", "assigned_to"} and text.strip()
        }
        if not given:
            required(deed.values, {"assignment_group": "Assignment group"})
        if _kept(deed, "assigned_to") and not _kept(deed, "assignment_group"):
            # The form showed who had it; who has it now is for the other group to say.
            given.pop("assigned_to", None)
        values = {}
        if group := given.get("assignment_group"):
            values["assignment_group"] = await self.writing.named(
                access, "sys_user_group", group, ["name"], "assignment_group"
            )
        if person := given.get("assigned_to"):
            values["assigned_to"] = await self.writing.named(
                access, "sys_user", person, ["email", "name"], "assigned_to"
            )
        elif values:
            values["assigned_to"] = ""
        wanted = replace(deed, values=values)
        if await self.writing.agreed(access, wanted, row):
            return Done(await self.writing.record(access, ref), again=True)
        return await self.writing.patch(access, ref, row, values)

    async def _edit(self, access: Access, deed: Deed, ref: RecordRef, row: Row) -> Done:
        if not deed.values or not set(deed.values) <= set(_EDITED):
            raise BadInput("that cannot be changed from here")
        fits(edited(), deed.values)
        if await self.writing.agreed(access, deed, row):
            return Done(await self.writing.record(access, ref), again=True)
        return await self.writing.patch(access, ref, row, deed.values)

    async def _new(self, access: Access, deed: Deed) -> Done:
        me = await self.writing.me(access)
        more = {"caller_id": me.id}
        return await created(self.writing, access, deed, INCIDENT, edited(), more)

    async def _inputs(self, access: Access, act: str, row: Row) -> tuple[Input, ...]:
        if act in ELEMENTS:
            return (_said(act),)
        if act == "resolve":
            codes = await self._choices(access, "close_code")
            return (
                Input("close_code", "Resolution code", InputKind.CHOICE, required=True,
                      choices=codes),
                Input("close_notes", "Resolution notes", InputKind.TEXT, required=True,
                      longest=_TEXT),
            )  # fmt: skip
        if act == "hold":
            reasons = await self._choices(access, "hold_reason") or _HOLD
            return (
                Input("hold_reason", "Reason", InputKind.CHOICE, required=True,
                      choices=reasons),
                Input("comments", "Comment for the caller", InputKind.TEXT,
                      longest=_TEXT),
            )  # fmt: skip
        if act == "reassign":
            return (
                Input("assignment_group", "Assignment group",
                      value=row.text("assignment_group"), hint="its whole name"),
                Input("assigned_to", "Person", value=row.text("assigned_to"),
                      hint="their e-mail address, or whole name"),
            )  # fmt: skip
        if act == "edit":
            return tuple(replace(each, value=row.value(each.id)) for each in edited())
        raise BadInput("that needs no form")

    async def _choices(self, access: Access, element: str) -> tuple[Choice, ...]:
        query = Query(
            (
                where("name", Op.IS, INCIDENT.name),
                where("element", Op.IS, element),
                where("inactive", Op.IS, "false"),
                where("language", Op.IS, "en"),
            ),
            "sequence",
        )
        part = rows_of("sys_choice", Page(query, ["label", "value"], 100))
        (answer,) = await self.writing.calls.ask(access, [part])
        rows = self.writing.reading.kept("sys_choice", query, answer) or []
        return tuple(Choice(row.value("value"), row.text("label")) for row in rows)


def _kept(deed: Deed, name: str) -> bool:
    """Say whether an input was left as the form showed it."""
    return name not in deed.values or deed.values[name] == deed.seen.get(name)


_OVER = frozenset(
    {IncidentState.RESOLVED, IncidentState.CLOSED, IncidentState.CANCELED}
)


def _said(act: str) -> Input:
    inside = act == "note"
    return Input(
        ELEMENTS[act],
        "Work note" if inside else "Comment",
        InputKind.TEXT,
        required=True,
        longest=_TEXT,
        hint="Only the service desk sees this." if inside else "The caller sees this.",
        cls=INTERNAL if inside else "public",
    )


def comment_form(act: str, ref: RecordRef, number: str) -> Form:
    """Return the form for a comment or a work note."""
    title = "Work note" if act == "note" else "Comment"
    return Form(act, f"{title} {number}".strip(), (_said(act),), ref=ref)


def _new_form() -> Form:
    return Form("create", "New incident", tuple(edited()), "Create", kind=INCIDENT.kind)
