"""What a site says of itself: its people, projects, fields, and who asks."""

from aiohttp import web

from connectors.sandbox.http import answer
from connectors.sandbox.jira.refusals import Refusal
from connectors.sandbox.jira.seed import NAMES
from connectors.sandbox.jira.shapes import Shapes
from connectors.sandbox.jira.state import Json, Project, Site
from connectors.sandbox.jira.values import EDITABLE


class Meta:
    """One site's metadata."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def server(self, request: web.Request, shapes: Shapes) -> web.Response:  # noqa: ARG002
        return answer(
            {
                "baseUrl": self._site.address,
                "version": "1001.0.0-SNAPSHOT",
                "versionNumbers": [1001, 0, 0],
                "deploymentType": "Cloud",
                "buildNumber": 100287,
                "serverTitle": "Jira",
            }
        )

    async def myself(self, request: web.Request, shapes: Shapes) -> web.Response:  # noqa: ARG002
        return answer({**(shapes.person(shapes.user.id) or {}), "timeZone": "UTC"})

    async def fields(self, request: web.Request, shapes: Shapes) -> web.Response:  # noqa: ARG002
        told = []
        for name, shown in NAMES.items():
            custom = name.startswith("customfield_")
            one: Json = {"id": name, "key": name, "name": shown, "custom": custom}
            schema = {"type": "string", "system": name}
            one["schema"] = {"type": "array", "customId": 10020} if custom else schema
            one["clauseNames"] = [name]
            told.append(one)
        return answer(told)

    async def projects(self, request: web.Request, shapes: Shapes) -> web.Response:
        told = [
            {"id": each.id, "key": each.key, "name": each.name}
            for each in self._site.projects.values()
            if each.browse & set(shapes.user.groups)
        ]
        if not request.path.endswith("search"):
            return answer(told)
        page = {"startAt": 0, "maxResults": 50, "total": len(told), "isLast": True}
        return answer({**page, "values": told})

    async def project(self, request: web.Request, shapes: Shapes) -> web.Response:
        named, mine = request.match_info["project"], set(shapes.user.groups)
        for each in self._site.projects.values():
            if named in {each.id, each.key} and each.browse & mine:
                types = [{"id": i, "name": n} for i, n in self._site.types.items()]
                told = {"id": each.id, "key": each.key, "name": each.name}
                return answer({**told, "issueTypes": types})
        raise Refusal(404, f"No project could be found with key '{named}'.")

    async def people(self, request: web.Request, shapes: Shapes) -> web.Response:
        words = request.query.get("query", "").casefold()
        people = [
            shapes.person(id_)
            for id_, user in self._site.users.items()
            if words in user.shown.casefold() or words in user.mail.casefold()
        ]
        return answer(people[: int(request.query.get("maxResults", "50"))])

    async def types(self, request: web.Request, shapes: Shapes) -> web.Response:
        self._creatable(request, shapes)
        told = [
            {"id": id_, "name": name, "subtask": False}
            for id_, name in self._site.types.items()
        ]
        page = {"startAt": 0, "maxResults": 50, "total": len(told)}
        return answer({**page, "issueTypes": told})

    async def create_fields(self, request: web.Request, shapes: Shapes) -> web.Response:
        project = self._creatable(request, shapes)
        if request.match_info["type"] not in self._site.types:
            raise Refusal(404, "Issue type not found")
        needed = {"summary", "issuetype", *project.required}
        told = [
            shapes.meta(name, required=name in needed, project=project.id)
            for name in ("summary", "issuetype", *EDITABLE[1:])
        ]
        page = {"startAt": 0, "maxResults": 50, "total": len(told)}
        return answer({**page, "fields": told})

    def _creatable(self, request: web.Request, shapes: Shapes) -> Project:
        named, mine = request.match_info["project"], set(shapes.user.groups)
        for project in self._site.projects.values():
            if named in {project.id, project.key} and project.browse & mine:
                if not project.edit & mine:
                    why = "You do not have permission to create issues in this project."
                    raise Refusal(403, why)
                return project
        raise Refusal(404, "No project could be found with key or id")
