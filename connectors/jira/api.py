"""
The calls that are made of Jira's REST API, and what its refusals mean.

Source: Jira Cloud platform REST API v3; "Rate limiting".
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from bridge.errors import AtomError, BadInput, ServiceUnavailable
from bridge.records.ports import Access, Gone, NotYours, Rejected
from connectors.rest import Answer, Call, Manner, Rest

MOST_FETCHED = 100
REASON = "RateLimit-Reason"
PER_ISSUE = "jira-per-issue-on-write"
DEEDS = "atom.deeds"  # the property that says what ATOM did to an issue or comment


def _pauses(answer: Answer) -> bool:
    return answer.headers.get(REASON, "") != PER_ISSUE


MANNER = Manner(pauses=_pauses, request_ids=("Atl-Traceid", "X-Arequestid"))


class Api:
    """One site's API, as whoever asks."""

    def __init__(self, rest: Rest) -> None:
        self.rest = rest

    async def get(
        self, access: Access, *path: str, urgent: bool = True, **params: str
    ) -> Mapping[str, Any]:
        """Return what stands there. Raises `Gone` and `NotYours`."""
        answer = await self.rest.send(
            access, Call("GET", path, params=params, urgent=urgent)
        )
        return self.granted(answer).object

    async def listed(self, access: Access, *path: str, **params: str) -> Sequence[Any]:
        """Return a list that stands there."""
        answer = self.granted(await self.rest.send(access, Call("GET", path, params)))
        return answer.body if isinstance(answer.body, list) else []

    async def ask(
        self, access: Access, path: Sequence[str], body: Any, *, urgent: bool = True
    ) -> Mapping[str, Any]:
        """Ask by POST for what is too long for an address."""
        call = Call("POST", path, json=body, urgent=urgent, repeatable=True)
        return self.granted(await self.rest.send(access, call)).object

    async def write(
        self, access: Access, method: str, path: Sequence[str], body: Any
    ) -> Answer:
        """Write once. Raises `Rejected` with what is wrong, and `Unsure`."""
        return self.granted(await self.rest.send(access, Call(method, path, json=body)))

    async def fetched(
        self,
        access: Access,
        named: Sequence[str],
        fields: Sequence[str],
        *,
        urgent: bool = True,
    ) -> tuple[list[Mapping[str, Any]], set[str]]:
        """
        Return issues by ids or keys, as they are now, and which Jira failed to give.

        What is not there, or not for this account, is in neither.
        """
        body = {"issueIdsOrKeys": list(named), "fields": list(fields)}
        told = await self.ask(access, ("issue", "bulkfetch"), body, urgent=urgent)
        failed = {str(each.get("id")) for each in objects(told.get("issueErrors"))}
        return objects(told.get("issues")), failed

    def granted(self, answer: Answer) -> Answer:
        """Return the answer if it is no refusal."""
        if not answer.well:
            raise _refusal(answer)
        return answer


def _refusal(answer: Answer) -> AtomError:
    told = answer.object
    messages = [str(each) for each in told.get("errorMessages") or ()]
    errors = told.get("errors")
    fields = {str(k): str(v) for k, v in errors.items()} if errors else {}
    reason = " ".join(messages) or "Jira does not take what was entered"
    match answer.status:
        case HTTPStatus.NOT_FOUND | HTTPStatus.GONE:
            return Gone("the issue was deleted, or is not yours to see")
        case HTTPStatus.FORBIDDEN:
            return NotYours("Jira does not let you do that")
        case HTTPStatus.BAD_REQUEST | HTTPStatus.CONFLICT:
            return Rejected(reason[:300], fields)
        case HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            return BadInput("that is too long for Jira")
    return ServiceUnavailable(f"Jira said {answer.status}")


def objects(value: Any) -> list[Mapping[str, Any]]:
    """Return the objects of a list; of anything else, none."""
    return [each for each in value if isinstance(each, dict)] if value else []


def keys_in(property_: Any) -> list[str]:
    """Return the keys of deeds that a property names."""
    told = property_.get("keys") if isinstance(property_, dict) else None
    return [str(each) for each in told] if isinstance(told, list) else []
