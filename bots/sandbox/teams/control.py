"""The switches of the Teams half that only tests and the page turn."""

import json
from collections.abc import Mapping
from typing import Any

import jwt
from aiohttp.web import Request, Response, json_response

from bots.sandbox.http import json_object
from bots.sandbox.teams.acts import Acts, refused
from bots.sandbox.teams.delivery import bot_claims
from bots.sandbox.teams.errors import Refusal
from bots.sandbox.teams.graph_notices import Notices
from bots.sandbox.teams.keys import Keys, wrong_key
from bots.sandbox.teams.owners import Owners
from bots.sandbox.world import World

_SHARED_SECRET = "sandbox-" * 8


class Control:
    """Lets people act, and makes good and bad tokens."""

    def __init__(
        self, world: World, keys: Keys, acts: Acts, owners: Owners, notices: Notices
    ) -> None:
        self._world = world
        self._keys = keys
        self._acts = acts
        self._owners = owners
        self._notices = notices

    async def act(self, request: Request) -> Response:
        asked = await json_object(request)
        if asked.get("action") == "lifecycle":
            return await self._lifecycle(asked)
        try:
            done = await self._acts.do(asked) or await self._owners.do(asked)
        except Refusal as refusal:
            return json_response(refused(refusal), status=400)
        except ValueError as error:
            return _wrong(str(error))
        if done is None:
            return _wrong(f"unknown action {asked.get('action')!r}")
        return json_response(done)

    async def _lifecycle(self, asked: Mapping[str, Any]) -> Response:
        """Let Graph tell a subscriber of its subscription, `missed` for one."""
        subscription, event = str(asked.get("subscription")), str(asked.get("event"))
        if not await self._notices.lifecycle(subscription, event):
            return _wrong("there is no such subscription that listens for that")
        return json_response({"ok": True})

    async def token(self, request: Request) -> Response:
        """
        Make a token such as Teams sends, with whatever is asked to be wrong.

        "aud", "iss", "serviceurl" replace claims; "exp_in" and "nbf_in" are seconds
        from now; "claims" replaces any; "omit" names claims to leave out; "kid" and
        "alg" (RS256, HS256, none) replace the header's; "key": "wrong" signs with a
        key that nobody published.
        """
        asked = await json_object(request)
        try:
            return json_response({"token": self._made(asked)})
        except (TypeError, ValueError) as error:
            return _wrong(str(error))

    async def rotate(self, request: Request) -> Response:
        """Sign with a new key from now on; {"forget": true} withdraws the old."""
        asked = await json_object(request)
        key_id = self._keys.rotate(forget=bool(asked.get("forget")))
        return json_response({"ok": True, "kid": key_id})

    def _made(self, asked: Mapping[str, Any]) -> str:
        claims = self._claims(asked)
        headers = {"kid": str(asked.get("kid", self._keys.key_id))}
        algorithm = str(asked.get("alg", "RS256"))
        if algorithm == "none":
            return jwt.encode(claims, "", algorithm="none", headers=headers)
        if algorithm == "HS256":
            return jwt.encode(claims, _SHARED_SECRET, algorithm, headers=headers)
        if asked.get("key") == "wrong":
            return jwt.encode(claims, wrong_key(), algorithm="RS256", headers=headers)
        return self._keys.sign(claims, headers)

    def _claims(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        service_url = f"{self._world.base_url}/teams/connector/amer/"
        now = int(self._world.teams.now())
        claims = bot_claims(self._world.teams.setting("issuer"), service_url, now)
        for name in ("aud", "iss", "serviceurl"):
            claims[name] = asked.get(name, claims[name])
        claims["exp"] = now + int(asked.get("exp_in", claims["exp"] - now))
        claims["nbf"] = now + int(asked.get("nbf_in", 0))
        claims |= dict(asked.get("claims", {}))
        return {
            name: value
            for name, value in claims.items()
            if name not in asked.get("omit", [])
        }


def _wrong(reason: str) -> Response:
    return Response(
        text=json.dumps({"ok": False, "error": reason}),
        status=400,
        content_type="application/json",
    )
