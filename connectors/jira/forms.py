"""Forms for what can be done with issues, from the site's own metadata."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bridge.errors import BadInput
from bridge.records.forms import Choice, Form, Input, InputKind
from bridge.records.model import RecordRef
from bridge.records.ports import Access, NotYours
from connectors.jira.api import Api, objects
from connectors.jira.fields import Field, described
from connectors.jira.issues import fields_of, revision
from connectors.jira.site import KIND, Site

TEXT = "text"
TRANSITION = "transition"
PROJECT, TYPE = "project", "issuetype"
# Who does it is chosen by clicking, and a level of secrecy not by accident.
_UNASKED = frozenset(
    {"assignee", "reporter", PROJECT, TYPE, "attachment", "issuelinks"}
)
_MOST_TYPES = 8


@dataclass(frozen=True, slots=True)
class Forms:
    """One site's forms."""

    site: Site
    api: Api

    async def form(self, access: Access, act: str, ref: RecordRef | None) -> Form:
        if act == "create":
            return await self._create(access)
        if ref is None:
            raise BadInput("say which issue")
        if act == "comment":
            text = Input(TEXT, "Comment", InputKind.TEXT, required=True, longest=32_767)
            return Form(act, "Comment", (text,), "Comment", ref, KIND)
        if act == "edit":
            return await self._edit(access, ref)
        if act == "transition":
            return await self._transition(access, ref)
        if act == "assign":
            return Form(act, "Assign to me", (), "Assign to me", ref, KIND)
        raise BadInput("that cannot be done with an issue")

    async def _edit(self, access: Access, ref: RecordRef) -> Form:
        issue = await self.api.get(
            access, "issue", ref.id, fields="*all,-comment", expand="editmeta"
        )
        values = issue.get("fields") or {}
        fields = editable(issue).values()
        entered = [each.input(each.decoded(values.get(each.id))) for each in fields]
        inputs = [each for each in entered if each is not None]
        if not inputs:
            raise NotYours("Jira does not let you edit this issue")
        note = _only_in_jira(fields)
        title = f"Edit {issue.get('key', '')}"
        return Form(
            "edit", title, tuple(inputs), "Save", ref, KIND, revision(values), note
        )

    async def _transition(self, access: Access, ref: RecordRef) -> Form:
        issue, told = await asyncio.gather(
            self.api.get(
                access, "issue", ref.id, fields=",".join(fields_of(self.site))
            ),
            steps(self.api, access, ref),
        )
        if not told:
            raise NotYours("Jira lets you move this issue nowhere from here")
        choices = tuple(
            Choice(str(each["id"]), str(each.get("name", each["id"]))) for each in told
        )
        chosen = Input(TRANSITION, "Transition", InputKind.CHOICE, choices=choices)
        inputs = [replace(chosen, required=True), *_screens(told)]
        title = f"Transition {issue.get('key', '')}"
        rev = revision(issue.get("fields") or {})
        return Form("transition", title, tuple(inputs), "Go", ref, KIND, rev)

    async def _create(self, access: Access) -> Form:
        projects = await self._projects(access)
        told = await asyncio.gather(
            *(self._types(access, str(each["key"])) for each in projects),
        )
        fitting = {
            str(project["key"]): tuple(types)
            for project, types in zip(projects, told, strict=True)
        }
        if not any(fitting.values()):
            raise NotYours("Jira does not let you create issues")
        names = {id_: name for types in told for id_, name in types.items()}
        keys = [key for key, types in fitting.items() if types]
        pairs = [(key, id_) for key in keys for id_ in fitting[key]][:_MOST_TYPES]
        fields = await asyncio.gather(
            *(creatable(self.api, access, key, id_) for key, id_ in pairs)
        )
        inputs = [
            Input(
                PROJECT,
                "Project",
                InputKind.CHOICE,
                keys[0],
                required=True,
                choices=tuple(Choice(key, key) for key in keys),
            ),
            Input(
                TYPE,
                "Type",
                InputKind.CHOICE,
                required=True,
                choices=tuple(Choice(id_, name) for id_, name in names.items()),
                controller=PROJECT,
                fitting=fitting,
            ),
            *_united(fields, [names[id_] for _, id_ in pairs]),
        ]
        note = _only_in_jira(each for many in fields for each in many.values())
        return Form(
            "create", "New issue", tuple(inputs), "Create", None, KIND, note=note
        )

    async def _projects(self, access: Access) -> list[Mapping[str, Any]]:
        told = await self.api.get(access, PROJECT, "search")
        return [
            each
            for each in objects(told.get("values"))
            if each.get("key") in self.site.projects
        ]

    async def _types(self, access: Access, project: str) -> dict[str, str]:
        try:
            told = await self.api.get(
                access, "issue", "createmeta", project, "issuetypes"
            )
        except NotYours:
            return {}
        return {
            str(each["id"]): str(each.get("name", each["id"]))
            for each in objects(told.get("issueTypes"))
            if not each.get("subtask")
        }


def editable(issue: Mapping[str, Any]) -> dict[str, Field]:
    """Return the fields of an issue that its reader may change."""
    meta = issue.get("editmeta")
    told = meta.get("fields") if isinstance(meta, Mapping) else {}
    return _asked(described({"key": id_, **each} for id_, each in (told or {}).items()))


async def creatable(
    api: Api, access: Access, project: str, type_: str
) -> dict[str, Field]:
    """Return the fields of a new issue of a type."""
    told = await api.get(access, "issue", "createmeta", project, "issuetypes", type_)
    return _asked(described(objects(told.get("fields") or told.get("results"))))


async def steps(api: Api, access: Access, ref: RecordRef) -> list[Mapping[str, Any]]:
    """Return the transitions that lead from where an issue is, for whoever asks."""
    told = await api.get(
        access, "issue", ref.id, "transitions", expand="transitions.fields"
    )
    return [each for each in objects(told.get("transitions")) if "id" in each]


def screen(step: Mapping[str, Any]) -> dict[str, Field]:
    """Return the fields that a transition asks for."""
    told = step.get("fields")
    told = told if isinstance(told, Mapping) else {}
    return _asked(described({"key": id_, **each} for id_, each in told.items()))


def _screens(told: Sequence[Mapping[str, Any]]) -> list[Input]:
    """Return the inputs of all transitions; which needs which is said beside."""
    found: dict[str, Input] = {}
    needed: dict[str, list[str]] = {}
    for step in told:
        for each in screen(step).values():
            entered = each.input()
            if entered is None:
                continue
            found[each.id] = entered
            if each.required:
                needed.setdefault(each.id, []).append(str(step.get("name", "")))
    return [
        replace(
            each,
            required=len(needed.get(id_, ())) == len(told),
            hint=f"Needed for: {', '.join(needed[id_])}"
            if id_ in needed
            else each.hint,
        )
        for id_, each in found.items()
    ]


def _united(fields: Sequence[Mapping[str, Field]], types: Sequence[str]) -> list[Input]:
    """Return the inputs of several types; what only some need is said beside."""
    found: dict[str, Input] = {}
    for each in (one for many in fields for one in many.values()):
        if each.id not in found and (entered := each.input()) is not None:
            found[each.id] = entered
    result = []
    for id_, entered in found.items():
        needing = [
            name
            for name, many in zip(types, fields, strict=True)
            if id_ in many and many[id_].required
        ]
        everywhere = len(needing) == len(fields)
        hint = f"Needed for: {', '.join(dict.fromkeys(needing))}"
        some = bool(needing) and not everywhere
        result.append(
            replace(entered, required=everywhere, hint=hint if some else entered.hint)
        )
    return result


def _only_in_jira(fields: Iterable[Field]) -> str:
    """Return a line about fields that are needed and cannot be entered in a chat."""
    names = [each.name for each in fields if each.required and each.kind is None]
    return f"{', '.join(dict.fromkeys(names))}: only in Jira" if names else ""


def _asked(fields: Mapping[str, Field]) -> dict[str, Field]:
    return {id_: each for id_, each in fields.items() if id_ not in _UNASKED}
