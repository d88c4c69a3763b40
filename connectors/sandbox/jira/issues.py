"""Issues over REST: read, made, changed, moved, talked about."""

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from connectors.sandbox.http import answer, body_of
from connectors.sandbox.jira.hooks import Event, Hooks
from connectors.sandbox.jira.refusals import NO_ISSUE, Refusal
from connectors.sandbox.jira.shapes import Shapes
from connectors.sandbox.jira.state import Comment, Issue, Json, Project, Site
from connectors.sandbox.jira.values import EDITABLE, taken

_MOST_FETCHED = 100
_MOST_PROPERTIES = 32_768  # bytes of one


class Issues:
    """One site's issues."""

    def __init__(self, site: Site, hooks: Hooks) -> None:
        self._site, self._hooks = site, hooks

    async def read(self, request: web.Request, shapes: Shapes) -> web.Response:
        issue = self.issue(request, shapes)
        query = request.query
        fields = query["fields"].split(",") if query.get("fields") else None
        told = shapes.issue(issue, fields or None)
        if wanted := query.get("properties"):
            told["properties"] = _properties(issue, wanted.split(","))
        expand = query.get("expand", "").split(",")
        if "transitions" in expand:
            told["transitions"] = self._transitions(issue, shapes, fields=False)
        if "editmeta" in expand:
            told["editmeta"] = {"fields": self._editable(issue, shapes)}
        if "names" in expand:
            told["names"] = {name: name for name in told.get("fields", {})}
        return answer(told)

    async def fetched(self, request: web.Request, shapes: Shapes) -> web.Response:
        """Answer up to 100 issues by ids and keys; the index is not asked for them."""
        body = await _json(request)
        named = [str(each) for each in body.get("issueIdsOrKeys", ())]
        if not 0 < len(named) <= _MOST_FETCHED:
            raise Refusal(400, "issueIdsOrKeys takes 1 to 100 issues.")
        found = {}
        for each in named:
            issue = self._site.found(each)
            if issue is not None and self._site.sees(shapes.user, issue):
                found[issue.id] = issue
        told = []
        failed = set(found) & self._site.failing
        errors = [{"id": i, "errorMessage": "Try again"} for i in sorted(failed)]
        for _, issue in sorted(found.items()):
            if issue.id in failed:
                continue
            shown = shapes.issue(issue, body.get("fields") or ["*navigable"])
            if wanted := body.get("properties"):
                shown["properties"] = _properties(issue, list(wanted))
            told.append(shown)
        return answer({"issues": told, "issueErrors": errors})

    async def create(self, request: web.Request, shapes: Shapes) -> web.Response:
        body = await _json(request)
        fields = dict(body.get("fields", {}))
        project = self._project(fields.pop("project", None), shapes)
        needed = {"summary", "issuetype", *project.required}
        missing = {name for name in needed if not fields.get(name)}
        if missing:
            errors = {name: f"{name} is required." for name in missing}
            raise Refusal(400, errors=errors)
        allowed = {*EDITABLE, "issuetype", "reporter"}
        values = taken(fields, shapes, project, allowed)
        moment = self._site.moment()
        project.last += 1
        issue = Issue(
            self._site.number(),
            f"{project.key}-{project.last}",
            project.id,
            {
                "status": "1",
                "priority": "3",
                "assignee": None,
                "reporter": shapes.user.id,
                "resolution": None,
                **values,
            },
            moment,
            moment,
        )
        self._site.issues[issue.id] = issue
        _set_properties(issue, body)
        self._site.index(issue)
        self._hooks.tell(Event("jira:issue_created", issue, shapes.user))
        self_ = f"{self._site.address}/rest/api/3/issue/{issue.id}"
        return answer({"id": issue.id, "key": issue.key, "self": self_}, 201)

    async def edit(self, request: web.Request, shapes: Shapes) -> web.Response:
        issue = self.issue(request, shapes)
        body = await _json(request)
        given = {**body.get("fields", {}), **_updated(issue, body.get("update", {}))}
        allowed = EDITABLE if self._site.edits(shapes.user, issue) else ()
        values = taken(given, shapes, self._site.projects[issue.project], allowed)
        self._change(issue, shapes, values, body)
        return web.Response(status=204)

    async def delete(self, request: web.Request, shapes: Shapes) -> web.Response:
        """Delete an issue: a right of its own, which not everybody has who edits."""
        issue = self.issue(request, shapes)
        project = self._site.projects[issue.project]
        if not set(shapes.user.groups) & project.delete:
            raise Refusal(
                403, "You do not have permission to delete issues in this project."
            )
        self._hooks.tell(Event("jira:issue_deleted", issue, shapes.user))
        del self._site.issues[issue.id]
        return web.Response(status=204)

    async def assign(self, request: web.Request, shapes: Shapes) -> web.Response:
        issue = self.issue(request, shapes)
        body = await _json(request)
        if not self._site.edits(shapes.user, issue):
            raise Refusal(403, "You do not have permission to assign issues.")
        given = {"assignee": {"accountId": body.get("accountId")}}
        project = self._site.projects[issue.project]
        self._change(issue, shapes, taken(given, shapes, project, {"assignee"}), {})
        return web.Response(status=204)

    async def transitions(self, request: web.Request, shapes: Shapes) -> web.Response:
        issue = self.issue(request, shapes)
        fields = "transitions.fields" in request.query.get("expand", "")
        told = self._transitions(issue, shapes, fields=fields)
        return answer({"expand": "transitions", "transitions": told})

    async def transit(self, request: web.Request, shapes: Shapes) -> web.Response:
        issue = self.issue(request, shapes)
        body = await _json(request)
        wanted = str(body.get("transition", {}).get("id", ""))
        if not self._site.edits(shapes.user, issue):
            raise Refusal(400, f"Transition id '{wanted}' is not valid for this issue.")
        steps = {each.id: each for each in self._steps(issue)}
        if wanted not in steps:
            raise Refusal(400, f"Transition id '{wanted}' is not valid for this issue.")
        step = steps[wanted]
        given = dict(body.get("fields", {}))
        missing = [n for n, needed in step.screen.items() if needed and n not in given]
        if missing:
            errors = {name: f"{name.capitalize()} is required." for name in missing}
            raise Refusal(400, errors=errors)
        allowed = set(step.screen) - {"comment"}
        project = self._site.projects[issue.project]
        values = {**taken(given, shapes, project, allowed), "status": step.to}
        if self._site.statuses[step.to][1] != "Done":
            values["resolution"] = None
        self._change(issue, shapes, values, body)
        for added in body.get("update", {}).get("comment", ()):
            self._say(issue, shapes, added.get("add", {}))
        return web.Response(status=204)

    async def comments(self, request: web.Request, shapes: Shapes) -> web.Response:
        issue = self.issue(request, shapes)
        heard = [c for c in issue.comments if self._site.hears(shapes.user, c)]
        if request.query.get("orderBy", "").startswith("-"):
            heard.reverse()
        start = int(request.query.get("startAt", "0"))
        most = min(int(request.query.get("maxResults", "50")), 5000)
        told = [shapes.comment(each) for each in heard[start : start + most]]
        page = {"startAt": start, "maxResults": most, "total": len(heard)}
        return answer({**page, "comments": told})

    async def say(self, request: web.Request, shapes: Shapes) -> web.Response:
        issue = self.issue(request, shapes)
        said = self._say(issue, shapes, await _json(request))
        return answer(shapes.comment(said), 201)

    async def reword(self, request: web.Request, shapes: Shapes) -> web.Response:
        """Change a comment: people may change their own. Its properties stay."""
        issue = self.issue(request, shapes)
        for said in issue.comments:
            if said.id == request.match_info["comment"]:
                if said.author != shapes.user.id:
                    raise Refusal(403, "You cannot edit this comment.")
                document = shapes.document((await _json(request)).get("body"))
                if not isinstance(document, dict) or document.get("type") != "doc":
                    raise Refusal(400, errors={"comment": "Comment body is not valid!"})
                said.body, said.updated = document, self._site.moment()
                issue.updated = said.updated
                self._site.index(issue)
                event = Event("comment_updated", issue, shapes.user, comment=said)
                self._hooks.tell(event)
                return answer(shapes.comment(said))
        raise Refusal(404, "Can not find a comment for the id.")

    async def unsay(self, request: web.Request, shapes: Shapes) -> web.Response:
        """Delete a comment: people may delete their own."""
        issue = self.issue(request, shapes)
        for said in issue.comments:
            if said.id == request.match_info["comment"]:
                if said.author != shapes.user.id:
                    raise Refusal(403, "You cannot delete this comment.")
                issue.comments.remove(said)
                issue.updated = self._site.moment()
                self._site.index(issue)
                return web.Response(status=204)
        raise Refusal(404, "Can not find a comment for the id.")

    async def listed(self, request: web.Request, shapes: Shapes) -> web.Response:
        """Answer comments by their ids, those that the user may read."""
        wanted = {str(each) for each in (await _json(request)).get("ids", ())}
        properties = "properties" in request.query.get("expand", "")
        found = [
            shapes.comment(said, properties=properties)
            for issue in self._site.issues.values()
            if self._site.sees(shapes.user, issue)
            for said in issue.comments
            if said.id in wanted and self._site.hears(shapes.user, said)
        ]
        page = {"startAt": 0, "maxResults": 1000, "total": len(found)}
        return answer({**page, "isLast": True, "values": found})

    async def editmeta(self, request: web.Request, shapes: Shapes) -> web.Response:
        issue = self.issue(request, shapes)
        return answer({"fields": self._editable(issue, shapes)})

    def issue(self, request: web.Request, shapes: Shapes) -> Issue:
        found = self._site.found(request.match_info["issue"])
        if found is None or not self._site.sees(shapes.user, found):
            raise Refusal(404, NO_ISSUE)
        return found

    def _project(self, named: Any, shapes: Shapes) -> Project:
        told = named if isinstance(named, dict) else {}
        for project in self._site.projects.values():
            fits = project.key == told.get("key") or project.id == told.get("id")
            if fits and set(shapes.user.groups) & project.browse:
                if not set(shapes.user.groups) & project.edit:
                    why = "You do not have permission to create issues in this project."
                    raise Refusal(400, why)
                return project
        raise Refusal(400, errors={"project": "Specify a valid project ID or key"})

    def _steps(self, issue: Issue) -> tuple[Any, ...]:
        return self._site.workflow[str(issue.values["status"])]

    def _transitions(self, issue: Issue, shapes: Shapes, *, fields: bool) -> list[Json]:
        if not self._site.edits(shapes.user, issue):
            return []
        return [shapes.transition(one, fields=fields) for one in self._steps(issue)]

    def _editable(self, issue: Issue, shapes: Shapes) -> Json:
        if not self._site.edits(shapes.user, issue):
            return {}
        return {
            name: shapes.meta(name, required=name == "summary", project=issue.project)
            for name in EDITABLE
        }

    def _change(
        self, issue: Issue, shapes: Shapes, values: Json, body: Mapping[str, Any]
    ) -> None:
        before = dict(issue.values)
        issue.values.update(values)
        _set_properties(issue, body)
        issue.updated = self._site.moment()
        self._site.index(issue)
        items = [
            {
                "field": name,
                "fieldId": name,
                "fieldtype": "jira",
                "from": _said(before.get(name)),
                "to": _said(value),
            }
            for name, value in values.items()
            if before.get(name) != value
        ]
        event = Event("jira:issue_updated", issue, shapes.user, items)
        self._hooks.tell(event)

    def _say(self, issue: Issue, shapes: Shapes, body: Mapping[str, Any]) -> Comment:
        document = shapes.document(body.get("body"))
        if not isinstance(document, dict) or document.get("type") != "doc":
            raise Refusal(400, errors={"comment": "Comment body is not valid!"})
        said = Comment(
            self._site.number(),
            shapes.user.id,
            document,
            self._site.moment(),
            body.get("visibility"),
            {each["key"]: each["value"] for each in body.get("properties", ())},
        )
        issue.comments.append(said)
        issue.updated = self._site.moment()
        self._site.index(issue)
        self._hooks.tell(Event("comment_created", issue, shapes.user, comment=said))
        return said


async def _json(request: web.Request) -> Mapping[str, Any]:
    try:
        body = await body_of(request)
    except ValueError:
        raise Refusal(400, "There was an error parsing JSON.") from None
    return body if isinstance(body, dict) else {}


def _updated(issue: Issue, update: Mapping[str, Any]) -> Json:
    """Return what fields are after operations such as add and remove."""
    found: Json = {}
    for name, operations in update.items():
        value = issue.values.get(name)
        for each in operations:
            if "set" in each:
                value = each["set"]
            if "add" in each:
                value = [*(value or ()), each["add"]]
            if "remove" in each:
                value = [one for one in value or () if one != each["remove"]]
        found[name] = value
    return found


def _set_properties(issue: Issue, body: Mapping[str, Any]) -> None:
    for each in body.get("properties", ()):
        if len(str(each["value"])) > _MOST_PROPERTIES:
            raise Refusal(400, "The property value is too long.")
        issue.properties[each["key"]] = each["value"]


def _properties(issue: Issue, wanted: list[str]) -> Json:
    if "*all" in wanted:
        return dict(issue.properties)
    return {name: issue.properties[name] for name in wanted if name in issue.properties}


def _said(value: Any) -> str | None:
    return None if value is None else str(value)[:255]
