"""
Slack's legal holds, through its API for them.

The library does not know it. A token without the scope is told that there is no such
method, which is not what is wrong.
"""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bots.slack.clients import SlackRefused, asked
from bots.slack.payload import mapping, mappings, number, string
from bridge.errors import Refused
from bridge.organisation_log import GridHold
from bridge.patience import patiently

_METHOD = "admin.legalHold"
_MICRO = 1_000_000
_AT_ONCE = 100
_PAGES = 100
_SENTENCES: Mapping[str, str] = {
    "unknown_method": (
        "Slack does not let this token at legal holds: it has to be an Org Owner's, "
        "with admin.legalHolds:read and admin.legalHolds:write, and Slack has to have "
        "approved the app."
    ),
    "max_active_entities_reached": "One of Slack's holds covers 1,000 people at most.",
    "released_policy_edit_not_allowed": "That hold was released in Slack already.",
    "legal_hold_not_found": "Slack has no such hold.",
}


@dataclass(frozen=True, slots=True)
class SlackLegalHolds:
    """Implements `bridge.organisation_log.LegalHolds`. `sleep` waits seconds."""

    client: AsyncWebClient
    sleep: Callable[[float], Awaitable[None]]

    async def all(self) -> Sequence[GridHold]:
        return [
            _hold(policy, await self._people(string(policy, "id")))
            async for policy in self._listed("policies.list", "policies", {})
        ]

    async def create(
        self, name: str, description: str, people: Sequence[str]
    ) -> GridHold:
        standing = next((h for h in await self.all() if h.name == name), None)
        if standing is None:
            given = {"name": name, "description": description}
            answer = await self._call("policies.create", given)
            standing = _hold(mapping(answer, "policy"), ())
        missing = sorted({*people} - {*standing.people})
        for first in range(0, len(missing), _AT_ONCE):
            some = missing[first : first + _AT_ONCE]
            entities = [{"entity_type": "USER", "entity_id": one} for one in some]
            given = {"policy_id": standing.id, "entities": json.dumps(entities)}
            await self._call("entities.add", given)
        info = await self._call("policies.info", {"policy_id": standing.id})
        return _hold(mapping(info, "policy"), await self._people(standing.id))

    async def release(self, hold: str) -> None:
        try:
            await self._call("policies.release", {"policy_id": hold})
        except SlackRefused as refused:
            if refused.code != "released_policy_edit_not_allowed":
                raise

    async def _people(self, hold: str) -> tuple[str, ...]:
        listed = self._listed("entities.list", "entities", {"policy_id": hold})
        return tuple(sorted([string(one, "entity_id") async for one in listed]))

    async def _listed(
        self, method: str, what: str, given: Mapping[str, str]
    ) -> AsyncIterator[Mapping[str, Any]]:
        cursor = ""
        for _ in range(_PAGES):
            more = {"limit": str(_AT_ONCE)} | ({"cursor": cursor} if cursor else {})
            answer = await self._call(method, {**given, **more})
            for one in mappings(answer, what):
                yield one
            cursor = string(mapping(answer, "response_metadata"), "next_cursor")
            if not cursor:
                return

    async def _call(self, method: str, given: Mapping[str, str]) -> Mapping[str, Any]:
        async def ask() -> Mapping[str, Any]:
            return await asked(
                self.client.api_call(f"{_METHOD}.{method}", data=dict(given))
            )

        try:
            return await patiently(ask, self.sleep)
        except SlackRefused as refused:
            if sentence := _SENTENCES.get(refused.code):
                if refused.code == "released_policy_edit_not_allowed":
                    raise
                raise Refused(sentence) from refused
            raise


def _hold(policy: Mapping[str, Any], people: tuple[str, ...]) -> GridHold:
    return GridHold(
        string(policy, "id"),
        string(policy, "name"),
        string(policy, "description"),
        string(policy, "status") == "ACTIVE",
        people,
        number(policy, "date_created") * _MICRO,
        number(policy, "date_released") * _MICRO,
    )
