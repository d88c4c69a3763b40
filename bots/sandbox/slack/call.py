"""One Web API call, on its way to the code that serves it."""

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from bots.sandbox.http import Tasks
from bots.sandbox.slack.errors import SlackRefusal, missing_scope
from bots.sandbox.slack.model import Channel, Installation, User
from bots.sandbox.slack.state import SlackState

Answer = dict[str, Any]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Call:
    """
    Who calls, with which checked arguments.

    `base` is where the sandbox was reached; `caller` is None for methods that need
    no bot.
    """

    method: str
    args: Mapping[str, Any]
    state: SlackState
    tasks: Tasks
    base: str
    caller: Installation | None

    @property
    def me(self) -> Installation:
        if self.caller is None:
            raise SlackRefusal("not_allowed_token_type")
        return self.caller

    @property
    def person(self) -> User:
        """Whose token it is, where only a person's will do."""
        return self.state.user(self.me.bot_user)

    def text(self, name: str) -> str:
        return str(self.args.get(name, ""))

    def flag(self, name: str) -> bool:
        return bool(self.args.get(name, False))

    def words(self, name: str) -> list[str]:
        """A list argument; empty where it was left out."""
        return list(self.args.get(name) or ())

    def channel(self, right: str = "", *, member: bool = False) -> Channel:
        """The channel that is meant, as the app sees it."""
        channel = self.state.reachable(self.me, self.text("channel"), right)
        if member and self.me.bot_user not in channel.members:
            raise SlackRefusal("not_in_channel")
        return channel

    def need(self, scope: str) -> None:
        scopes = self.state.setting("scopes")
        if scope not in scopes:
            raise missing_scope(scope, scopes)

    def page(self, items: Sequence[T], default: int, most: int) -> tuple[list[T], str]:
        """Return one page of items and the cursor to the next, "" at the end."""
        limit = min(int(self.args.get("limit") or default), most)
        if limit < 1:
            raise SlackRefusal("invalid_limit")
        # Slack may return fewer than it was asked for, and a cursor all the same.
        limit = min(limit, self.state.setting("longest_page") or limit)
        start = self._start()
        end = start + limit
        following = self._cursor(end) if end < len(items) else ""
        return list(items[start:end]), following

    @property
    def _listing(self) -> str:
        """What a cursor is good for: another filter needs another one."""
        if not self.method.startswith("admin."):
            return f"{self.method}:{self.text('channel')}"
        asked = {k: v for k, v in self.args.items() if k not in {"cursor", "limit"}}
        return f"{self.method}:{sorted(asked.items())}"

    def _cursor(self, offset: int) -> str:
        raw = f"{self._listing}:{offset}"
        return base64.b64encode(raw.encode()).decode()

    def _start(self) -> int:
        cursor = self.text("cursor")
        if not cursor:
            return 0
        try:
            raw = base64.b64decode(cursor, validate=True).decode()
        except ValueError:
            raise SlackRefusal("invalid_cursor") from None
        where, _, offset = raw.rpartition(":")
        if where != self._listing or not offset.isdecimal():
            raise SlackRefusal("invalid_cursor")
        return int(offset)


Serve = Callable[[Call], Answer]
