"""Refusals in HubSpot's words."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from aiohttp import web

from connectors.sandbox.http import answer


class Refusal(Exception):
    """What is asked is not done. `errors` name what is wrong, each with its context."""

    def __init__(
        self,
        status: int,
        category: str,
        message: str,
        errors: list[dict[str, Any]] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.told: dict[str, Any] = {
            "status": "error",
            "message": message,
            "category": category,
            "correlationId": str(uuid4()),
        }
        if errors:
            self.told["errors"] = errors

    def answer(self, headers: Mapping[str, str] | None = None) -> web.Response:
        return answer(self.told, self.status, dict(headers or {}))


def not_found() -> Refusal:
    return Refusal(404, "OBJECT_NOT_FOUND", "resource not found")


def invalid(wrong: Mapping[str, tuple[str, str]]) -> Refusal:
    """Refuse values: for each property a code and a sentence."""
    errors = [
        {"message": message, "code": code, "context": {"propertyName": [name]}}
        for name, (code, message) in wrong.items()
    ]
    told = f"Property values were not valid: {errors}"
    return Refusal(400, "VALIDATION_ERROR", told, errors)


def unauthorized() -> web.Response:
    return Refusal(
        401,
        "EXPIRED_AUTHENTICATION",
        "The OAuth token used to make this call expired or is not known.",
    ).answer()
