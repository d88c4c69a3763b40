"""How Graph tells subscribers what changed: sealed, signed, and again if need be."""

import asyncio
import hmac
import json
import secrets
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from aiohttp import ClientError, ClientSession, ClientTimeout
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from bots.sandbox.faults import Fault
from bots.sandbox.teams.graph import Graph
from bots.sandbox.teams.graph_shapes import channel_told, member_told
from bots.sandbox.teams.login import Login
from bots.sandbox.teams.model import Channel, Team
from bots.sandbox.world import World

_CHANGES = {
    "message": "created",
    "edited": "updated",
    "reaction": "updated",
    "restored": "updated",
    "deleted": "deleted",
    "channel_created": "created",
    "channel": "updated",
    "channel_deleted": "deleted",
    "member_added": "created",
    "member_removed": "deleted",
    "directory": "updated",
    "directory_deleted": "deleted",
}
_ACCEPTED = 300


@dataclass(slots=True)
class Kept:
    """One subscription."""

    id: str
    app: str
    tenant: str
    resource: str
    team: str
    kinds: frozenset[str]
    url: str
    lifecycle_url: str
    client_state: str
    until: datetime
    with_data: bool
    key_id: str
    certificate: str

    def told(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "resource": self.resource,
            "applicationId": self.app,
            "changeType": ",".join(sorted(self.kinds)),
            "clientState": self.client_state or None,
            "notificationUrl": self.url,
            "lifecycleNotificationUrl": self.lifecycle_url or None,
            "expirationDateTime": _written(self.until),
            "includeResourceData": self.with_data,
            "encryptionCertificateId": self.key_id or None,
            "creatorId": self.app,
            "latestSupportedTlsVersion": "v1_2",
        }


@dataclass(frozen=True, slots=True)
class _Happened:
    """One change: where it may be subscribed to, and how it is told."""

    change: str
    resources: tuple[str, ...]
    named: str
    kind: str
    told: Mapping[str, Any]


class Notices:
    """Watches the sandbox's Teams and tells subscribers."""

    def __init__(self, world: World, graph: Graph, login: Login) -> None:
        self._world = world
        self._state = world.teams
        self._graph = graph
        self._login = login
        self._kept: dict[str, Kept] = {}
        self._generation = world.teams.generation
        self._session: ClientSession | None = None

    def of(self, app: str, tenant: str) -> list[Kept]:
        """Return an app's subscriptions that stand."""
        return [o for o in self._standing() if (o.app, o.tenant) == (app, tenant)]

    def keep(self, subscription: Kept) -> None:
        """Keep a subscription, and tell in time that it has to be renewed."""
        self._kept[subscription.id] = subscription
        if subscription.lifecycle_url:
            self._world.tasks.spawn(self._remind(subscription, subscription.until))

    def forget(self, subscription: Kept) -> None:
        self._kept.pop(subscription.id, None)

    async def lifecycle(self, subscription: str, event: str) -> bool:
        """Tell a subscriber of its subscription; False if there is none such."""
        found = {one.id: one for one in self._standing()}.get(subscription)
        if found is None or not found.lifecycle_url:
            return False
        if event == "subscriptionRemoved":
            self.forget(found)
        await self._tell_lifecycle(found, event)
        return True

    async def watch(self) -> None:
        """Follow what changes, until cancelled."""
        with self._world.changes.subscribe() as changes:
            while change := await changes.get():
                if change["side"] == "teams" and self._kept:
                    self._spread(change)

    def session(self) -> ClientSession:
        if self._session is None:
            self._session = ClientSession()
        return self._session

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._state.now(), UTC)

    def _standing(self) -> list[Kept]:
        if self._generation != self._state.generation:
            self._generation = self._state.generation
            self._kept.clear()
        now = self._now()
        return [one for one in self._kept.values() if one.until > now]

    def _spread(self, change: Mapping[str, Any]) -> None:
        happened = self._happened(change)
        if happened is None:
            return
        for one in self._standing():
            wanted = one.resource in happened.resources
            if (
                one.tenant == change["tenant"]
                and wanted
                and happened.change in one.kinds
            ):
                self._world.tasks.spawn(self._tell(one, happened))

    def _happened(self, change: Mapping[str, Any]) -> _Happened | None:
        kind = _CHANGES.get(str(change["kind"]))
        if kind is not None and "entry" in change:
            return _of_entry(kind, str(change["entry"]), str(change["oid"]))
        team = self._state.teams.get(str(change.get("team", "")))
        if kind is None or team is None:
            return None
        channel = self._state.channels.get(str(change.get("channel", "")))
        if "person" in change:
            return self._of_member(kind, team, channel, str(change["person"]))
        if channel is None:
            return None
        if "id" in change:
            return self._of_message(kind, team, channel, str(change["id"]))
        return _Happened(
            kind,
            (f"teams/{team.group_id}/channels",),
            f"teams('{team.group_id}')/channels('{channel.id}')",
            "channel",
            channel_told(channel),
        )

    def _of_member(
        self, kind: str, team: Team, channel: Channel | None, person: str
    ) -> _Happened:
        told = member_told(team, self._state.people[person], channel)
        path, named = f"teams/{team.group_id}", f"teams('{team.group_id}')"
        if channel is not None:
            path += f"/channels/{channel.id}"
            named += f"/channels('{channel.id}')"
        return _Happened(
            kind,
            (f"{path}/members",),
            f"{named}/members('{told['id']}')",
            "aadUserConversationMember",
            told,
        )

    def _of_message(
        self, kind: str, team: Team, channel: Channel, number: str
    ) -> _Happened | None:
        message = channel.messages.get(number)
        if message is None or message.target:
            return None
        named = f"teams('{team.group_id}')/channels('{channel.id}')/messages("
        named += f"'{message.root}')"
        if not message.is_root:
            named += f"/replies('{message.id}')"
        path = f"teams/{team.group_id}/channels/{channel.id}/messages"
        return _Happened(
            kind,
            (path, path.replace(channel.id, quote(channel.id)), "teams/getAllMessages"),
            named,
            "chatMessage",
            self._graph.shape(channel, message),
        )

    async def _tell(self, to: Kept, happened: _Happened) -> None:
        facts = {"subscription": to.id, "change": happened.change}
        fault = self._world.faults.take("teams.graph.notify", facts)
        body = self._notice(to, happened)
        delivered = False
        if fault is None or fault.kind != "drop":
            delivered = await self._delivered(to.url, body, fault)
            if fault is not None and fault.kind == "duplicate":
                await self._delivered(to.url, body, None)
        if not delivered and to.lifecycle_url:
            await self._tell_lifecycle(to, "missed")

    def _notice(self, to: Kept, happened: _Happened) -> dict[str, Any]:
        value: dict[str, Any] = {
            "subscriptionId": to.id,
            "subscriptionExpirationDateTime": _written(to.until),
            "changeType": happened.change,
            "clientState": to.client_state or None,
            "tenantId": to.tenant,
            "resource": happened.named,
            "resourceData": {
                "id": happened.told["id"],
                "@odata.type": f"#Microsoft.Graph.{happened.kind}",
                "@odata.id": happened.named,
            },
        }
        if not to.with_data:
            return {"value": [value]}
        value["encryptedContent"] = sealed(
            to, happened.told, iv_from=self._state.setting("graph_notice_iv")
        )
        token = self._login.notice_token(to.app, to.tenant)
        return {"value": [value], "validationTokens": [token]}

    async def _tell_lifecycle(self, to: Kept, event: str) -> None:
        value = {
            "subscriptionId": to.id,
            "subscriptionExpirationDateTime": _written(to.until),
            "clientState": to.client_state or None,
            "tenantId": to.tenant,
            "lifecycleEvent": event,
            "resource": to.resource,
        }
        await self._delivered(to.lifecycle_url, {"value": [value]}, None)

    async def _delivered(self, url: str, body: Any, fault: Fault | None) -> bool:
        """Try, and again after each of the set pauses; returns whether it came in."""
        generation = self._state.generation
        for pause in [*self._state.setting("graph_notice_retries"), None]:
            if fault is not None and fault.kind == "delay":
                await asyncio.sleep(fault.seconds)
            if generation != self._state.generation:
                return False
            status = await self._posted(url, body)
            if 0 < status < _ACCEPTED:
                return True
            await asyncio.sleep(pause or 0.0)
        return False

    async def _posted(self, url: str, body: Any) -> int:
        patience = ClientTimeout(total=self._state.setting("graph_notice_seconds"))
        try:
            async with self.session().post(url, json=body, timeout=patience) as answer:
                status = answer.status
        except (ClientError, OSError, TimeoutError):
            status = 0
        asked = {"url": url, "body": body}
        self._world.journal.note("teams", "out", "graph.notify", status, asked, None)
        return status

    async def _remind(self, subscription: Kept, until: datetime) -> None:
        share = self._state.setting("graph_reauthorize_at")
        await asyncio.sleep((until - self._now()).total_seconds() * share)
        current = {one.id: one.until for one in self._standing()}
        if current.get(subscription.id) == until:
            await self._tell_lifecycle(subscription, "reauthorizationRequired")


def _of_entry(kind: str, what: str, oid: str) -> _Happened:
    """A user or a group: it is named, and nothing is said of it."""
    many, told = f"{what}s", {"id": oid}
    named = f"{what.capitalize()}s/{oid}"
    return _Happened(kind, (many, f"{many}/{oid}"), named, what.capitalize(), told)


def kept_key(subscription: Kept) -> object:
    """Return the public key of a subscription's certificate; raises ValueError."""
    return _certificate(subscription).public_key()


def sealed(
    to: Kept, told: Mapping[str, Any], *, iv_from: str = "key"
) -> dict[str, str]:
    """Seal what changed for the owner of the certificate."""
    public = kept_key(to)
    if not isinstance(public, RSAPublicKey):
        raise TypeError("the certificate holds no RSA key")
    key = secrets.token_bytes(32)
    padder = PKCS7(128).padder()
    plain = padder.update(json.dumps(told).encode()) + padder.finalize()
    before = secrets.token_bytes(16) if iv_from == "data" else b""
    encryptor = Cipher(algorithms.AES(key), modes.CBC(before or key[:16])).encryptor()
    data = before + encryptor.update(plain) + encryptor.finalize()
    padding = OAEP(MGF1(hashes.SHA1()), hashes.SHA1(), None)  # noqa: S303 - Graph's own choice
    fingerprint = _certificate(to).fingerprint(hashes.SHA1())  # noqa: S303 - see above
    return {
        "data": b64encode(data).decode(),
        "dataSignature": b64encode(hmac.digest(key, data, "sha256")).decode(),
        "dataKey": b64encode(public.encrypt(key, padding)).decode(),
        "encryptionCertificateId": to.key_id,
        "encryptionCertificateThumbprint": fingerprint.hex().upper(),
    }


def _certificate(subscription: Kept) -> x509.Certificate:
    encoded = b64decode(subscription.certificate, validate=True)
    if encoded.startswith(b"-----BEGIN"):
        return x509.load_pem_x509_certificate(encoded)
    return x509.load_der_x509_certificate(encoded)


def _written(at: datetime) -> str:
    whole = at.astimezone(UTC) - timedelta(microseconds=at.microsecond % 1000)
    return whole.isoformat(timespec="milliseconds").replace("+00:00", "Z")
