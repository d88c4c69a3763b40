"""Calls and answers without HTTP, so that a batch can make them too."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from connectors.sandbox.users import User

NO_RECORD = (
    "No Record found",
    "Record doesn't exist or ACL restricts the record retrieval",
)
NOT_AUTHORIZED = ("User Not Authorized", "Failed API level ACL Validation")
NOT_AUTHENTICATED = (
    "User Not Authenticated",
    "Required to provide Auth information",
)


@dataclass(frozen=True, slots=True)
class Call:
    """One request of somebody: `path` are its parts below the API's name."""

    user: User
    method: str
    path: tuple[str, ...]
    params: Mapping[str, str]
    body: Mapping[str, Any]
    url: str = ""
    version: str = ""


@dataclass(slots=True)
class Reply:
    """What is answered; a value of None is an empty body."""

    value: Any
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


class Failure(Exception):
    """A refusal: `message` and `detail` as ServiceNow words them."""

    def __init__(self, status: int, message: str, detail: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.detail = detail

    @property
    def reply(self) -> Reply:
        return Reply(refused(self.message, self.detail), self.status)


def refused(message: str, detail: str) -> dict[str, Any]:
    """Return the body of a refusal."""
    return {"error": {"message": message, "detail": detail}, "status": "failure"}
