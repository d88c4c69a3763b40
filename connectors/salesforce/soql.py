"""Queries, built of names that we know and values that are quoted."""

import re
from collections.abc import Iterable, Sequence

from bridge.errors import BadInput

# Names of objects, fields and relations, as they come out of our own tables.
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*(?:\.[A-Za-z][A-Za-z0-9_]*)?")
_ESCAPED = {
    "\\": "\\\\",
    "'": "\\'",
    '"': '\\"',
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\b": "\\b",
    "\f": "\\f",
}
_CONTROLS = re.compile(r"[\x00-\x07\x0b\x0e-\x1f\x7f\ud800-\udfff]")


def quoted(text: str) -> str:
    """Return a text as one SOQL literal. Raises `BadInput` for control characters."""
    if _CONTROLS.search(text):
        raise BadInput("leave out control characters")
    return "'" + "".join(_ESCAPED.get(one, one) for one in text) + "'"


def listed(texts: Iterable[str]) -> str:
    return ", ".join(map(quoted, texts))


def select(
    object_: str,
    columns: Sequence[str],
    where: str = "",
    children: str = "",
    tail: str = "",
) -> str:
    """Return a query; `where`, `children` and `tail` hold values that were quoted."""
    for name in (object_, *columns):
        if not _NAME.fullmatch(name):
            raise BadInput("that is no field of Salesforce")
    asked = ", ".join((*columns, children) if children else columns)
    query = f"SELECT {asked} FROM {object_}"  # noqa: S608 - names are ours, see above
    return " ".join(filter(None, (query, f"WHERE {where}" if where else "", tail)))
