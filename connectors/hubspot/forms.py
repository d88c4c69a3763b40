"""Forms for what can be done with HubSpot's objects."""

from collections.abc import Mapping
from dataclasses import dataclass

from bridge.errors import BadInput
from bridge.records.forms import Choice, Form, Input, InputKind
from bridge.records.model import RecordRef
from bridge.records.ports import Access, Gone, NotYours
from connectors.hubspot.api import Api, Json, dicts
from connectors.hubspot.fields import described
from connectors.hubspot.objects import revision
from connectors.hubspot.portal import Kind, Portal, kind_of

TEXT, SUBJECT, DUE = "text", "subject", "due"
_WORDS = {"stage": "Change stage", "note": "Note", "task": "Task", "edit": "Edit"}


@dataclass(frozen=True, slots=True)
class Forms:
    """One portal's forms."""

    portal: Portal
    api: Api

    async def form(
        self, access: Access, act: str, ref: RecordRef | None, kind: str
    ) -> Form:
        if act == "create":
            return await self._create(access, kind_of(kind))
        if ref is None:
            raise BadInput("say which record")
        found = kind_of(ref.kind)
        match act:
            case "note":
                inputs: tuple[Input, ...] = (
                    Input(TEXT, "Note", InputKind.TEXT, required=True, longest=65_000),
                )
            case "task":
                inputs = (
                    Input(SUBJECT, "To do", required=True, longest=255),
                    Input(DUE, "Due", InputKind.DATE, required=True),
                    Input(TEXT, "Notes", InputKind.TEXT, longest=65_000),
                )
            case "stage" if found.stage:
                return await self._stage(access, found, ref)
            case "edit":
                return await self._edit(access, found, ref)
            case _:
                raise BadInput(f"that cannot be done with a {found.name}")
        return Form(act, _WORDS[act], inputs, "Save", ref, found.name)

    async def _stage(self, access: Access, kind: Kind, ref: RecordRef) -> Form:
        told = await now(self.api, access, kind, ref.id)
        values = told["properties"]
        pipelines = await self.api.pipelines(access, kind)
        of = str(values.get(kind.pipeline) or "")
        inside = next((p for p in pipelines if str(p.get("id")) == of), {})
        stages = tuple(
            Choice(str(each.get("id")), str(each.get("label")))
            for each in dicts(inside.get("stages"))
        )
        chosen = Input(
            kind.stage,
            "Stage",
            InputKind.CHOICE,
            str(values.get(kind.stage) or ""),
            required=True,
            choices=stages,
        )
        title, rev = _WORDS["stage"], revision(told)
        return Form("stage", title, (chosen,), "Save", ref, kind.name, rev)

    async def _edit(self, access: Access, kind: Kind, ref: RecordRef) -> Form:
        told = await now(self.api, access, kind, ref.id)
        values = told["properties"]
        fields = described(await self.api.properties(access, kind))
        inputs = []
        for number, name in enumerate(kind.asked):
            # What this account may not see is not there to be changed either.
            if name not in fields or name not in values:
                continue
            field = fields[name]
            entered = field.input(field.decoded(values[name]), required=not number)
            if entered is not None:
                inputs.append(entered)
        if not inputs:
            raise NotYours("HubSpot lets you change nothing here")
        title = f"Edit {kind.what.lower()}"
        rev = revision(told)
        return Form("edit", title, tuple(inputs), "Save", ref, kind.name, rev)

    async def _create(self, access: Access, kind: Kind) -> Form:
        fields = described(await self.api.properties(access, kind))
        entered = [
            fields[name].input("", required=not number)
            for number, name in enumerate(kind.asked)
            if name in fields
        ]
        inputs = [each for each in entered if each is not None]
        if kind.stage:
            pipelines = await self.api.pipelines(access, kind)
            inputs[1:1] = _staged(kind, pipelines)
        title = f"New {kind.what.lower()}"
        return Form("create", title, tuple(inputs), "Create", None, kind.name)


async def now(api: Api, access: Access, kind: Kind, id_: str) -> Json:
    """Return an object as it is now, with all that is ever shown of it."""
    found = await api.read(access, kind.plural, [id_], kind.read)
    if id_ not in found or not isinstance(found[id_].get("properties"), Mapping):
        raise Gone("it was deleted, or is not yours to see")
    return found[id_]


def _staged(kind: Kind, pipelines: list[Json]) -> list[Input]:
    names, stages = [], []
    fitting: dict[str, tuple[str, ...]] = {}
    for each in pipelines:
        id_, inside = str(each.get("id")), dicts(each.get("stages"))
        names.append(Choice(id_, str(each.get("label"))))
        stages += [Choice(str(s.get("id")), str(s.get("label"))) for s in inside]
        fitting[id_] = tuple(str(s.get("id")) for s in inside)
    first = names[0].value if names else ""
    return [
        Input(kind.pipeline, "Pipeline", InputKind.CHOICE, first, True, tuple(names)),
        Input(
            kind.stage,
            "Stage",
            InputKind.CHOICE,
            "",
            True,
            tuple(stages),
            kind.pipeline,
            fitting,
        ),
    ]
