"""How Teams, its login and Graph refuse."""

from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from uuid import uuid4

from aiohttp.web import Response, json_response

from bots.sandbox.faults import Fault


class Refusal(Exception):
    """The call is answered with an error: a status, a code and a sentence."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str = "",
        *,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.message = message or code
        self.headers = dict(headers or {})

    def answer(self) -> Response:
        """The answer as connector and Graph give it."""
        body = {"error": {"code": self.code, "message": self.message}}
        return json_response(body, status=self.status, headers=self.headers)


class GraphRefusal(Refusal):
    """Graph's own form of refusing, which tells when and which request it was."""

    def answer(self) -> Response:
        inner = {
            "date": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S"),
            "request-id": str(uuid4()),
            "client-request-id": str(uuid4()),
        }
        body = {"code": self.code, "message": self.message, "innerError": inner}
        return json_response({"error": body}, status=self.status, headers=self.headers)


class LoginRefusal(Refusal):
    """The login's own form of refusing, with its AADSTS number."""

    def __init__(self, status: int, error: str, number: int, message: str) -> None:
        super().__init__(status, error, f"AADSTS{number}: {message}")
        self.number = number

    def answer(self) -> Response:
        trace = str(uuid4())
        body: dict[str, Any] = {
            "error": self.code,
            "error_description": f"{self.message} Trace ID: {trace}",
            "error_codes": [self.number],
            "trace_id": trace,
            "correlation_id": str(uuid4()),
        }
        return json_response(body, status=self.status)


class Throttled(Refusal):
    """Too many calls; whether the answer says for how long is a setting."""

    def __init__(self, retry_after: int | None) -> None:
        headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
        super().__init__(
            HTTPStatus.TOO_MANY_REQUESTS,
            "TooManyRequests",
            "API calls quota exceeded",
            headers=headers,
        )


def no_conversation() -> Refusal:
    return Refusal(404, "ConversationNotFound", "Conversation not found.")


def no_activity() -> Refusal:
    return Refusal(
        404, "ActivityNotFoundInConversation", "Activity not found in conversation."
    )


def not_in_roster() -> Refusal:
    return Refusal(
        403, "BotNotInConversationRoster", "The bot is not part of the conversation."
    )


def bad_argument(message: str) -> Refusal:
    return Refusal(400, "BadArgument", message)


def forbidden(message: str) -> Refusal:
    return Refusal(403, "ForbiddenOperationException", message)


_CODES = {
    412: "PreconditionFailed",
    429: "TooManyRequests",
    500: "InternalServerError",
    502: "BadGateway",
    503: "ServiceUnavailable",
    504: "GatewayTimeout",
}


def faulty(fault: Fault) -> Response:
    """The answer that a fault orders."""
    status = fault.status or 500
    headers = {"Retry-After": str(fault.retry_after)} if fault.status == 429 else {}  # noqa: PLR2004 - HTTP's own number
    code = fault.error if fault.what == "error" else _CODES[status]
    return Refusal(status, code, headers=headers).answer()
