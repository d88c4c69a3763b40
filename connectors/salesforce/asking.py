"""Forms: what to ask a person for an act, with their own rights."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bridge.errors import BadInput
from bridge.records.forms import Choice, Form, Input, InputKind
from bridge.records.model import PUBLIC, RecordRef
from bridge.records.ports import Access, Gone, NotYours, Rejected
from connectors.salesforce.client import Client
from connectors.salesforce.kinds import Kind, Kinds
from connectors.salesforce.metadata import (
    FieldOf,
    Fields,
    Metadata,
    RecordType,
    Values,
)
from connectors.salesforce.rendering import revision

_KINDS = {
    "picklist": InputKind.CHOICE,
    "multipicklist": InputKind.CHOICES,
    "date": InputKind.DATE,
    "currency": InputKind.NUMBER,
    "double": InputKind.NUMBER,
    "int": InputKind.NUMBER,
    "percent": InputKind.NUMBER,
    "boolean": InputKind.CHECK,
    "textarea": InputKind.TEXT,
}
TYPE = "RecordTypeId"
_MOST_TYPES = 12  # in one form; of more of them one is chosen first
_NOT_ASKED = frozenset({"reference", "datetime", "address", "base64", "location", "id"})


@dataclass(frozen=True, slots=True)
class Act:
    """
    Something that changes fields of a record itself. `always` are asked for although
    the org would take nothing.
    """

    title: str
    fields: Callable[[Kind], Sequence[str]]
    kinds: frozenset[str]
    submit: str = "Save"
    always: frozenset[str] = frozenset()


EDITS: Mapping[str, Act] = {
    "edit": Act(
        "Edit",
        lambda kind: kind.editable,
        frozenset({"account", "contact", "opportunity", "case"}),
    ),
    "stage": Act(
        "Change stage",
        lambda _kind: ("StageName", "CloseDate", "NextStep"),
        frozenset({"opportunity"}),
        always=frozenset({"StageName"}),
    ),
    "status": Act(
        "Change status",
        lambda _kind: ("Status", "Type", "Reason"),
        frozenset({"case"}),
        always=frozenset({"Status"}),
    ),
}
# New records beside an existing one, by act.
NEW = {"new-contact": "contact", "new-case": "case", "create": ""}
_COMMENT = Input("CommentBody", "Comment", InputKind.TEXT, required=True, longest=4000)
_PUBLIC = Input(
    "IsPublished",
    "Customers may read it",
    InputKind.CHECK,
    value="true",
    hint="Otherwise it is for colleagues alone",
    inside="false",
)
_SUBJECT = Input("Subject", "Subject", required=True, longest=255)
_TEXT = Input("Description", "Text", InputKind.TEXT, longest=32_000)
_WHY = Input("CommentBody", "Why", InputKind.TEXT, required=True, longest=4000)
FIXED: Mapping[str, tuple[str, str, tuple[Input, ...]]] = {
    "comment": ("Comment", "Comment", (_COMMENT, _PUBLIC)),
    "note": ("Log a note", "Log", (_SUBJECT, _TEXT)),
    "call": ("Log a call", "Log", (_SUBJECT, _TEXT)),
    "take": ("Take this case", "Take it", ()),
}


class Asking:
    """Makes forms out of descriptions."""

    def __init__(self, client: Client, kinds: Kinds, metadata: Metadata) -> None:
        self._client = client
        self._kinds = kinds
        self._metadata = metadata

    async def form(
        self, access: Access, act: str, ref: RecordRef | None, kind: str
    ) -> Form:
        """Return a form. Raises `BadInput` for an act that there is not."""
        if act in NEW:
            return await self._new(access, act, ref, NEW[act] or kind)
        if ref is None:
            raise BadInput("say which record")
        of = kind_of(self._kinds, ref.kind)
        if act in EDITS and of.name in EDITS[act].kinds:
            return await self._edit(access, act, ref, of)
        if act == "escalate" and of.name == "case":
            return await self._escalate(access, ref, of)
        if act in FIXED and (act in {"note", "call"} or of.name == "case"):
            title, submit, inputs = FIXED[act]
            return Form(act, title, inputs, submit, ref, of.name)
        raise BadInput(f"a {of.what.lower()} cannot be asked to {act}")

    async def editable(self, access: Access, act: str, kind: Kind) -> Fields:
        """Return the fields that an act may write, for this account."""
        return _editable(act, kind, await self._metadata.fields(access, kind.object))

    async def createable(self, access: Access, kind: Kind) -> Fields:
        """Return what is asked for a new record: ours, and whatever the org needs."""
        fields = await self._metadata.fields(access, kind.object)
        wanted = [
            name for name in kind.new if name in fields and fields[name].createable
        ]
        wanted += [name for name, one in fields.items() if one.needed]
        if not any(fields[name].createable for name in wanted):
            raise NotYours(
                f"your Salesforce account may not make a {kind.what.lower()}"
            )
        asked = {
            name: fields[name] for name in wanted if fields[name].type not in _NOT_ASKED
        }
        types = await self._metadata.types(access, kind.object)
        chosen = TYPE in fields and fields[TYPE].createable
        if not chosen or len(types) < 2:  # noqa: PLR2004 - a choice is of two
            return asked
        return {TYPE: _of_types(types), **asked}

    async def _edit(self, access: Access, act: str, ref: RecordRef, kind: Kind) -> Form:
        known = await self._metadata.fields(access, kind.object)
        fields = _editable(act, kind, known)
        if not fields or not EDITS[act].always <= fields.keys():
            raise NotYours("your Salesforce account may not change this")
        more = {one.controller for one in fields.values() if one.controller}
        columns = {*fields, *more, "LastModifiedDate"}
        columns |= {TYPE} & known.keys()
        row, _at = await self._client.row(access, kind.object, ref.id, sorted(columns))
        kept = await self._kept(access, kind, text_of(row.get(TYPE)))
        inputs = [
            _within(
                self._input(kind, one, row, EDITS[act].always, fields, new=False), kept
            )
            for one in fields.values()
        ]
        rev = revision(row)
        return Form(act, EDITS[act].title, tuple(inputs), "Save", ref, kind.name, rev)

    async def _escalate(self, access: Access, ref: RecordRef, kind: Kind) -> Form:
        fields = await self._metadata.fields(access, kind.object)
        if not fields.get("IsEscalated") or not fields["IsEscalated"].updateable:
            raise NotYours("your Salesforce account may not escalate cases")
        columns = ["Priority", "LastModifiedDate"]
        row, _at = await self._client.row(access, kind.object, ref.id, columns)
        asked = {"Priority": fields["Priority"]} if "Priority" in fields else {}
        inputs = [
            self._input(kind, one, row, frozenset(), asked, new=False)
            for one in asked.values()
            if one.updateable
        ]
        return Form(
            "escalate",
            "Escalate this case",
            (*inputs, _WHY),
            "Escalate",
            ref,
            kind.name,
            revision(row),
        )

    async def _new(
        self, access: Access, act: str, ref: RecordRef | None, name: str
    ) -> Form:
        kind = kind_of(self._kinds, name)
        fields = await self.createable(access, kind)
        inputs = self._inputs(kind, fields)
        title = f"New {kind.what.lower()}"
        types = await self._metadata.types(access, kind.object)
        if TYPE in fields and len(types) > _MOST_TYPES:
            # What each of them offers is a call: it is asked for of the one chosen.
            usual = types[0].id if types[0].usual else ""
            [first] = [replace(each, value=usual) for each in inputs if each.id == TYPE]
            return Form(act, title, (first,), "Continue", ref, kind.name, narrows=TYPE)
        inputs = await self._by_type(access, kind, inputs)
        return Form(act, title, tuple(inputs), "Create", ref, kind.name)

    async def narrowed(
        self,
        access: Access,
        act: str,
        ref: RecordRef | None,
        name: str,
        chosen: str,
    ) -> Form:
        """Return the form of a new record whose type was chosen. Raises `Rejected`."""
        kind = kind_of(self._kinds, NEW.get(act) or name)
        types = await self._metadata.types(access, kind.object)
        known = [Choice(one.id, one.name) for one in types if one.id == chosen]
        if act not in NEW or not known:
            raise Rejected("Choose a record type.", {TYPE: "Choose one of these."})
        kept = await self._kept(access, kind, chosen)
        inputs = [
            replace(each, choices=tuple(known), value=chosen)
            if each.id == TYPE
            else _within(each, kept)
            for each in self._inputs(kind, await self.createable(access, kind))
        ]
        title = f"New {kind.what.lower()}"
        return Form(act, title, tuple(inputs), "Create", ref, kind.name)

    def _inputs(self, kind: Kind, fields: Fields) -> list[Input]:
        return [
            self._input(kind, one, {}, frozenset(), fields, new=True)
            for one in fields.values()
        ]

    async def _by_type(
        self, access: Access, kind: Kind, inputs: Sequence[Input]
    ) -> list[Input]:
        """Begin with the usual record type, and offer what fits the one chosen."""
        types = await self._metadata.types(access, kind.object)
        if not types or len(types) > _MOST_TYPES:
            return list(inputs)  # the person has no choice of them
        kept = {one.id: await self._kept(access, kind, one.id) for one in types}
        usual = types[0].id if types[0].usual else ""
        if not any(each.id == TYPE for each in inputs):
            only = types[0].id if len(types) == 1 else usual
            return [_within(each, kept.get(only, {})) for each in inputs]
        return [
            replace(each, value=usual) if each.id == TYPE else _fitting(each, kept)
            for each in inputs
        ]

    async def _kept(self, access: Access, kind: Kind, type_: str) -> Values:
        """Return what a record type has of picklists; nothing where that is not told."""
        if not type_:
            return {}
        try:
            return await self._metadata.values(access, kind.object, type_)
        except (Gone, NotYours):
            return {}

    def _input(  # noqa: PLR0913 - what an input depends on
        self,
        kind: Kind,
        one: FieldOf,
        row: Mapping[str, Any],
        always: frozenset[str],
        asked: Fields,
        *,
        new: bool,
    ) -> Input:
        choices = one.choices
        if one.controller and one.controller not in asked:
            fit = one.fitting.get(text_of(row.get(one.controller)), ())
            choices = tuple(each for each in choices if each[0] in fit)
        return Input(
            one.name,
            one.label,
            _KINDS.get(one.type, InputKind.LINE),
            text_of(row.get(one.name)),
            one.name in always or (new and one.needed),
            tuple(Choice(value, label) for value, label in choices),
            one.controller if one.controller in asked else "",
            one.fitting if one.controller in asked else {},
            one.length,
            cls=self._kinds.classes.get((kind.object, one.name), PUBLIC),
        )


def _editable(act: str, kind: Kind, known: Fields) -> Fields:
    return {
        name: known[name]
        for name in EDITS[act].fields(kind)
        if name in known and known[name].updateable
    }


def _of_types(types: Sequence[RecordType]) -> FieldOf:
    """Return the field that holds the record type, as a choice."""
    return FieldOf(
        TYPE,
        "Record type",
        "picklist",
        0,
        createable=True,
        updateable=False,
        needed=True,
        choices=tuple((one.id, one.name) for one in types),
        controller="",
        fitting={},
    )


def _within(each: Input, kept: Values) -> Input:
    """Offer only what a record type has, and what stands there."""
    if each.id not in kept:
        return each
    standing = set(each.value.split("\n"))
    fine = kept[each.id] | standing
    return replace(each, choices=tuple(c for c in each.choices if c.value in fine))


def _fitting(each: Input, kept: Mapping[str, Values]) -> Input:
    """
    Let a choice depend on the record type.

    One that depends on another input already goes on doing so: Salesforce refuses what
    fits its record type not.
    """
    if each.controller or not any(each.id in values for values in kept.values()):
        return each
    every = tuple(choice.value for choice in each.choices)
    fitting = {
        type_: tuple(v for v in every if v in values.get(each.id, frozenset(every)))
        for type_, values in kept.items()
    }
    return replace(each, controller=TYPE, fitting=fitting)


def kind_of(kinds: Kinds, name: str) -> Kind:
    """Return a kind by ATOM's name for it. Raises `BadInput`."""
    kind = kinds.named(name)
    if kind is None:
        names = ", ".join(one.name for one in kinds.all)
        raise BadInput(f"Salesforce has these kinds: {names}")
    return kind


def text_of(value: Any) -> str:
    """Return a field's value as forms and deeds hold it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def value_of(one: FieldOf, text: str) -> Any:
    """Return a form's text as the API takes it. Raises ValueError with what is wrong."""
    if one.type == "boolean":
        return text.casefold() == "true"
    if not text.strip():
        return None
    if _KINDS.get(one.type) is InputKind.NUMBER:
        try:
            number = float(text.replace(",", "").strip())
        except ValueError:
            raise ValueError("Type a number, such as 1250.50") from None
        if number - number != 0:  # neither infinite nor no number
            raise ValueError("Type a number, such as 1250.50")
        return number
    return text
