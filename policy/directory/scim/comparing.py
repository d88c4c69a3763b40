"""How values compare: RFC 7643 section 2.2 and RFC 7644 section 3.4.2.2."""

import re
import unicodedata
from datetime import UTC, datetime
from typing import Any

_MOMENT = re.compile(
    r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})?"
)


def folded(text: str) -> str:
    """
    Return a text as it is compared where case makes no difference.

    By its lower case, as RFC 8265 has it for user names: folding would make one name
    of Strasse and Straße.
    """
    return unicodedata.normalize("NFC", text.lower())


def moment(text: object) -> datetime | None:
    """Read an xsd:dateTime; what has no zone is UTC. None if it is none."""
    if not isinstance(text, str) or not _MOMENT.fullmatch(text):
        return None
    try:
        read = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text))
    except ValueError:
        return None
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def truth(value: object) -> bool | None:
    """Read a boolean; Entra writes it as a text such as "False". None if it is none."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.lower())
    return None


def comparable(value: Any, kind: str, *, exact: bool) -> Any:
    """Return a kept value in the form in which it is compared and sorted."""
    if kind == "dateTime":
        return moment(value)
    if isinstance(value, str) and not exact:
        return folded(value)
    return value
