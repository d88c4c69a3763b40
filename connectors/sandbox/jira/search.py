"""
Searching as Jira Cloud does it since 2025: page by page, without a total, a bit late.

Source: Jira Cloud REST API v3, "Issue search": `/search` is gone, `/search/jql` gives
ids unless asked for more, and refuses a query that restricts nothing.
"""

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from connectors.sandbox.http import answer, body_of
from connectors.sandbox.jira.jql import JqlError, Query, parsed
from connectors.sandbox.jira.refusals import Refusal
from connectors.sandbox.jira.shapes import Shapes
from connectors.sandbox.jira.state import Issue, Json, Site

_MOST = 5000
_MOST_RECONCILED = 50
_TOKEN_DAYS = 7
_GONE = (
    "The requested API has been removed. Please migrate to the /rest/api/3/search/jql "
    "API. A full migration guideline is available at "
    "https://developer.atlassian.com/changelog/#CHANGE-2046"
)


class Search:
    """One site's search."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def gone(self, request: web.Request, shapes: Shapes) -> web.Response:  # noqa: ARG002
        raise Refusal(410, _GONE)

    async def jql(self, request: web.Request, shapes: Shapes) -> web.Response:
        asked = await _asked(request)
        query = self._query(asked, shapes)
        reconciled = {str(each) for each in asked.get("reconcileIssues") or ()}
        if len(reconciled) > _MOST_RECONCILED:
            raise Refusal(400, "reconcileIssues takes at most 50 issues.")
        found = self._found(query, shapes, reconciled)
        start = self._start(asked, query)
        most = max(1, min(int(asked.get("maxResults") or 50), _MOST))
        fields = asked.get("fields") or []
        page = found[start : start + most]
        told: Json = {
            "issues": [self._shown(each, shapes, fields, asked) for each in page],
            "isLast": start + most >= len(found),
        }
        if not told["isLast"]:
            told["nextPageToken"] = self._token(asked, start + most)
        return answer(told)

    async def count(self, request: web.Request, shapes: Shapes) -> web.Response:
        query = self._query(await _asked(request), shapes)
        return answer({"count": len(self._found(query, shapes, set()))})

    def _query(self, asked: Mapping[str, Any], shapes: Shapes) -> Query:
        try:
            query = parsed(
                str(asked.get("jql") or ""), shapes.user.id, self._site.now()
            )
        except JqlError as error:
            raise Refusal(400, str(error)) from error
        if not query.bounded:
            raise Refusal(
                400,
                "Unbounded JQL queries are not allowed here. Please add a search "
                "restriction to your query.",
            )
        return query

    def _found(self, query: Query, shapes: Shapes, fresh: set[str]) -> list[Issue]:
        found: list[tuple[Json, Issue]] = []
        for issue in self._site.issues.values():
            document = self._site.document(issue, current=issue.id in fresh)
            # What somebody may see is asked of the issue as it is, not of the index.
            if document is None or not self._site.sees(shapes.user, issue):
                continue
            if query.test(document):
                found.append((document, issue))
        order = query.order or (("created", True),)
        for name, down in reversed(order):
            found.sort(key=lambda each: _rank(each[0].get(name)), reverse=down)
        return [issue for _, issue in found]

    def _shown(
        self, issue: Issue, shapes: Shapes, fields: Any, asked: Mapping[str, Any]
    ) -> Json:
        names = fields.split(",") if isinstance(fields, str) else list(fields)
        named = [name for name in names if name not in {"id", "key"}]
        whole = shapes.issue(issue, named)
        if not names or names == ["id"]:
            return {"id": whole["id"]}
        if wanted := asked.get("properties"):
            whole["properties"] = {
                name: issue.properties[name]
                for name in wanted
                if name in issue.properties
            }
        return whole

    def _token(self, asked: Mapping[str, Any], start: int) -> str:
        told = [start, self._site.now(), _digest(asked)]
        return base64.urlsafe_b64encode(json.dumps(told).encode()).decode()

    def _start(self, asked: Mapping[str, Any], query: Query) -> int:  # noqa: ARG002
        token = asked.get("nextPageToken")
        if not token:
            return 0
        try:
            start, made, of = json.loads(base64.urlsafe_b64decode(str(token)))
        except ValueError:
            raise Refusal(400, "The nextPageToken is invalid.") from None
        old = self._site.now() - made > _TOKEN_DAYS * 86_400
        if old or of != _digest(asked):
            raise Refusal(400, "The nextPageToken is expired or of another query.")
        return int(start)


def _digest(asked: Mapping[str, Any]) -> str:
    return hashlib.sha256(str(asked.get("jql")).encode()).hexdigest()[:16]


def _rank(value: Any) -> tuple[bool, str]:
    told = value[0] if isinstance(value, list) and value else value
    return bool(told), str(told or "")


async def _asked(request: web.Request) -> Mapping[str, Any]:
    if request.method == "POST":
        try:
            body = await body_of(request)
        except ValueError:
            raise Refusal(400, "There was an error parsing JSON.") from None
        return body if isinstance(body, dict) else {}
    query = request.query
    asked: Json = {name: query[name] for name in query}
    for name in ("fields", "reconcileIssues", "properties"):
        if name in query:
            given = query.getall(name)
            asked[name] = [one for each in given for one in each.split(",") if one]
    return asked
