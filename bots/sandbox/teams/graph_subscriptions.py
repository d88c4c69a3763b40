"""The part of Graph that apps subscribe to: what is asked for, checked and kept."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from aiohttp import ClientError, ClientTimeout
from aiohttp.web import Request, Response, json_response
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from bots.sandbox.teams.errors import GraphRefusal
from bots.sandbox.teams.graph_access import (
    Access,
    bad_request,
    not_found,
    permissions,
)
from bots.sandbox.teams.graph_body import json_body, text_in
from bots.sandbox.teams.graph_notices import Kept, Notices, kept_key
from bots.sandbox.teams.login import Caller
from bots.sandbox.teams.model import Team
from bots.sandbox.world import World

_LOOPBACK = {"127.0.0.1", "::1", "localhost"}
_KINDS = {"created", "updated", "deleted"}
_TEAM = re.compile(r"/?teams/(?P<team>[^/]+)/(?P<rest>.+)")
_CHANNEL = re.compile(r"channels/(?P<channel>[^/]+)/(?P<what>messages|members)")


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What a subscription is of, and the permission that reading it takes."""

    resource: str
    call: str
    team: Team | None = None


class GraphSubscriptions:
    """Keeps subscriptions for as long as they were asked for, and not longer."""

    def __init__(self, world: World, access: Access, notices: Notices) -> None:
        self._world = world
        self._state = world.teams
        self._access = access
        self._notices = notices

    async def create(self, request: Request) -> Response:
        """Subscribe, once the addresses have shown that they want it."""
        caller = self._access.known(request)
        asked = await json_body(request)
        wanted = self._wanted(caller, text_in(asked, "resource"))
        kinds = self._kinds(asked)
        until = self._until(
            asked, text_in(asked, "lifecycleNotificationUrl"), wanted.resource
        )
        made = Kept(
            id=str(uuid4()),
            app=caller.app,
            tenant=caller.tenant,
            resource=wanted.resource,
            team=wanted.team.id if wanted.team else "",
            kinds=kinds,
            url=self._address(text_in(asked, "notificationUrl")),
            lifecycle_url=self._address(
                text_in(asked, "lifecycleNotificationUrl"), optional=True
            ),
            client_state=self._client_state(asked),
            until=until,
            with_data=bool(asked.get("includeResourceData")),
            key_id=text_in(asked, "encryptionCertificateId"),
            certificate=text_in(asked, "encryptionCertificate"),
        )
        self._check_key(made)
        self._refuse_twin(made)
        for url in {made.url, made.lifecycle_url} - {""}:
            await self._validate(url)
        self._notices.keep(made)
        return json_response(made.told(), status=201)

    async def listing(self, request: Request) -> Response:
        caller = self._access.known(request)
        told = [one.told() for one in self._notices.of(caller.app, caller.tenant)]
        return json_response({"value": told})

    async def one(self, request: Request) -> Response:
        return json_response(self._own(request).told())

    async def renew(self, request: Request) -> Response:
        subscription = self._own(request)
        asked = await json_body(request)
        subscription.until = self._until(
            asked, subscription.lifecycle_url, subscription.resource
        )
        self._notices.keep(subscription)
        return json_response(subscription.told())

    async def delete(self, request: Request) -> Response:
        self._notices.forget(self._own(request))
        return Response(status=204)

    def _own(self, request: Request) -> Kept:
        caller = self._access.known(request)
        for one in self._notices.of(caller.app, caller.tenant):
            if one.id == request.match_info["subscription"]:
                return one
        raise not_found()

    def _wanted(self, caller: Caller, resource: str) -> _Wanted:
        resource = resource.strip("/")
        if resource in {"users", "groups"}:
            call = f"graph.{resource}_delta"
            if not caller.roles & permissions(call):
                raise GraphRefusal(403, "Forbidden", "Insufficient privileges.")
            return _Wanted(resource, call)
        if resource == "teams/getAllMessages":
            if not caller.roles & {"ChannelMessage.Read.All"}:
                raise GraphRefusal(
                    403, "Forbidden", "ChannelMessage.Read.All is needed."
                )
            return _Wanted(resource, "graph.messages")
        found = _TEAM.fullmatch(resource)
        if found is None:
            raise bad_request("The resource is not supported.", "InvalidRequest")
        team = self._access.team_of(caller, found["team"])
        call = self._call(team, found["rest"])
        self._access.allow(caller, team, call)
        return _Wanted(resource, call, team)

    def _call(self, team: Team, rest: str) -> str:
        if rest in {"channels", "members"}:
            return f"graph.{rest}"
        found = _CHANNEL.fullmatch(rest)
        if found is None:
            raise bad_request("The resource is not supported.", "InvalidRequest")
        self._access.channel_of(team, found["channel"])
        wants_people = found["what"] == "members"
        return "graph.channel_members" if wants_people else "graph.messages"

    def _kinds(self, asked: Mapping[str, Any]) -> frozenset[str]:
        kinds = frozenset(text_in(asked, "changeType").replace(" ", "").split(","))
        if not kinds <= _KINDS:
            raise bad_request("The changeType is not supported.", "InvalidRequest")
        return kinds

    def _until(
        self, asked: Mapping[str, Any], lifecycle_url: str, resource: str
    ) -> datetime:
        try:
            until = datetime.fromisoformat(text_in(asked, "expirationDateTime"))
        except ValueError:
            raise bad_request("expirationDateTime is missing.") from None
        now = datetime.fromtimestamp(self._state.now(), UTC)
        until = until if until.tzinfo else until.replace(tzinfo=UTC)
        directory = "directory_" if resource in {"users", "groups"} else ""
        lasts = f"graph_{directory}subscription_minutes"
        most = timedelta(minutes=self._state.setting(lasts))
        quiet = timedelta(minutes=self._state.setting("graph_quiet_minutes"))
        if until <= now or until > now + most + timedelta(minutes=1):
            raise bad_request(
                "Subscription expiration can only be "
                f"{most // timedelta(minutes=1)} minutes in the future."
            )
        if until > now + quiet and not lifecycle_url:
            raise bad_request(
                "lifecycleNotificationUrl is a required property for subscription "
                "creation on this resource when the expirationDateTime value is set "
                "to greater than 1 hour."
            )
        return until

    def _address(self, url: str, *, optional: bool = False) -> str:
        if not url and optional:
            return ""
        parts = urlsplit(url)
        local = parts.scheme == "http" and parts.hostname in _LOOPBACK
        if parts.scheme != "https" and not local:
            raise bad_request("The notificationUrl must be https.", "InvalidRequest")
        return url

    def _client_state(self, asked: Mapping[str, Any]) -> str:
        state = text_in(asked, "clientState")
        if len(state) > self._state.setting("graph_client_state"):
            raise bad_request("The clientState is too long.", "InvalidRequest")
        return state

    def _check_key(self, made: Kept) -> None:
        if not made.with_data:
            return
        try:
            key = kept_key(made)
        except ValueError:
            raise bad_request("The encryptionCertificate is not valid.") from None
        if not made.key_id or not isinstance(key, RSAPublicKey):
            raise bad_request("An encryptionCertificateId is needed.")

    def _refuse_twin(self, made: Kept) -> None:
        if self._state.setting("graph_twins") == "accept":
            return
        for other in self._notices.of(made.app, made.tenant):
            if (other.resource, other.kinds) == (made.resource, made.kinds):
                raise GraphRefusal(
                    409, "Conflict", "A subscription of the same already exists."
                )

    async def _validate(self, url: str) -> None:
        """Ask an address to repeat a word: only who listens there can."""
        word = f"Validation: {uuid4()}"
        patience = self._state.setting("graph_validation_seconds")
        try:
            async with self._notices.session().post(
                url,
                params={"validationToken": word},
                timeout=ClientTimeout(total=patience),
            ) as answer:
                said, kind = await answer.text(), answer.content_type
                right = answer.status == 200 and kind == "text/plain" and said == word  # noqa: PLR2004 - HTTP's own
        except (ClientError, OSError, TimeoutError):
            right = False
        if not right:
            raise bad_request(
                "Subscription validation request failed.", "ValidationError"
            )
