"""Change data capture over CometD: long polls, replay, gaps, and how they go wrong."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from aiohttp import web

from connectors.sandbox.faults import Faults
from connectors.sandbox.http import answer
from connectors.sandbox.salesforce.store import Change, Store, shown
from connectors.sandbox.users import User

ALL = "/data/ChangeEvents"
_FOLLOWED = frozenset(
    {"Account", "Contact", "Opportunity", "Case", "Task", "CaseComment"}
)
_FIRST_REPLAY = 1000


@dataclass
class _Client:
    """One subscriber; `after` is by channel the last event that it got."""

    user: str
    after: dict[str, int] = field(default_factory=dict)


class Events:
    """The org's event bus. `patience` is how long a poll waits, in seconds."""

    def __init__(self, store: Store, faults: Faults) -> None:
        self._store = store
        self._faults = faults
        self._clients: dict[str, _Client] = {}
        self._names = count(1)
        self.kept: list[dict[str, Any]] = []
        self.lost_before = _FIRST_REPLAY  # replay ids up to here are forgotten
        self.patience = 2.0
        self.enabled = True
        self._replay = _FIRST_REPLAY
        self._seen = 0
        self._held: list[dict[str, Any]] = []

    def clear(self) -> None:
        self._clients.clear()
        self.kept.clear()
        self._held.clear()
        self._replay = self.lost_before = _FIRST_REPLAY
        self._seen = 0
        self.enabled = True

    def forget(self) -> None:
        """Lose what was kept, as after three days."""
        self.lost_before = self._replay
        self.kept.clear()

    def gather(self) -> None:
        """Turn what happened in the store into events."""
        for change in self._store.changes[self._seen :]:
            if change.kind in _FOLLOWED:
                self.tell(change.kind, _payload(change))
        self._seen = len(self._store.changes)

    def gap(self, kind: str, id_: str) -> None:
        """Say that something happened that no event tells of."""
        at = self._store.clock.moment()
        change = Change(kind, id_, "GAP_UPDATE", at, "", "")
        self.tell(kind, _payload(change))

    def tell(self, kind: str, payload: dict[str, Any]) -> None:
        self._replay += 1
        event = {
            "schema": "atom-stand-in",
            "payload": payload,
            "event": {"replayId": self._replay},
        }
        fault = self._faults.take(f"EVENT /data/{kind}ChangeEvent")
        what = fault.kind if fault else ""
        if what == "reorder":
            self._held.append(event)
            return
        if what != "drop_event":
            self.kept += [event] * (2 if what == "dup_event" else 1)
        self.kept += self._held
        self._held = []

    async def handle(self, request: web.Request, user: User) -> web.Response:
        """Answer one CometD request (Bayeux 1.0): a list of messages."""
        told = await request.json()
        messages = told if isinstance(told, list) else [told]
        return answer(
            [reply for one in messages for reply in await self._one(one, user)]
        )

    async def _one(self, message: Mapping[str, Any], user: User) -> list[Any]:
        channel = message.get("channel")
        said: dict[str, Any] = {"channel": channel, "successful": True}
        if channel == "/meta/handshake":
            name = f"client{next(self._names)}"
            self._clients[name] = _Client(user.name)
            return [
                said | {"clientId": name, "version": "1.0", "ext": {"replay": True}}
            ]
        client = self._clients.get(str(message.get("clientId", "")))
        if client is None:
            again = {
                "advice": {"reconnect": "handshake"},
                "error": "403::Unknown client",
            }
            return [said | again | {"successful": False}]
        if channel == "/meta/subscribe":
            return [said | self._subscribed(client, message)]
        if channel == "/meta/connect":
            self.gather()
            found = self._events(client)
            if not found:
                asked = float(message.get("advice", {}).get("timeout", 110_000))
                await self._wait(min(asked / 1000, self.patience))
                found = self._events(client)
            advice = {"reconnect": "retry", "interval": 0, "timeout": 110_000}
            return [*found, said | {"clientId": message["clientId"], "advice": advice}]
        self._clients.pop(str(message.get("clientId", "")), None)
        return [said]

    def _subscribed(
        self, client: _Client, message: Mapping[str, Any]
    ) -> dict[str, Any]:
        channel = str(message.get("subscription", ""))
        told = {"subscription": channel}
        if not self.enabled:
            no = "403:denied_by_security_policy:create_denied"
            return told | {"successful": False, "error": no}
        self.gather()
        after = int(message.get("ext", {}).get("replay", {}).get(channel, -1))
        if after == -1:
            after = self._replay
        elif after == -2:  # noqa: PLR2004 - everything that is kept
            after = self.lost_before
        elif after < self.lost_before:
            no = f"400::The replayId {{{after}}} you provided was invalid. Please provide"
            no += (
                " a valid ID, -2 to replay all events, or -1 to replay only new events."
            )
            return told | {"successful": False, "error": no}
        client.after[channel] = after
        return told

    async def _wait(self, seconds: float) -> None:
        """Wait for news, and look at the store itself now and then."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                before = len(self.kept)
                while len(self.kept) == before:
                    await asyncio.sleep(0.02)
                    self.gather()

    def _events(self, client: _Client) -> list[Any]:
        found: list[Any] = []
        for channel, after in client.after.items():
            for event in self.kept:
                number = event["event"]["replayId"]
                kind = event["payload"]["ChangeEventHeader"]["entityName"]
                if channel not in {ALL, f"/data/{kind}ChangeEvent"}:
                    continue
                if number > after:
                    found.append({"channel": channel, "data": event})
            if found:
                newest = max(one["data"]["event"]["replayId"] for one in found)
                client.after[channel] = max(after, newest)
        return found


def _payload(change: Change) -> dict[str, Any]:
    client = f";client={change.client}" if change.client else ""
    header = {
        "entityName": change.kind,
        "recordIds": [change.id],
        "changeType": change.what,
        "changeOrigin": f"com/salesforce/api/rest/62.0{client}",
        "transactionKey": f"{change.id}-{change.at.timestamp()}",
        "sequenceNumber": 1,
        "commitTimestamp": int(change.at.timestamp() * 1000),
        "commitNumber": int(change.at.timestamp() * 1_000_000),
        "commitUser": change.by,
        "changedFields": [
            *change.fields,
            *(("LastModifiedDate",) if change.fields else ()),
        ],
    }
    values = {
        name: value for name, value in change.values.items() if not name.startswith("_")
    }
    if change.fields:
        values["LastModifiedDate"] = shown(change.at)
    return {"ChangeEventHeader": header, **values}
