"""Refusals in Jira's words."""

from collections.abc import Mapping

from aiohttp import web

from connectors.sandbox.http import answer

NO_ISSUE = "Issue does not exist or you do not have permission to see it."


class Refusal(Exception):
    """What is asked is not done. `errors` are by field."""

    def __init__(
        self, status: int, *messages: str, errors: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(*messages)
        self.status = status
        self.messages = messages
        self.errors = dict(errors or {})

    def answer(self) -> web.Response:
        told = {"errorMessages": list(self.messages), "errors": self.errors}
        return answer(told, self.status)


def unauthorized() -> web.Response:
    return answer({"code": 401, "message": "Unauthorized"}, 401)
