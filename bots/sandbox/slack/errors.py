"""How Slack refuses."""

from typing import Any


class SlackRefusal(Exception):
    """The Web API answers `{"ok": false, "error": code}`, with what else it says."""

    def __init__(self, code: str, **more: Any) -> None:
        super().__init__(code)
        self.code = code
        self.more = more


class RateLimited(Exception):
    """Too many calls: 429, and try again in `retry_after` seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"retry after {retry_after} s")
        self.retry_after = retry_after


def invalid_arguments(*messages: str) -> SlackRefusal:
    return SlackRefusal(
        "invalid_arguments",
        response_metadata={"messages": [f"[ERROR] {text}" for text in messages]},
    )


def missing_scope(needed: str, provided: list[str]) -> SlackRefusal:
    return SlackRefusal("missing_scope", needed=needed, provided=",".join(provided))
