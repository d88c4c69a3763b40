"""Entra ID is read through Graph's delta, over HTTP, from the sandbox."""

import asyncio
import time
from base64 import b64encode
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from aiohttp import ClientSession, web
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

from bots.sandbox.teams.defaults import DEFAULTS
from bots.sandbox.teams.seed import ACME, BOT_APP_ID, BOT_PASSWORD
from bots.teams.notices import DirectoryNotices
from bots.teams.tokens import Tokens
from bridge.directory.model import Edge, Fate, Gone, Kind, Reading, Standing
from policy.directory.entra.clouds import cloud
from policy.directory.entra.graph import Graph
from policy.directory.entra.objects import Shape
from policy.directory.entra.source import EntraSource
from policy.directory.entra.subscriptions import Subscriptions
from policy.directory.rest import Rest
from tests.sandbox import Sandbox, running_sandbox, serving, settled
from tests.sandbox_graph import CAROL, DAVE, ERIN

FINANCE = "f1000000-0000-4000-8000-000000000001"
AUDIT = "f1000000-0000-4000-8000-000000000002"
ANA = "a0000000-0000-4000-8000-0000000000a1"


def key(oid: str) -> str:
    return f"{ACME}/{oid}"


@pytest.fixture(scope="module")
def server() -> Iterator[Sandbox]:
    with running_sandbox() as sandbox:
        yield sandbox


@pytest.fixture
async def sandbox(server: Sandbox) -> Sandbox:
    await server.call("POST", "/sandbox/reset")
    await server.call("DELETE", "/sandbox/faults")
    rights = ["User.Read.All", "GroupMember.Read.All"]
    await server.set({**DEFAULTS, "teams.graph_roles": rights})
    return server


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
async def source(sandbox: Sandbox, pauses: list[float]) -> AsyncIterator[EntraSource]:
    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    url = f"{sandbox.base}/teams/login/{{tenant}}/oauth2/v2.0/token"
    tokens = Tokens(BOT_APP_ID, BOT_PASSWORD, url, ACME, time.monotonic)
    async with ClientSession() as session:
        rest = Rest(session, "Microsoft Graph", sleep=sleep)
        graph = Graph(rest, tokens, ACME, f"{sandbox.base}/teams/graph/v1.0")
        yield EntraSource("entra", graph, Shape(ACME), poll=60.0)


async def do(sandbox: Sandbox, do: str, oid: str, **more: Any) -> None:
    await sandbox.act_in_teams(action="directory", do=do, id=oid, **more)


async def read(source: EntraSource, cursor: bytes = b"") -> Reading:
    readings = [one async for one in source.read(cursor)]
    assert len(readings) == 1
    return readings[0]


async def test_a_first_reading_names_everybody_and_every_group(
    sandbox: Sandbox, source: EntraSource
) -> None:
    await do(sandbox, "add_group", FINANCE, values={"displayName": "Finance"})
    await do(sandbox, "add_group", AUDIT, values={"displayName": "Audit"})
    await do(sandbox, "join", FINANCE, member=CAROL)
    await do(sandbox, "join", FINANCE, member=AUDIT)

    reading = await read(source)

    assert reading.whole
    assert reading.complete
    named = {one.id: one for one in reading.entries}
    assert named[key(CAROL)].kind is Kind.PERSON
    assert named[key(CAROL)].name == "Carol Díaz"
    assert named[key(FINANCE)].members == frozenset({key(CAROL), key(AUDIT)})
    assert named[key(AUDIT)].members == frozenset()


async def test_a_change_is_told_alone(sandbox: Sandbox, source: EntraSource) -> None:
    await do(sandbox, "add_group", FINANCE, values={"displayName": "Finance"})
    await do(sandbox, "join", FINANCE, member=DAVE)
    first = await read(source)

    await do(sandbox, "leave", FINANCE, member=DAVE)
    await do(sandbox, "join", FINANCE, member=CAROL)
    await do(sandbox, "change_user", CAROL, values={"department": "Finance"})
    reading = await read(source, first.cursor)

    assert not reading.whole
    assert reading.complete
    assert reading.joined == (Edge(key(CAROL), key(FINANCE)),)
    assert reading.left == (Edge(key(DAVE), key(FINANCE)),)
    told = {one.id: one.attributes for one in reading.entries}
    assert told[key(CAROL)]["department"] == "Finance"
    assert key(DAVE) not in told


async def test_nothing_new_is_a_complete_answer(source: EntraSource) -> None:
    first = await read(source)

    reading = await read(source, first.cursor)

    assert reading.complete
    assert (reading.entries, reading.joined, reading.gone) == ((), (), ())


async def test_attributes_are_told_by_atoms_names(
    sandbox: Sandbox, source: EntraSource
) -> None:
    guid = UUID("5a95e986-e47e-473b-a74e-ab2ba77ed154")
    values = {
        "displayName": "Ana Smith",
        "userPrincipalName": "ana@acme.example",
        "jobTitle": "Controller",
        "department": "Finance",
        "employeeId": "4711",
        "manager": CAROL,
        "onPremisesImmutableId": b64encode(guid.bytes_le).decode(),
        "onPremisesExtensionAttributes": {"extensionAttribute1": "2"},
    }
    await do(sandbox, "add_user", ANA, values=values)
    mapped = {"clearance": "onPremisesExtensionAttributes/extensionAttribute1"}
    source.shape = replace(source.shape, attributes=mapped)

    reading = await read(source)

    [ana] = [one for one in reading.entries if one.id == key(ANA)]
    assert ana.attributes == {
        "user_name": "ana@acme.example",
        "title": "Controller",
        "department": "Finance",
        "employee_id": "4711",
        "manager": key(CAROL),
        "immutable_id": "humVWn7kO0enTqsrp37RVA==",
        "object_guid": str(guid),
        "entra_id": key(ANA),
        "clearance": "2",
    }


@pytest.mark.parametrize(
    ("values", "standing", "guest"),
    [
        ({"accountEnabled": False}, Standing.DISABLED, False),
        ({"userType": "Guest"}, Standing.ACTIVE, True),
        (
            {"userType": "Guest", "externalUserState": "PendingAcceptance"},
            Standing.PENDING,
            True,
        ),
        (
            {"userType": "Member", "userPrincipalName": "d_x.io#EXT#@acme.example"},
            Standing.ACTIVE,
            True,
        ),
    ],
)
async def test_how_somebody_stands(
    sandbox: Sandbox,
    source: EntraSource,
    values: dict[str, Any],
    standing: Standing,
    guest: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    first = await read(source)

    await do(sandbox, "change_user", DAVE, values=values)
    reading = await read(source, first.cursor)

    [dave] = reading.entries
    assert (dave.id, dave.standing, dave.guest) == (key(DAVE), standing, guest)


async def test_the_deleted_have_left_until_they_are_purged(
    sandbox: Sandbox, source: EntraSource
) -> None:
    first = await read(source)

    await do(sandbox, "delete", DAVE)
    binned = await read(source, first.cursor)
    await do(sandbox, "purge", DAVE)
    purged = await read(source, binned.cursor)

    [dave] = binned.entries
    assert (dave.id, dave.name, dave.standing) == (key(DAVE), "Dave O'Neil", "left")
    assert binned.gone == ()
    assert purged.gone == (Gone(key(DAVE), Fate.DELETED),)


async def test_the_restored_are_back(sandbox: Sandbox, source: EntraSource) -> None:
    first = await read(source)
    await do(sandbox, "delete", DAVE)
    binned = await read(source, first.cursor)

    await do(sandbox, "restore", DAVE)
    reading = await read(source, binned.cursor)

    people = [one for one in reading.entries if one.kind is Kind.PERSON]
    assert [(p.id, p.standing) for p in people] == [(key(DAVE), Standing.ACTIVE)]


async def test_a_group_that_comes_back_brings_its_members(
    sandbox: Sandbox, source: EntraSource
) -> None:
    await do(sandbox, "add_group", FINANCE, values={"displayName": "Finance"})
    await do(sandbox, "join", FINANCE, member=CAROL)
    first = await read(source)

    await do(sandbox, "change_group", FINANCE, values={"displayName": "Money"})
    reading = await read(source, first.cursor)

    [money] = reading.entries
    assert (money.name, money.members) == ("Money", frozenset({key(CAROL)}))


async def test_distribution_lists_carry_no_rights(
    sandbox: Sandbox, source: EntraSource
) -> None:
    listed = {"displayName": "All hands", "securityEnabled": False, "mailEnabled": True}
    await do(sandbox, "add_group", AUDIT, values={"displayName": "Audit"})
    first = await read(source)

    await do(sandbox, "change_group", AUDIT, values=listed)
    reading = await read(source, first.cursor)

    assert key(AUDIT) in {one.id for one in first.entries}
    assert reading.gone == (Gone(key(AUDIT), Fate.OUT_OF_SCOPE),)


@pytest.mark.parametrize("status", [410, 400, 404])
async def test_a_lost_state_has_everything_read_again(
    sandbox: Sandbox, source: EntraSource, status: int
) -> None:
    first = await read(source)
    await sandbox.set(
        {
            "teams.graph_directory_token_seconds": 0.0,
            "teams.graph_directory_lost_status": status,
        }
    )

    reading = await read(source, first.cursor)

    assert reading.whole
    assert reading.complete
    assert {one.id for one in reading.entries} == {one.id for one in first.entries}


async def test_another_selection_makes_old_cursors_useless(
    source: EntraSource,
) -> None:
    first = await read(source)
    source.shape = replace(source.shape, attributes={"clearance": "faxNumber"})

    assert (await read(source, first.cursor)).whole


async def test_small_pages_split_groups_and_replays_change_nothing(
    sandbox: Sandbox, source: EntraSource
) -> None:
    usual = await read(source)
    await sandbox.set(
        {
            "teams.graph_directory_page": 1,
            "teams.graph_directory_members": 1,
            "teams.graph_directory_replays": True,
        }
    )

    reading = await read(source)

    assert {one.id: one for one in reading.entries} == {
        one.id: one for one in usual.entries
    }


async def test_users_told_in_part_are_asked_for(
    sandbox: Sandbox, source: EntraSource
) -> None:
    await do(sandbox, "change_user", DAVE, values={"manager": CAROL})
    first = await read(source)
    await sandbox.set({"teams.graph_directory_partial": True})

    await do(sandbox, "change_user", DAVE, values={"department": "Sales"})
    reading = await read(source, first.cursor)

    [dave] = reading.entries
    assert dave.name == "Dave O'Neil"
    assert dave.attributes["department"] == "Sales"
    assert dave.attributes["manager"] == key(CAROL)


async def test_throttling_is_waited_for(
    sandbox: Sandbox, source: EntraSource, pauses: list[float]
) -> None:
    await sandbox.fault("teams.graph.users_delta", "429", retry_after=7)

    reading = await read(source)

    assert reading.complete
    assert pauses == [7.0]


@pytest.mark.parametrize("fault", ["reset", "503", "page"])
async def test_what_breaks_off_is_incomplete_and_removes_nobody(
    sandbox: Sandbox, source: EntraSource, fault: str
) -> None:
    """The second page never comes: what is missing is unknown, not gone."""
    await sandbox.set({"teams.graph_directory_page": 2})
    await sandbox.fault("teams.graph.users_delta", fault, times=100, skip=1)

    reading = await read(source, b"")

    assert reading.whole
    assert not reading.complete
    assert reading.why.startswith("Entra ID could not be read: ")
    assert reading.cursor == b""
    assert any(one.kind is Kind.PERSON for one in reading.entries)


async def test_a_change_that_breaks_off_takes_nothing_away(
    sandbox: Sandbox, source: EntraSource
) -> None:
    await do(sandbox, "add_group", FINANCE, values={"displayName": "Finance"})
    await do(sandbox, "join", FINANCE, member=CAROL)
    first = await read(source)
    await do(sandbox, "leave", FINANCE, member=CAROL)
    await sandbox.fault("teams.graph.users_delta", "reset", times=100)

    broken = await read(source, first.cursor)
    await sandbox.call("DELETE", "/sandbox/faults")
    later = await read(source, broken.cursor)

    assert not broken.complete
    assert (broken.left, broken.gone) == ((), ())
    assert broken.cursor == first.cursor
    assert later.left == (Edge(key(CAROL), key(FINANCE)),)


async def test_a_missing_right_says_what_to_grant(
    sandbox: Sandbox, source: EntraSource
) -> None:
    await sandbox.set({"teams.graph_roles": ["User.Read.All"]})

    reading = await read(source)

    assert not reading.complete
    assert "GroupMember.Read.All" in reading.why
    assert "consent" in reading.why


async def test_a_refused_token_is_asked_for_once_more(
    sandbox: Sandbox, source: EntraSource
) -> None:
    await read(source)
    await sandbox.call("POST", "/sandbox/reset")

    assert (await read(source)).complete


async def test_a_wrong_secret_is_told_in_one_line(
    sandbox: Sandbox, source: EntraSource
) -> None:
    url = f"{sandbox.base}/teams/login/{{tenant}}/oauth2/v2.0/token"
    wrong = Tokens(BOT_APP_ID, "wrong", url, ACME, time.monotonic)
    source.graph = replace(source.graph, tokens=wrong)

    reading = await read(source)

    assert not reading.complete
    assert "AADSTS7000215" in reading.why
    assert "wrong" not in reading.why.replace("7000215", "")


async def test_another_hosts_page_gets_no_token(
    sandbox: Sandbox, source: EntraSource
) -> None:
    source.graph = replace(source.graph, base="http://localhost:1/teams/graph/v1.0")

    with pytest.raises(Exception, match="another host"):
        await source.graph.one(f"{sandbox.base}/teams/graph/v1.0/users/delta")


async def test_nonsense_as_a_cursor_reads_everything(source: EntraSource) -> None:
    for cursor in (b"nonsense", b"[]", b'{"scope": 1}', b"\xff"):
        assert (await read(source, cursor)).whole


async def test_followers_hear_at_once_when_woken(
    sandbox: Sandbox, source: EntraSource
) -> None:
    first = await read(source)
    following = source.follow(first.cursor)
    await do(sandbox, "change_user", ERIN, values={"department": "Legal"})

    source.wake()
    async with asyncio.timeout(15):
        reading = await anext(following)
    await following.aclose()  # type: ignore[attr-defined]

    assert [one.id for one in reading.entries] == [key(ERIN)]


async def test_followers_poll_when_nobody_wakes_them(
    sandbox: Sandbox, source: EntraSource
) -> None:
    first = await read(source)
    source.poll = 0.01
    following = source.follow(first.cursor)

    async with asyncio.timeout(15):
        quiet = await anext(following)
        await do(sandbox, "delete", ERIN)
        while not (reading := await anext(following)).entries:
            pass
    await following.aclose()  # type: ignore[attr-defined]

    assert quiet.complete
    assert [one.standing for one in reading.entries] == [Standing.LEFT]


async def test_notices_are_subscribed_to_and_kept_alive(
    sandbox: Sandbox, source: EntraSource
) -> None:
    """Graph says that Erin changed, and ATOM reads it without a poll."""
    door = DirectoryNotices("s3cret", source.wake, source.subscribe_again)
    app = web.Application()
    app.router.add_post("/hooks/graph-directory", door.handle)
    first = await read(source)
    async with serving(app) as base:
        url = f"{base}/hooks/graph-directory"
        source.subscriptions = Subscriptions(
            source.graph, url, "s3cret", lambda: datetime.now(UTC)
        )
        following = source.follow(first.cursor)
        waiting = asyncio.ensure_future(anext(following))
        await settled(lambda: _subscribed(source, {"users", "groups"}))

        await do(sandbox, "change_user", ERIN, values={"department": "Legal"})
        async with asyncio.timeout(15):
            reading = await waiting
        await following.aclose()  # type: ignore[attr-defined]

    assert [one.id for one in reading.entries] == [key(ERIN)]


async def test_a_subscription_that_ends_is_made_again(
    sandbox: Sandbox, source: EntraSource
) -> None:
    door = DirectoryNotices("s3cret", source.wake, source.subscribe_again)
    app = web.Application()
    app.router.add_post("/hooks/graph-directory", door.handle)
    async with serving(app) as base:
        url = f"{base}/hooks/graph-directory"
        source.subscriptions = Subscriptions(
            source.graph, url, "s3cret", lambda: datetime.now(UTC)
        )
        await source.subscriptions.keep()
        [users] = [
            one
            async for page in source.graph.pages("subscriptions")
            for one in page.items
            if one["resource"] == "users"
        ]
        await sandbox.act_in_teams(
            action="lifecycle", subscription=users["id"], event="subscriptionRemoved"
        )
        assert not await _subscribed(source, {"users"})

        await source.subscriptions.keep()

        assert await _subscribed(source, {"users", "groups"})


async def test_whoever_does_not_know_the_secret_wakes_nobody() -> None:
    heard: list[str] = []
    door = DirectoryNotices(
        "s3cret", lambda: heard.append("changed"), lambda: heard.append("ended")
    )
    app = web.Application()
    app.router.add_post("/hook", door.handle)
    async with serving(app) as base, ClientSession() as session:
        forged = {"value": [{"clientState": "guess", "resource": "Users/1"}]}
        async with session.post(f"{base}/hook", json=forged) as answer:
            status = answer.status

    assert (status, heard) == (403, [])


async def _subscribed(source: EntraSource, wanted: set[str]) -> bool:
    standing = [
        str(one["resource"])
        async for page in source.graph.pages("subscriptions")
        for one in page.items
    ]
    return wanted <= set(standing)


async def test_an_app_may_sign_in_with_a_certificate_in_a_national_cloud(
    sandbox: Sandbox, source: EntraSource
) -> None:
    pem, certificate = _self_signed()
    there = cloud("us-government")
    await sandbox.set(
        {"teams.app_certificate": certificate, "teams.login_url": there.login}
    )
    url = f"{sandbox.base}/teams/login/{{tenant}}/oauth2/v2.0/token"

    def signing(with_key: str) -> Graph:
        tokens = Tokens(
            BOT_APP_ID,
            "",
            url,
            ACME,
            time.monotonic,
            certificate=with_key,
            authority=there.login,
            graph_scope=there.scope,
        )
        return replace(source.graph, tokens=tokens)

    source.graph = signing(pem)
    assert (await read(source)).complete

    source.graph = signing(_self_signed()[0])
    refused = await read(source)

    assert "AADSTS700027" in refused.why


def _self_signed() -> tuple[str, str]:
    """Return a key with its certificate as PEM, and the certificate alone."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "atom")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(private, hashes.SHA256())
    )
    shown = certificate.public_bytes(Encoding.PEM).decode()
    key = private.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    ).decode()
    return key + shown, shown
