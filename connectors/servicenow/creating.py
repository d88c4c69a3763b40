"""Make a new row of a table, once for each deed: the deed's key stands in it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from bridge.errors import BadInput, NotAllowed, ServiceUnavailable
from bridge.records.forms import DEED, MADE, Choice, Deed, Input, InputKind
from bridge.records.ports import Access, Done, Gone, NotThere, Unsure
from connectors.made import CHANGED, GONE, Made, deleted
from connectors.servicenow.calls import Page, new_row, row_of, rows_of
from connectors.servicenow.checks import digest, fits, required
from connectors.servicenow.query import Op, Query, where
from connectors.servicenow.rows import Row
from connectors.servicenow.tables import Table
from connectors.servicenow.writing import Writing

_LEVELS = (Choice("1", "High"), Choice("2", "Medium"), Choice("3", "Low"))
_MISSING = 404
_LONGEST = {"short_description": 160, "description": 4_000}


async def created(  # noqa: PLR0913, PLR0917 - what is made, by whom, of what
    writing: Writing,
    access: Access,
    deed: Deed,
    table: Table,
    inputs: Sequence[Input],
    more: Mapping[str, str],
) -> Done:
    """
    Make a row of what was entered and of `more`, unless an earlier try made it.

    Raises `Rejected`, `BadInput`, `Unsure`.
    """
    if not set(deed.values) <= {each.id for each in inputs}:
        raise BadInput("that cannot be entered from here")
    required(deed.values, {each.id: each.label for each in inputs if each.required})
    fits(inputs, deed.values)
    async with writing.turn(f"new:{deed.key}"):
        mark = digest(deed.key)
        query = Query((where("correlation_id", Op.IS, mark),))
        part = rows_of(table.name, Page(query, ["number"], 1))
        (answer,) = await writing.calls.ask(access, [part])
        rows = writing.reading.kept(table.name, query, answer)
        if rows is None:
            writing.refuse(answer)
            raise ServiceUnavailable("ServiceNow does not say what was made before")
        if rows:
            ref = writing.reading.ref(table.kind, rows[0].id)
            done = Done(await writing.record(access, ref), again=True)
            return _told(table, done)
        values = {**deed.values, **more, "correlation_id": mark}
        part = new_row(table.name, (*table.fields, *values))
        made = await writing.calls.write(access, "POST", part, values)
        writing.refuse(made)
        ref = writing.reading.ref(table.kind, made.rows()[0].id)
        before = Row(values={"sys_mod_count": "-1"})
        done = await writing.done(access, ref, before, deed.values, made)
        return _told(table, done)


async def unmade(
    writing: Writing, access: Access, deed: Deed, tables: Sequence[Table]
) -> Done:
    """
    Delete the row that a deed made. Raises `NotAllowed` with why it stays, `Unsure`.

    It has to have the deed's key in it, and to be as it was left: journal entries count
    as changes too. Most instances let admins alone delete, and then it is said.
    """
    made = Made.read(deed.values.get(MADE, ""))
    table = next((each for each in tables if each.kind == made.what), None)
    if table is None:
        raise NotAllowed("ATOM does not know any more what was added.")
    ref = writing.reading.ref(table.kind, made.id)
    stub = deleted(ref, 0)
    mark = digest(deed.values.get(DEED, ""))
    part = row_of(table.name, ref.id, ("correlation_id",))
    async with writing.turn(str(ref)):
        answer = await writing.calls.get(access, part)
        rows = answer.rows() if answer.ok else []
        if not rows:
            try:
                writing.refuse(answer)
            except Gone:
                if not deed.tried_us:
                    raise NotThere(GONE) from None
                return Done(stub, again=True)
            raise ServiceUnavailable("ServiceNow does not say what stands there")
        if rows[0].value("correlation_id") != mark:
            raise NotAllowed(CHANGED)
        if rows[0].value("sys_mod_count") != made.state:
            raise NotAllowed(CHANGED)
        bare = replace(part, params={})
        try:
            gone = await writing.calls.write(access, "DELETE", bare)
        except Unsure:
            if (await writing.calls.get(access, part)).status != _MISSING:
                raise
            return Done(stub)
        writing.refuse(gone)
    return Done(stub, gone.request)


def _told(table: Table, done: Done) -> Done:
    record = done.record
    return replace(done, made=str(Made(table.kind, record.ref.id, record.rev.text)))


def described() -> tuple[Input, ...]:
    """Return the inputs for what something is about."""
    return (
        Input(
            "short_description",
            "Short description",
            required=True,
            longest=_LONGEST["short_description"],
        ),
        Input(
            "description",
            "Description",
            InputKind.TEXT,
            longest=_LONGEST["description"],
        ),
    )


def edited() -> tuple[Input, ...]:
    """Return the inputs of an incident that are entered and changed by hand."""
    return (
        *described(),
        Input("impact", "Impact", InputKind.CHOICE, value="3", choices=_LEVELS),
        Input(
            "urgency",
            "Urgency",
            InputKind.CHOICE,
            value="3",
            choices=_LEVELS,
            hint="The priority follows from impact and urgency.",
        ),
    )
