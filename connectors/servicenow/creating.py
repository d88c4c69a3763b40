"""Make a new row of a table, once for each deed: the deed's key stands in it."""

from collections.abc import Mapping, Sequence

from bridge.errors import BadInput, ServiceUnavailable
from bridge.records.forms import Choice, Deed, Input, InputKind
from bridge.records.ports import Access, Done
from connectors.servicenow.calls import Page, new_row, rows_of
from connectors.servicenow.checks import digest, fits, required
from connectors.servicenow.query import Op, Query, where
from connectors.servicenow.rows import Row
from connectors.servicenow.tables import Table
from connectors.servicenow.writing import Writing

_LEVELS = (Choice("1", "High"), Choice("2", "Medium"), Choice("3", "Low"))
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
            return Done(await writing.record(access, ref), again=True)
        values = {**deed.values, **more, "correlation_id": mark}
        part = new_row(table.name, (*table.fields, *values))
        made = await writing.calls.write(access, "POST", part, values)
        writing.refuse(made)
        ref = writing.reading.ref(table.kind, made.rows()[0].id)
        before = Row(values={"sys_mod_count": "-1"})
        return await writing.done(access, ref, before, deed.values, made)


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
