"""What answers say beside their content, and what the org's refusals mean."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from requests import Response
from simple_salesforce.exceptions import SalesforceError

from bridge.errors import AtomError, ServiceUnavailable
from bridge.records.ports import EVERYBODY, Gone, NotYours, Rejected, Unsure

# The quota counts the last 24 hours, and no answer says when there will be room.
PAUSE = 15 * 60.0
_USED = re.compile(r"(?:^|[;\s])api-usage=(\d+)/(\d+)")
_HIDDEN = re.compile(r"No such column '(\w+)'|Didn't understand relationship '(\w+)'")
_NO_OBJECT = re.compile(r"sObject type '(\w+)' is not supported")
_NOT_YOURS = frozenset(
    {
        "INSUFFICIENT_ACCESS",
        "INSUFFICIENT_ACCESS_OR_READONLY",
        "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY",
        "INVALID_TYPE",
    }
)
_GONE = frozenset({"NOT_FOUND", "ENTITY_IS_DELETED", "INVALID_CROSS_REFERENCE_KEY"})
_SERVER, _FORBIDDEN, _CHANGED = 500, 403, 412


class Manners:
    """Implements `connectors.guarded.Manners`."""

    def refused(self, answer: Response) -> bool:
        return answer.status_code == 401  # noqa: PLR2004 - HTTP's own number

    def quota(self, answer: Response) -> tuple[int, int] | None:
        match = _USED.search(answer.headers.get("Sforce-Limit-Info", ""))
        return (int(match[1]), int(match[2])) if match else None

    def pause(self, answer: Response) -> tuple[str | None, float] | None:
        if answer.status_code != _FORBIDDEN:
            return None
        spent = b"REQUEST_LIMIT_EXCEEDED" in answer.content
        return (EVERYBODY, PAUSE) if spent else None


class Locked(ServiceUnavailable):
    """Somebody else writes to the record at this moment: a moment later it works."""


class Changed(AtomError):
    """The record was changed since the time that a condition named."""


class Hidden(AtomError):
    """A field does not exist, or this account does not see it: the org never says."""

    def __init__(self, name: str) -> None:
        super().__init__("a field is not there for this account")
        self.name = name


class NoObject(NotYours):
    """A whole object that is not for this account."""

    def __init__(self, name: str) -> None:
        super().__init__("your Salesforce account may not see this")
        self.name = name


class NotKnown(AtomError):
    """The org has no such resource, or no such external id field."""


def meant(error: SalesforceError, *, writes: bool = False) -> AtomError:
    """Return what an error of the library's means."""
    return told(error.status, error.content, writes=writes)


def told(status: int, content: Any, *, writes: bool = False) -> AtomError:
    """Return what an answer with errors means; they are an array, normally."""
    errors = [one for one in _array(content) if isinstance(one, dict)]
    codes = {str(one.get("errorCode") or one.get("statusCode") or "") for one in errors}
    reason = "; ".join(str(one.get("message", "")) for one in errors)
    if status == _CHANGED:
        return Changed("the record has changed")
    if status >= _SERVER:
        down = "Salesforce cannot answer now"
        return Unsure(f"{down}: it may have been written") if writes else _down(down)
    if "UNABLE_TO_LOCK_ROW" in codes:
        return Locked("somebody else is writing to this record")
    if match := _HIDDEN.search(reason):
        return Hidden(match[1] or match[2])
    if "INVALID_TYPE" in codes and (match := _NO_OBJECT.search(reason)):
        return NoObject(match[1])
    if "external ID" in reason:
        return NotKnown(reason)
    # With a field named it is a value of that field which is not to be had.
    if codes & _GONE and not any(one.get("fields") for one in errors):
        return Gone("it was deleted, or this account may not see it")
    if codes & _NOT_YOURS:
        return NotYours("your Salesforce account may not do this")
    if status == _FORBIDDEN or not errors:
        return _down("Salesforce does not take calls from ATOM: ask its admin")
    return _rejected(errors)


def _rejected(errors: Sequence[Mapping[str, Any]]) -> Rejected:
    fields: dict[str, str] = {}
    general = []
    for one in errors:
        sentence = str(one.get("message", "")) or "Salesforce did not take this"
        named = [str(name) for name in one.get("fields") or ()]
        fields |= dict.fromkeys(named, sentence)
        if not named:
            general.append(sentence)
    return Rejected("; ".join(general) or "Salesforce did not take this", fields)


def _down(reason: str) -> ServiceUnavailable:
    return ServiceUnavailable(reason)


def _array(content: Any) -> list[Any]:
    if isinstance(content, list):
        return content
    return [content] if isinstance(content, dict) else []
