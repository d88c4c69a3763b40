"""
Have Graph say when a person or a group changed, so that nothing waits for a poll.

A notice names what changed and nothing of it; delta tells that. Subscriptions for users
and groups last 29 days at most, and are renewed at half of that. Graph wants a second
address for those longer than an hour: it is told there that a subscription ends.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

from policy.directory.entra.graph import Graph, in_path
from policy.directory.rest import Unread, text

_LASTS = timedelta(minutes=41_000)  # Graph allows 41,760
_CARE = timedelta(hours=6)  # between two looks at them
_WANTED: Mapping[str, str] = {"users": "updated,deleted", "groups": "updated,deleted"}


@dataclass(slots=True)
class Subscriptions:
    """
    Keeps one subscription for users and one for groups.

    Graph calls `url`, and repeats `secret` by which it is known. `clock` tells the time.
    """

    graph: Graph
    url: str
    secret: str = field(repr=False)
    clock: Callable[[], datetime]
    _cared: datetime | None = None
    _renew_all: bool = False

    def forget(self) -> None:
        """Graph wants them renewed, or ended one: look after all of them next time."""
        self._cared = None
        self._renew_all = True

    async def keep(self) -> None:
        """Make what is missing and renew what has lived half its life."""
        now = self.clock()
        if self._cared is not None and now - self._cared < _CARE:
            return
        standing = await self._standing()
        for resource, kinds in _WANTED.items():
            one = standing.get(resource)
            if one is None:
                await self._make(resource, kinds, now + _LASTS)
            elif self._renew_all or _ends(one) - now < _LASTS / 2:
                await self._renew(one, now + _LASTS)
        self._cared, self._renew_all = now, False

    async def _standing(self) -> dict[str, Mapping[str, Any]]:
        found = {}
        async for page in self.graph.pages("subscriptions"):
            for one in page.items:
                if one.get("notificationUrl") == self.url:
                    found[text(one.get("resource")).strip("/")] = one
        return found

    async def _make(self, resource: str, kinds: str, until: datetime) -> None:
        wish = {
            "changeType": kinds,
            "notificationUrl": self.url,
            "lifecycleNotificationUrl": self.url,
            "resource": resource,
            "expirationDateTime": _iso(until),
            "clientState": self.secret,
        }
        try:
            await self._call("POST", "subscriptions", wish)
        except Unread as unread:
            # Another process of ATOM was quicker.
            if unread.status != HTTPStatus.CONFLICT:
                raise

    async def _renew(self, one: Mapping[str, Any], until: datetime) -> None:
        path = f"subscriptions/{in_path(text(one.get('id')))}"
        await self._call("PATCH", path, {"expirationDateTime": _iso(until)})

    async def _call(self, method: str, path: str, body: Mapping[str, Any]) -> None:
        await self.graph.call(method, f"{self.graph.base.rstrip('/')}/{path}", body)


def _ends(one: Mapping[str, Any]) -> datetime:
    try:
        until = datetime.fromisoformat(text(one.get("expirationDateTime")))
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)
    return until if until.tzinfo else until.replace(tzinfo=UTC)


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
