"""How Graph cuts listings into pages, and what its tokens remember."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from typing import Any

from aiohttp.web import Request, Response, json_response

from bots.sandbox.teams.graph_access import bad_request

_PAGE = 20
_MOST = 50


def paged(
    request: Request,
    told: Sequence[Mapping[str, Any]],
    *,
    last: str = "",
    most: int = _MOST,
) -> Response:
    """
    Answer one page; the links are to this very host, to be followed as they are.

    `last` is the token with which the last page says where to go on later.
    """
    size = _size(request.query.get("$top", ""), most)
    start = int(remembered(request, "$skiptoken").get("at", 0))
    answer: dict[str, Any] = {"value": list(told[start : start + size])}
    answer["@odata.count"] = len(answer["value"])
    if start + size < len(told):
        more = {"$skiptoken": token(at=start + size)}
        answer["@odata.nextLink"] = _link(request, dict(request.query) | more)
    elif last:
        answer["@odata.deltaLink"] = _link(request, {"$deltatoken": last})
    return json_response(answer)


def token(**remembers: Any) -> str:
    return urlsafe_b64encode(json.dumps(remembers).encode()).decode()


def remembered(request: Request, name: str) -> Mapping[str, Any]:
    """Return what a token of ours remembers, nothing if there is none."""
    given = request.query.get(name, "")
    if not given:
        return {}
    try:
        found = json.loads(urlsafe_b64decode(given))
    except ValueError:
        raise bad_request("The token is not valid.") from None
    if not isinstance(found, dict):
        raise bad_request("The token is not valid.")
    return found


def _link(request: Request, query: Mapping[str, str]) -> str:
    return str(request.url.with_query(dict(query)))


def _size(asked: str, most: int) -> int:
    if not asked:
        return min(_PAGE, most)
    if not asked.isdecimal() or not 0 < int(asked) <= most:
        raise bad_request(f"The limit for $top is {most}.")
    return int(asked)
