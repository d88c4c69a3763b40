"""What Graph tells apps that subscribe: sealed, signed, and of the subscription too."""

import hmac
import json
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import jwt
import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7
from cryptography.x509.oid import NameOID

from bots.sandbox.teams.seed import ACME, BOT_APP_ID
from tests.sandbox import Sandbox, eventually, serving, settled
from tests.sandbox_graph import BOARD, ERIN, GraphClient, bound, graph_client
from tests.sandbox_teams import FALCON, GROUP, Answered, said

MESSAGES = f"teams/{GROUP}/channels/{FALCON}/messages"


@dataclass
class Subscriber:
    """An app that listens for notices, and can be made to misbehave."""

    url: str = ""
    notices: list[dict[str, Any]] = field(default_factory=list)
    lifecycle: list[dict[str, Any]] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    honest: bool = True
    refusals: int = 0

    async def handle(self, request: web.Request) -> web.Response:
        if word := request.query.get("validationToken"):
            return web.Response(text=word if self.honest else "no")
        if self.refusals:
            self.refusals -= 1
            return web.Response(status=503)
        body = await request.json()
        about = request.path.endswith("lifecycle")
        (self.lifecycle if about else self.notices).extend(body["value"])
        self.tokens += body.get("validationTokens", [])
        return web.Response(status=202)

    @property
    def events(self) -> list[str]:
        return [one["lifecycleEvent"] for one in self.lifecycle]


@pytest.fixture
async def subscriber() -> AsyncIterator[Subscriber]:
    made, app = Subscriber(), web.Application()
    app.router.add_post("/{path:.*}", made.handle)
    async with serving(app) as base:
        made.url = base
        yield made


@pytest.fixture
async def graph(sandbox: Sandbox) -> GraphClient:
    await sandbox.set({"teams.throttles": False, "teams.graph_notice_retries": [0.01]})
    return await graph_client(sandbox)


@cache
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@cache
def certificate() -> str:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "atom")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key().public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key(), hashes.SHA256())
    )
    return b64encode(made.public_bytes(serialization.Encoding.DER)).decode()


def opened(sealed: dict[str, str], iv_from: str = "key") -> dict[str, Any]:
    """Open a notice as an app has to, its signature first."""
    padding = OAEP(MGF1(hashes.SHA1()), hashes.SHA1(), None)  # noqa: S303 - Graph's
    secret = key().decrypt(b64decode(sealed["dataKey"]), padding)
    data = b64decode(sealed["data"])
    expected = hmac.digest(secret, data, "sha256")
    assert hmac.compare_digest(expected, b64decode(sealed["dataSignature"]))
    iv, data = (secret[:16], data) if iv_from == "key" else (data[:16], data[16:])
    cipher = Cipher(algorithms.AES(secret), modes.CBC(iv)).decryptor()
    padded = cipher.update(data) + cipher.finalize()
    unpadder = PKCS7(128).unpadder()
    told: dict[str, Any] = json.loads(unpadder.update(padded) + unpadder.finalize())
    return told


def soon(minutes: float) -> str:
    return (datetime.now(UTC) + timedelta(minutes=minutes)).isoformat()


async def subscribed(
    graph: GraphClient, subscriber: Subscriber, minutes: float = 30, **more: Any
) -> Answered:
    wish = {
        "changeType": "created,updated,deleted",
        "notificationUrl": f"{subscriber.url}/notices",
        "lifecycleNotificationUrl": f"{subscriber.url}/lifecycle",
        "resource": MESSAGES,
        "expirationDateTime": soon(minutes),
        "clientState": "s3cret",
    }
    given = {name: value for name, value in (wish | more).items() if value is not None}
    return await graph.post("subscriptions", given)


async def test_creations_edits_and_deletions_are_told(
    sandbox: Sandbox, graph: GraphClient, subscriber: Subscriber
) -> None:
    made = (await subscribed(graph, subscriber)).body
    root = (await said(sandbox, text="root"))["id"]
    reply = (await said(sandbox, action="reply", text="re", thread=root))["id"]
    await said(sandbox, action="edit", message=root, text="better")
    await said(sandbox, action="delete", message=reply)

    await eventually(lambda: len(subscriber.notices) == 4)

    told = {(n["changeType"], n["resource"]) for n in subscriber.notices}
    at = f"teams('{GROUP}')/channels('{FALCON}')/messages('{root}')"
    assert told == {
        ("created", at),
        ("created", f"{at}/replies('{reply}')"),
        ("updated", at),
        ("deleted", f"{at}/replies('{reply}')"),
    }
    first = subscriber.notices[0]
    assert (first["subscriptionId"], first["tenantId"]) == (made["id"], ACME)
    assert first["clientState"] == "s3cret"
    assert "encryptedContent" not in first


@pytest.mark.parametrize("iv_from", ["key", "data"])
async def test_what_changed_comes_sealed_for_the_certificate(
    sandbox: Sandbox, graph: GraphClient, subscriber: Subscriber, iv_from: str
) -> None:
    await sandbox.set({"teams.graph_notice_iv": iv_from})
    await subscribed(
        graph,
        subscriber,
        includeResourceData=True,
        encryptionCertificate=certificate(),
        encryptionCertificateId="key-1",
    )
    one = (await said(sandbox, text="hello"))["id"]

    await eventually(lambda: subscriber.notices)

    sealed = subscriber.notices[0]["encryptedContent"]
    told = opened(sealed, iv_from)
    assert sealed["encryptionCertificateId"] == "key-1"
    assert (told["id"], told["body"]["content"]) == (one, "<p>hello</p>")
    claims = jwt.decode(subscriber.tokens[0], options={"verify_signature": False})
    assert (claims["aud"], claims["tid"]) == (BOT_APP_ID, ACME)


async def test_an_address_that_does_not_repeat_the_word_is_refused(
    graph: GraphClient, subscriber: Subscriber
) -> None:
    subscriber.honest = False

    answer = await subscribed(graph, subscriber)

    assert answer.status == 400
    assert "validation" in answer.body["error"]["message"]


@pytest.mark.parametrize(
    "wish",
    [
        {"expirationDateTime": soon(4_400)},
        {"expirationDateTime": soon(-1)},
        {"expirationDateTime": soon(90), "lifecycleNotificationUrl": None},
        {"expirationDateTime": "tomorrow"},
        {"clientState": "x" * 129},
        {"changeType": "seen"},
        {"resource": "me/messages"},
        {"notificationUrl": "http://example.com/notices"},
        {"includeResourceData": True},
        {
            "includeResourceData": True,
            "encryptionCertificate": "nonsense",
            "encryptionCertificateId": "key-1",
        },
    ],
)
async def test_a_wish_that_breaks_a_rule_is_refused(
    graph: GraphClient, subscriber: Subscriber, wish: dict[str, Any]
) -> None:
    assert (await subscribed(graph, subscriber, **wish)).status == 400


async def test_a_short_subscription_needs_no_lifecycle_address(
    graph: GraphClient, subscriber: Subscriber
) -> None:
    answer = await subscribed(graph, subscriber, lifecycleNotificationUrl=None)

    assert answer.status == 201


@pytest.mark.parametrize(("twins", "status"), [("conflict", 409), ("accept", 201)])
async def test_whether_a_twin_is_refused_is_a_setting(
    sandbox: Sandbox,
    graph: GraphClient,
    subscriber: Subscriber,
    twins: str,
    status: int,
) -> None:
    await sandbox.set({"teams.graph_twins": twins})
    await subscribed(graph, subscriber)

    assert (await subscribed(graph, subscriber)).status == status


async def test_subscriptions_are_renewed_listed_and_deleted(
    sandbox: Sandbox, graph: GraphClient, subscriber: Subscriber
) -> None:
    made = (await subscribed(graph, subscriber)).body
    path = f"subscriptions/{made['id']}"

    renewed = await graph.patch(path, {"expirationDateTime": soon(600)})
    listed = (await graph.get("subscriptions")).body["value"]
    deleted = await graph.delete(path)
    await said(sandbox, text="nobody hears this")

    assert renewed.body["expirationDateTime"] > made["expirationDateTime"]
    assert [one["id"] for one in listed] == [made["id"]]
    assert (deleted.status, (await graph.get(path)).status) == (204, 404)
    assert subscriber.notices == []


async def test_a_notice_is_sent_again_until_it_is_taken(
    sandbox: Sandbox, graph: GraphClient, subscriber: Subscriber
) -> None:
    await subscribed(graph, subscriber)
    subscriber.refusals = 1

    await said(sandbox, text="hello")
    await eventually(lambda: subscriber.notices)

    assert len(subscriber.notices) == 1
    assert subscriber.events == []


async def test_notices_that_are_never_taken_are_told_as_missed(
    sandbox: Sandbox, graph: GraphClient, subscriber: Subscriber
) -> None:
    await subscribed(graph, subscriber)
    await sandbox.fault("teams.graph.notify", "drop")

    await said(sandbox, text="hello")
    await eventually(lambda: subscriber.events)

    assert subscriber.events == ["missed"]
    assert subscriber.notices == []


async def test_a_notice_may_come_twice(
    sandbox: Sandbox, graph: GraphClient, subscriber: Subscriber
) -> None:
    await subscribed(graph, subscriber)
    await sandbox.fault("teams.graph.notify", "duplicate")

    await said(sandbox, text="hello")
    await eventually(lambda: len(subscriber.notices) == 2)

    first, second = subscriber.notices
    assert first == second


async def test_who_lets_a_subscription_age_is_told_to_renew_it(
    sandbox: Sandbox, graph: GraphClient, subscriber: Subscriber
) -> None:
    await sandbox.set({"teams.graph_reauthorize_at": 0.0001})

    await subscribed(graph, subscriber)
    await eventually(lambda: subscriber.events)

    assert subscriber.events == ["reauthorizationRequired"]


@pytest.mark.parametrize("event", ["missed", "subscriptionRemoved"])
async def test_the_control_api_tells_of_a_subscription(
    sandbox: Sandbox, graph: GraphClient, subscriber: Subscriber, event: str
) -> None:
    made = (await subscribed(graph, subscriber)).body["id"]

    await sandbox.act_in_teams(action="lifecycle", subscription=made, event=event)

    assert subscriber.events == [event]
    left = (await graph.get("subscriptions")).body["value"]
    assert len(left) == (event == "missed")


async def test_channels_and_members_can_be_subscribed_to(
    graph: GraphClient, subscriber: Subscriber
) -> None:
    team = f"teams/{GROUP}"
    inside = f"{team}/channels/{BOARD}/members"
    for resource in (f"{team}/channels", inside):
        assert (await subscribed(graph, subscriber, resource=resource)).status == 201

    await graph.post(f"{team}/channels", {"displayName": "Ideas"})
    await graph.post(inside, bound(ERIN))

    def kinds() -> set[str]:
        return {one["resourceData"]["@odata.type"] for one in subscriber.notices}

    wanted = {
        "#Microsoft.Graph.channel",
        "#Microsoft.Graph.aadUserConversationMember",
    }
    await eventually(lambda: kinds() == wanted)


async def test_what_may_not_be_read_may_not_be_subscribed_to(
    sandbox: Sandbox, subscriber: Subscriber
) -> None:
    reader = await graph_client(sandbox, "Group.Selected")

    own = await subscribed(reader, subscriber)
    all_teams = await subscribed(reader, subscriber, resource="teams/getAllMessages")

    assert (own.status, all_teams.status) == (201, 403)


async def test_a_subscription_that_is_over_stops_without_a_word(
    sandbox: Sandbox, graph: GraphClient, subscriber: Subscriber
) -> None:
    await sandbox.set({"teams.graph_reauthorize_at": 10.0})
    await subscribed(graph, subscriber, minutes=0.01)

    async def over() -> bool:
        return not (await graph.get("subscriptions")).body["value"]

    await settled(over)
    await said(sandbox, text="nobody hears this")
    await graph.get("subscriptions")

    assert (subscriber.notices, subscriber.lifecycle) == ([], [])
