"""What was asked of a system, without the values: whoever adds a clause is found out."""

import json
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from connectors.sandbox.journal import Entry

_ID = re.compile(r"/(\d{3,}|[0-9a-f]{32})(?=/|$)")
_SOQL = re.compile(r"'(?:\\.|[^'\\])*'")
_JQL = re.compile(r'"(?:\\.|[^"\\])*"')
_SEVERAL = re.compile(r"\(\?(?:, ?\?)+\)")
# A clause of an encoded query: its field and how it compares, or what it sorts by.
_CLAUSE = re.compile(r"123TEXTQUERY321=|ORDERBY\w+$|[a-z_]+(?:IN|>=|=)")
_TYPED = frozenset({"query", "sysparm_text", "id"})  # the whole is a value
_IDS = frozenset({"inputs", "issueIdsOrKeys", "reconcileIssues"})
_COUNTS = frozenset({"limit", "sysparm_limit", "overallLimit", "maxResults"})

_reached: list[str] | None = None


def asked(entry: Entry) -> Iterator[str]:
    """Return each question of a call: where it went, and its clauses without values."""
    body = json.loads(entry.body) if entry.body.startswith("{") else entry.body
    inside = body if isinstance(body, dict) else {}
    if several := inside.get("compositeRequest") or inside.get("rest_requests"):
        for one in several:
            parts = urlsplit(one["url"])
            yield _question(one["method"], parts.path, dict(parse_qsl(parts.query)))
        return
    yield _question(entry.method, entry.path, entry.query, body)


@contextmanager
def reached() -> Iterator[list[str]]:
    """Yield the addresses to which this process connects, or which it looks up."""
    global _reached  # noqa: PLW0603 - Python has no way to end an audit hook
    _reached = []
    yield _reached
    _reached = None


def _question(
    method: str, path: str, params: Mapping[str, str], body: Any = None
) -> str:
    told = {name: _without(name, text) for name, text in params.items()}
    shown = _ID.sub("/?", path)
    inside = _without("", body)
    return f"{method} {shown} {json.dumps([told, inside], sort_keys=True)}"


def _without(name: str, value: Any) -> Any:
    """Return a parameter, or a part of a body, without what it is asked for."""
    if name in _TYPED or name in _IDS or name in _COUNTS:
        return "?"
    if isinstance(value, Mapping):
        return {inner: _without(inner, each) for inner, each in value.items()}
    if isinstance(value, list):
        return [_without("", each) for each in value]
    if name == "sysparm_query":
        return [_head(clause) for clause in str(value).split("^")]
    if name == "jql":
        return _SEVERAL.sub("(?)", _JQL.sub("?", str(value)))
    if name == "q":  # of a query of Salesforce's, or the words of its search
        text = str(value)
        masked = _SEVERAL.sub("(?)", _SOQL.sub("?", text))
        return masked if text.startswith("SELECT ") else "?"
    return value


def _head(clause: str) -> str:
    found = _CLAUSE.match(clause)
    return found[0] if found else clause


def _noticed(event: str, given: tuple[Any, ...]) -> None:
    if _reached is None:
        return
    if event == "socket.connect" and isinstance(given[1], tuple):
        _reached.append(f"{given[1][0]}:{given[1][1]}")
    elif event == "socket.getaddrinfo":
        _reached.append(f"{given[0]}:{given[1]}")


sys.addaudithook(_noticed)
