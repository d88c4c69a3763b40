"""
What is done to issues, once for each deed.

Jira has no condition for writes, so that an issue is read just before one is made, and
what it says is compared with what the person saw. The same reading tells whether the
deed was done by an earlier try: each write leaves its key in a property of the issue.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bridge.errors import BadInput, NotAllowed
from bridge.records.forms import AMEND, DEED, MADE, TAKE_BACK, Deed
from bridge.records.model import Record, RecordRef
from bridge.records.ports import (
    Access,
    Done,
    EditConflict,
    Gone,
    NotThere,
    NotYours,
    Rejected,
    Unsure,
)
from connectors.jira.api import DEEDS, Api, keys_in, objects
from connectors.jira.comments import Comments
from connectors.jira.fields import Field
from connectors.jira.forms import (
    PROJECT,
    TEXT,
    TRANSITION,
    TYPE,
    creatable,
    editable,
    screen,
    steps,
)
from connectors.jira.issues import fields_of, record
from connectors.jira.jql import just_made
from connectors.jira.site import KIND, Site
from connectors.made import CHANGED, GONE, Made, deleted
from connectors.remembered import Remembered

_KEPT_KEYS = 20  # deeds that an issue's property names


@dataclass(frozen=True, slots=True)
class Deeds:
    """Does things to one site's issues."""

    site: Site
    api: Api
    comments: Comments
    tried: Remembered[bool]  # keys of new issues whose answers were lost lately

    async def perform(self, access: Access, deed: Deed) -> Done:
        if deed.act == "create":
            return await self._create(access, deed)
        if deed.act == TAKE_BACK and deed.ref is None:
            return await self._unmade(access, deed)
        if deed.ref is None:
            raise BadInput("say which issue")
        of_comments = {
            "comment": self._comment,
            TAKE_BACK: self._take_back,
            AMEND: self._amend,
        }
        if deed.act in of_comments:
            return await of_comments[deed.act](access, deed, deed.ref)
        issue = await self._now(access, deed.ref)
        if deed.key in _done(issue):
            return Done(self._record(issue), again=True)
        match deed.act:
            case "transition":
                return await self._transition(access, deed, deed.ref, issue)
            case "edit":
                return await self._edit(access, deed, deed.ref, issue)
            case "assign":
                return await self._assign(access, deed.ref, issue)
        raise BadInput("that cannot be done with an issue")

    async def _comment(self, access: Access, deed: Deed, ref: RecordRef) -> Done:
        text = deed.values.get(TEXT, "").strip()
        if not text:
            raise Rejected("say something", {TEXT: "is empty"})
        said = await self.comments.say(access, ref, deed.key, text)
        after = {} if said.again else {"comment": text}
        read = await self._read(access, ref)
        return Done(read, said.request, after=after, again=said.again, made=said.made)

    async def _amend(self, access: Access, deed: Deed, ref: RecordRef) -> Done:
        text = deed.values.get(TEXT, "").strip()
        if not text:
            raise Rejected("say something", {TEXT: "is empty"})
        said = await self.comments.amend(access, ref, _named(deed), text)
        read, after = await self._read(access, ref), {"comment": text}
        return Done(read, said.request, {}, after, again=said.again, made=said.made)

    async def _take_back(self, access: Access, deed: Deed, ref: RecordRef) -> Done:
        gone = await self.comments.take_back(access, ref, *_named(deed))
        if gone is None and not deed.tried_us:
            raise NotThere(GONE)
        read = await self._read(access, ref)
        return Done(read, gone.request if gone else "", again=gone is None)

    async def _transition(
        self, access: Access, deed: Deed, ref: RecordRef, issue: Mapping[str, Any]
    ) -> Done:
        wanted = deed.values.get(TRANSITION, "")
        possible = {
            str(each["id"]): each for each in await steps(self.api, access, ref)
        }
        before = self._record(issue)
        if wanted not in possible:
            why = f"{before.key} is {before.status.text} now: that step is not open"
            raise EditConflict(why, before)
        fields = screen(possible[wanted])
        told = _encoded(deed.values, fields)
        body = {"transition": {"id": wanted}, "fields": told, **_marked(issue, deed)}
        path = ("issue", ref.id, "transitions")
        request = await self._written(access, deed, ref, "POST", path, body)
        after = await self._read(access, ref)
        return Done(
            after,
            request,
            {"status": before.status.text},
            {"status": after.status.text, **_entered(deed.values, told)},
        )

    async def _edit(
        self, access: Access, deed: Deed, ref: RecordRef, issue: Mapping[str, Any]
    ) -> Done:
        fields = editable(issue)
        if not fields:
            raise NotYours("Jira does not let you edit this issue")
        if unknown := set(deed.values) - set(fields):
            told = dict.fromkeys(unknown, "cannot be set")
            raise Rejected("Jira does not let you set that", told)
        values = issue["fields"]
        now = {id_: each.decoded(values.get(id_)) for id_, each in fields.items()}
        wanted = {
            id_: text
            for id_, text in deed.values.items()
            if id_ in fields and not fields[id_].same(text, now[id_])
        }
        _unchanged(deed, wanted, now, fields, self._record(issue))
        if not wanted:
            return Done(self._record(issue), again=True)
        body = {"fields": _encoded(wanted, fields), **_marked(issue, deed)}
        path = ("issue", ref.id)
        request = await self._written(access, deed, ref, "PUT", path, body)
        again = await self._now(access, ref)
        saved = {id_: fields[id_].decoded(again["fields"].get(id_)) for id_ in wanted}
        lost = [id_ for id_ in wanted if not fields[id_].same(saved[id_], wanted[id_])]
        return Done(
            self._record(again),
            request,
            {id_: now[id_] for id_ in wanted},
            saved,
            tuple(lost),
        )

    async def _assign(
        self, access: Access, ref: RecordRef, issue: Mapping[str, Any]
    ) -> Done:
        me = await self.api.get(access, "myself")
        before = self._record(issue)
        had = before.fact("assignee")
        if had is not None and had.raw == me.get("accountId"):
            return Done(before, again=True)
        path = ("issue", ref.id, "assignee")
        body = {"accountId": me.get("accountId")}
        answer = await self.api.write(access, "PUT", path, body)
        after = await self._read(access, ref)
        has = after.fact("assignee")
        return Done(
            after,
            self.api.rest.request_id(answer),
            {"assignee": had.text if had else ""},
            {"assignee": has.text if has else ""},
        )

    async def _create(self, access: Access, deed: Deed) -> Done:
        project, type_ = deed.values.get(PROJECT, ""), deed.values.get(TYPE, "")
        if project not in self.site.projects:
            raise Rejected("choose a project", {PROJECT: "is not one of ATOM's"})
        if not type_.isalnum():
            raise Rejected("choose a type", {TYPE: "is none"})
        if made := await self._made(access, deed, project):
            return _created(await self._read(access, self.site.ref(made)), again=True)
        fields = await creatable(self.api, access, project, type_)
        told = {
            id_: value for id_, value in _encoded(deed.values, fields).items() if value
        }
        body = {
            "fields": {"project": {"key": project}, "issuetype": {"id": type_}, **told},
            "properties": [{"key": DEEDS, "value": {"keys": [deed.key]}}],
        }
        try:
            answer = await self.api.write(access, "POST", ("issue",), body)
        except Unsure:
            self.tried.keep(deed.key, True)
            raise
        ref = self.site.ref(str(answer.object.get("id", "")))
        after = _entered(deed.values, {**told, PROJECT: "", TYPE: ""})
        read = await self._read(access, ref)
        return _created(read, self.api.rest.request_id(answer), after)

    async def _unmade(self, access: Access, deed: Deed) -> Done:
        """
        Delete the issue that a deed made. Raises `NotAllowed` with why it stays.

        Whatever happens to an issue, comments included, makes it another revision. With
        subtasks Jira refuses.
        """
        made = Made.read(deed.values.get(MADE, ""))
        ref = self.site.ref(made.id)
        stub = deleted(ref, round(self.api.rest.clock() * 1_000_000))
        path = ("issue", ref.id)
        try:
            issue = await self._now(access, ref)
            if deed.values.get(DEED, "") not in _done(issue):
                raise NotThere(GONE)
            if self._record(issue).rev.text != made.state:
                raise NotAllowed(CHANGED)
            answer = await self.api.write(access, "DELETE", path, None)
        except Gone:
            if not deed.tried_us:
                raise NotThere(GONE) from None
            return Done(stub, again=True)
        except Unsure:
            if await self._is_there(access, ref):
                raise
            return Done(stub)
        return Done(stub, self.api.rest.request_id(answer))

    async def _is_there(self, access: Access, ref: RecordRef) -> bool:
        try:
            await self._now(access, ref)
        except Gone:
            return False
        return True

    async def _made(self, access: Access, deed: Deed, project: str) -> str:
        """Return the issue that an earlier try made, empty if none did."""
        told = await self.api.ask(
            access,
            ("search", "jql"),
            {
                "jql": just_made(project),
                "fields": ["summary"],
                "properties": [DEEDS],
                "maxResults": 50,
            },
        )
        for each in objects(told.get("issues")):
            if deed.key in _done(each):
                return str(each["id"])
        # The index is late: a try of a moment ago may have made what it does not know.
        if self.tried.get(deed.key):
            raise Unsure("Jira cannot say yet whether the issue was made")
        return ""

    async def _written(  # noqa: PLR0913, PLR0917 - one write, all of it named
        self,
        access: Access,
        deed: Deed,
        ref: RecordRef,
        method: str,
        path: tuple[str, ...],
        body: Mapping[str, Any],
    ) -> str:
        """Write, and look at once whether a write whose answer was lost was made."""
        try:
            answer = await self.api.write(access, method, path, body)
        except Unsure:
            if deed.key in _done(await self._now(access, ref)):
                return ""
            raise
        return self.api.rest.request_id(answer)

    async def _now(self, access: Access, ref: RecordRef) -> Mapping[str, Any]:
        issue = await self.api.get(
            access,
            "issue",
            ref.id,
            fields="*all,-comment",
            expand="editmeta",
            properties=DEEDS,
        )
        if str(issue.get("key", "")).partition("-")[0] not in self.site.projects:
            raise Gone("the issue was deleted, or is not yours to see")
        return issue

    async def _read(self, access: Access, ref: RecordRef) -> Record:
        fields = ",".join(fields_of(self.site))
        return self._record(await self.api.get(access, "issue", ref.id, fields=fields))

    def _record(self, issue: Mapping[str, Any]) -> Record:
        return record(issue, self.site, round(self.api.rest.clock() * 1_000_000))


def _named(deed: Deed) -> tuple[str, str]:
    """Return the key of an earlier deed, and when what it said was changed last."""
    made = deed.values.get(MADE, "")
    return deed.values.get(DEED, ""), Made.read(made).state if made else ""


def _created(
    read: Record,
    request: str = "",
    after: Mapping[str, str] | None = None,
    *,
    again: bool = False,
) -> Done:
    made = str(Made(KIND, read.ref.id, read.rev.text))
    return Done(read, request, after=after or {}, again=again, made=made)


def _done(issue: Mapping[str, Any]) -> list[str]:
    properties = issue.get("properties")
    return keys_in(properties.get(DEEDS)) if isinstance(properties, Mapping) else []


def _marked(issue: Mapping[str, Any], deed: Deed) -> Mapping[str, Any]:
    keys = [*_done(issue), deed.key][-_KEPT_KEYS:]
    return {"properties": [{"key": DEEDS, "value": {"keys": keys}}]}


def _encoded(values: Mapping[str, str], fields: Mapping[str, Field]) -> dict[str, Any]:
    return {
        id_: fields[id_].encoded(text)
        for id_, text in values.items()
        if id_ in fields and (text or fields[id_].type != "option")
    }


def _entered(values: Mapping[str, str], told: Mapping[str, Any]) -> dict[str, str]:
    return {id_: values[id_] for id_ in told if values.get(id_)}


def _unchanged(
    deed: Deed,
    wanted: Mapping[str, str],
    now: Mapping[str, str],
    fields: Mapping[str, Field],
    latest: Record,
) -> None:
    """Refuse to write over what the person did not see. Raises `EditConflict`."""
    for id_ in wanted:
        seen = deed.seen.get(id_)
        if seen is not None and not fields[id_].same(seen, now[id_]):
            why = f"{fields[id_].name} was changed meanwhile"
            raise EditConflict(why, latest, now)
        if seen is None and deed.base is not None and latest.rev > deed.base:
            raise EditConflict("the issue was changed meanwhile", latest, now)
