"""How the org says no: an array of errors, each with a code."""

from collections.abc import Sequence
from typing import Any

from aiohttp import web

from connectors.sandbox.http import answer

# What a fault can order, and the sentence that goes with it.
SAID: dict[str, tuple[int, str]] = {
    "UNABLE_TO_LOCK_ROW": (400, "unable to obtain exclusive access to this record"),
    "INVALID_SESSION_ID": (401, "Session expired or invalid"),
    "API_DISABLED_FOR_ORG": (403, "The REST API is not enabled for this Organization."),
    "REQUEST_LIMIT_EXCEEDED": (403, "TotalRequests Limit exceeded."),
    "NOT_FOUND": (404, "The requested resource does not exist"),
    "ENTITY_IS_DELETED": (404, "entity is deleted"),
    "PRECONDITION_FAILED": (412, "The record has changed"),
    "UNKNOWN_EXCEPTION": (500, "An unexpected error occurred."),
    "SERVER_UNAVAILABLE": (503, "Server unavailable"),
}
_CODES = {401: "INVALID_SESSION_ID", 404: "NOT_FOUND", 412: "PRECONDITION_FAILED"}
_CODES |= {503: "SERVER_UNAVAILABLE"}


class Refused(Exception):
    """The org does not do it."""

    def __init__(
        self, status: int, code: str, message: str, fields: Sequence[str] = ()
    ) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.message = message
        self.fields = list(fields)

    def body(self) -> list[dict[str, Any]]:
        told: dict[str, Any] = {"message": self.message, "errorCode": self.code}
        return [told | {"fields": self.fields} if self.fields else told]

    def inner(self) -> dict[str, Any]:
        """Return the error as collections show it."""
        return {
            "statusCode": self.code,
            "message": self.message,
            "fields": self.fields,
        }

    def answer(self) -> web.Response:
        return answer(self.body(), self.status)


def told(code: str) -> Refused:
    """Return a refusal by its code alone."""
    status, message = SAID.get(code, (400, code))
    return Refused(status, code, message)


def by_status(status: int) -> Refused:
    code = _CODES.get(status, "UNKNOWN_EXCEPTION")
    return Refused(status, code, SAID[code][1])


def missing_column(kind: str, name: str) -> Refused:
    """A field that is hidden looks exactly like one that does not exist."""
    return Refused(
        400,
        "INVALID_FIELD",
        f"\nERROR at Row:1:Column:8\nNo such column '{name}' on entity '{kind}'. If you"
        " are attempting to use a custom field, be sure to append the '__c' after the"
        " custom field name. Please reference your WSDL or the describe call for the"
        " appropriate names.",
    )


def missing_type(kind: str) -> Refused:
    return Refused(400, "INVALID_TYPE", f"sObject type '{kind}' is not supported.")
