"""SCIM requests and answers, whatever carries them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"
LARGEST = 4 << 20  # bytes of a body


@dataclass(frozen=True, slots=True)
class ScimRequest:
    """
    What a company's client asks for.

    `path` is below the root, with no slash at its ends; `base` is the root's URL as the
    client knows it. `match` and `none_match` are its If-Match and If-None-Match.
    """

    tenant: str
    base: str
    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    match: str = ""
    none_match: str = ""


@dataclass(frozen=True, slots=True)
class ScimAnswer:
    """An HTTP status, headers, and the JSON of a body if there is one."""

    status: int
    body: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


class ScimServer(Protocol):
    """What does SCIM requests."""

    async def answer(self, request: ScimRequest) -> ScimAnswer:
        """Do a request. Raises `StoreUnavailable`."""
        ...


def refused(
    status: int, detail: str, scim_type: str = "", retry_after: int = 0
) -> ScimAnswer:
    """
    Return the answer for what is not done: RFC 7644 section 3.12.

    `retry_after` are seconds, if trying later helps.
    """
    body = {"schemas": [ERROR], "status": str(status), "detail": detail}
    if scim_type:
        body["scimType"] = scim_type
    headers = {"Retry-After": str(retry_after)} if retry_after else {}
    return ScimAnswer(status, body, headers)
