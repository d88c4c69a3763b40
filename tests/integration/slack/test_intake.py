"""What Slack sends is signed, captured, and only then acknowledged."""

import asyncio
import hashlib
import hmac
import json
import logging
import time
from collections.abc import AsyncIterator, Callable
from io import BytesIO
from pathlib import Path

import pytest
from aiohttp import ClientSession

from bots.metrics import REFUSED
from bots.sandbox.slack import seed
from bots.slack.intake import SlackIntake
from bots.spooling import Spooling
from bridge.messages import EventKind, Platform
from bridge.plain import plain_text
from storage.spool import SpoolFolder
from tests.integration.slack.conftest import Slack, Store, eventually
from tests.slack_recorded import raw, recorded

JSON = "application/json"


def signed(
    body: bytes, *, at: float | None = None, secret: str = seed.SIGNING_SECRET
) -> dict[str, str]:
    now = str(int(time.time() if at is None else at))
    mac = hmac.new(secret.encode(), b"v0:" + now.encode() + b":" + body, hashlib.sha256)
    return {
        "Content-Type": JSON,
        "X-Slack-Request-Timestamp": now,
        "X-Slack-Signature": f"v0={mac.hexdigest()}",
    }


async def sent(
    session: ClientSession, atom: str, body: bytes, headers: dict[str, str]
) -> int:
    url = f"{atom}/slack/events"
    async with session.post(url, data=BytesIO(body), headers=headers) as response:
        await response.read()
        return response.status


def refusals(reason: str) -> float:
    return float(REFUSED.labels("slack", reason)._value.get())


async def test_message_is_captured_as_it_came(
    slack: Slack, atom: str, store: Store
) -> None:
    said = await slack.act(action="post", text="hello <you> & me")

    (event,) = await eventually(lambda: store.events)

    assert event.kind is EventKind.MESSAGE_CREATE
    assert event.message == said["ts"]
    assert plain_text(event.document) == "hello <you> & me"
    assert json.loads(event.raw)["event_id"] == event.event_id


async def test_reply_edit_and_deletion_follow_the_message(
    slack: Slack, atom: str, store: Store
) -> None:
    root = await slack.act(action="post", text="one")
    reply = await slack.act(action="reply", text="two", thread_ts=root["ts"])
    await slack.act(action="edit", ts=reply["ts"], text="three")
    await slack.act(action="delete", ts=reply["ts"])

    await eventually(lambda: len(store.events) == 4)

    assert {e.thread for e in store.events[1:]} == {root["ts"]}
    assert [e.kind for e in store.events] == [
        EventKind.MESSAGE_CREATE,
        EventKind.MESSAGE_CREATE,
        EventKind.MESSAGE_EDIT,
        EventKind.MESSAGE_DELETE,
    ]


async def test_deleted_root_with_replies_is_one_deletion(
    slack: Slack, atom: str, store: Store
) -> None:
    root = await slack.act(action="post", text="one")
    await slack.act(action="reply", text="two", thread_ts=root["ts"])
    await slack.act(action="delete", ts=root["ts"])
    last = await slack.act(action="post", text="end", channel="C03RANDOM")

    await eventually(lambda: store.of(EventKind.MESSAGE_DELETE))
    await eventually(lambda: last["ts"] in [e.message for e in store.events])

    assert [e.message for e in store.of(EventKind.MESSAGE_DELETE)] == [root["ts"]]
    assert store.of(EventKind.MESSAGE_EDIT) == []


async def test_unfurled_link_is_no_edit(slack: Slack, atom: str, store: Store) -> None:
    said = await slack.act(action="post", text="see https://example.com")
    await slack.act(action="unfurl", ts=said["ts"], url="https://example.com")
    await slack.act(action="post", text="end")

    await eventually(lambda: len(store.events) == 2)

    assert store.of(EventKind.MESSAGE_EDIT) == []


async def test_slack_verifies_the_address(slack: Slack, atom: str) -> None:
    answer = await slack.act(action="verify")

    assert answer["status"] == 200
    assert answer["answer"]["challenge"].startswith("sandbox-")


async def test_trap_nothing_is_acknowledged_before_it_is_captured(
    slack: Slack, atom: str, store: Store
) -> None:
    """Bolt by itself acknowledges an event before its listener has finished."""
    store.open.clear()
    await slack.act(action="post", text="hello")
    assert slack.calls("deliver") == []

    store.open.set()
    await eventually(lambda: slack.calls("deliver"))

    assert [entry["status"] for entry in slack.calls("deliver")] == [200]
    assert len(store.events) == 1


async def test_slack_sends_again_what_the_store_could_not_take(
    slack: Slack, atom: str, store: Store
) -> None:
    store.down = True
    await slack.act(action="post", text="hello")
    await eventually(lambda: slack.calls("deliver"))

    store.down = False
    await eventually(lambda: store.events)

    assert slack.calls("deliver")[0]["status"] == 503
    assert len(store.events) == 1


async def test_with_a_spool_events_wait_in_order_and_commands_do_not(
    slack: Slack, atom: str, store: Store, intake: SlackIntake, tmp_path: Path
) -> None:
    spooling = Spooling(SpoolFolder(tmp_path, 100_000), again=0.01)
    spooling.readers[Platform.SLACK] = intake.take_in
    intake.spooling = spooling
    store.down = True
    await slack.act(action="post", text="one")
    await eventually(lambda: slack.calls("deliver"))
    assert (await slack.act(action="command", args="status"))["status"] == 503

    store.down = False
    await slack.act(action="post", text="two")
    await eventually(lambda: len(slack.calls("deliver")) == 2)
    assert (await slack.act(action="command", args="status"))["status"] == 200
    assert store.of(EventKind.MESSAGE_CREATE) == []  # nothing overtakes "one"
    job = asyncio.create_task(spooling.run())
    await eventually(lambda: not spooling.waits)
    await slack.act(action="post", text="three")
    said = await eventually(lambda: store.of(EventKind.MESSAGE_CREATE)[2:])
    job.cancel()

    assert [e["status"] for e in slack.calls("deliver")] == [200] * 3
    told = [(e.via, plain_text(e.document)) for e in store.of(EventKind.MESSAGE_CREATE)]
    assert told == [("spool", "one"), ("spool", "two"), ("push", "three")]
    assert said


async def test_event_delivered_twice_is_captured_once(
    slack: Slack, atom: str, store: Store
) -> None:
    slack.fault("slack.deliver", "duplicate")
    await slack.act(action="post", text="hello")

    await eventually(lambda: len(slack.calls("deliver")) == 2)

    assert [entry["status"] for entry in slack.calls("deliver")] == [200, 200]
    assert len(store.events) == 1


@pytest.mark.parametrize("app_id_is_told", [True, False], ids=["app", "bot only"])
async def test_trap_echoes_are_acknowledged_and_not_captured(
    slack: Slack, atom: str, store: Store, intake: SlackIntake, *, app_id_is_told: bool
) -> None:
    """With a name of its own, a copy's edit and deletion pass Bolt's own filter."""
    slack.world.settings.update({"slack.bot_message_has_app_id": app_id_is_told})
    client = await intake.clients.of("T01ACME")
    posted = await client.chat_postMessage(
        channel="C02FALCON", text="a copy", username="Carol (Teams)"
    )
    ts = str(posted["ts"])
    await client.chat_update(channel="C02FALCON", ts=ts, text="a better copy")
    await client.chat_delete(channel="C02FALCON", ts=ts)

    await eventually(lambda: len(slack.calls("deliver")) == 3)

    assert [entry["status"] for entry in slack.calls("deliver")] == [200] * 3
    assert store.events == []


async def test_bots_message_waits_until_we_know_who_we_are(
    slack: Slack, atom: str, store: Store
) -> None:
    """Taken for another bot's, an echo would be relayed for ever."""
    slack.fault("slack.auth.test", "503")
    await slack.act(action="bot_post", text="v2 is out")

    def answered() -> list[int]:
        return [entry["status"] for entry in slack.calls("deliver")]

    await eventually(lambda: answered() == [503, 200])
    assert len(store.events) == 1


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        (dict, "unsigned"),
        (lambda: signed(raw("message"), secret="another secret"), "signature"),
        (lambda: signed(raw("message")) | {"X-Slack-Signature": "v0=ü"}, "signature"),
        (
            lambda: signed(raw("message")) | {"X-Slack-Request-Timestamp": "now"},
            "signature",
        ),
        (lambda: signed(raw("message"), at=time.time() - 600), "stale"),
        (lambda: signed(raw("message"), at=time.time() + 600), "stale"),
    ],
)
async def test_trap_forged_requests_are_refused_and_never_crash_anything(
    session: ClientSession,
    atom: str,
    store: Store,
    headers: Callable[[], dict[str, str]],
    reason: str,
) -> None:
    before = refusals(reason)

    # Signed now: what was signed when tests were collected may be stale by now.
    status = await sent(session, atom, raw("message"), headers())

    assert status == 401
    assert refusals(reason) == before + 1
    assert store.events == []


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[1]",
        b'"text"',
        b"",
        b"\xff\xfe",
        b'{"event": ' + b"[" * 100_000,
        b'{"type": "event_callback", "authorizations": 5}',
        b'{"n": ' + b"9" * 5_000 + b"}",
    ],
)
async def test_malformed_bodies_are_refused(
    session: ClientSession, atom: str, store: Store, body: bytes
) -> None:
    status = await sent(session, atom, body, signed(body))

    assert status in {400, 401}
    assert store.events == []


async def test_huge_bodies_are_refused(
    session: ClientSession, atom: str, store: Store
) -> None:
    huge = recorded("message")
    huge["event"]["text"] = "x" * 5_000_000
    body = json.dumps(huge).encode()

    assert await sent(session, atom, body, signed(body)) == 413
    assert store.events == []


async def test_huge_bodies_of_unknown_length_are_refused(
    session: ClientSession, atom: str, store: Store
) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b"x" * 65_536

    async with session.post(f"{atom}/slack/events", data=endless()) as response:
        assert response.status == 413


async def test_body_that_never_ends_is_given_up(
    session: ClientSession, atom: str, intake: SlackIntake
) -> None:
    intake.read_within = 0.05
    given_up = asyncio.Event()

    async def halting() -> AsyncIterator[bytes]:
        yield b"{"
        await given_up.wait()

    async with session.post(f"{atom}/slack/events", data=halting()) as response:
        given_up.set()
        assert response.status == 408


async def test_store_that_hangs_is_given_up(
    slack: Slack, atom: str, store: Store, intake: SlackIntake
) -> None:
    intake.capture_within = 0.05
    store.open.clear()
    await slack.act(action="post", text="hello")
    await eventually(lambda: slack.calls("deliver"))

    store.open.set()
    await eventually(lambda: store.events)

    assert slack.calls("deliver")[0]["status"] == 503


async def test_unknown_events_are_captured_and_acknowledged(
    session: ClientSession, atom: str, store: Store
) -> None:
    body = raw("emoji_changed")

    assert await sent(session, atom, body, signed(body)) == 200
    assert [event.kind for event in store.events] == [EventKind.OTHER]
    assert store.events[0].raw == body


async def test_lone_surrogates_and_nul_are_captured_byte_for_byte(
    session: ClientSession, atom: str, store: Store
) -> None:
    body = raw("message_lone_surrogate_and_nul")

    assert await sent(session, atom, body, signed(body)) == 200
    assert store.events[0].raw == body


async def test_nothing_that_was_said_reaches_the_log(
    session: ClientSession,
    atom: str,
    store: Store,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    secret = "a very private sentence"
    body = json.dumps(recorded("message") | {"event": {"text": secret}}).encode()

    await sent(session, atom, body, signed(body, secret="wrong"))
    await sent(session, atom, body + b"}", signed(body + b"}"))
    store.down = True
    await sent(session, atom, body, signed(body))
    store.down = False
    await sent(session, atom, body, signed(body))

    said = caplog.text + "".join(capsys.readouterr())
    assert secret not in said
    assert "request refused" in said


async def test_reactions_and_members_are_captured(
    slack: Slack, atom: str, store: Store
) -> None:
    said = await slack.act(action="post", text="hello")
    await slack.act(action="react", ts=said["ts"], name="tada", user="U02BOB")
    await slack.act(action="leave", user="U02BOB")

    await eventually(lambda: store.of(EventKind.MEMBER_LEAVE))

    (reaction,) = store.of(EventKind.REACTION_ADD)
    assert (reaction.message, reaction.author.id) == (said["ts"], "U02BOB")


async def test_uninstalling_is_captured_and_told(
    slack: Slack, atom: str, store: Store, intake: SlackIntake
) -> None:
    gone: list[str] = []

    async def uninstalled(team: str) -> None:
        gone.append(team)

    intake.uninstalled = uninstalled
    await slack.act(action="uninstall")

    await eventually(lambda: len(gone) == 2)

    assert set(gone) == {"T01ACME"}
    assert len(store.of(EventKind.APP_UNINSTALL)) == 2
