"""Bad input on every way into Slack's door: a status, a line, a count, nothing kept."""

import json
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

import pytest
from aiohttp import ClientSession
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from bridge.messages import EventKind
from tests.integration.slack.conftest import Slack, Store
from tests.integration.slack.test_intake import JSON, sent, signed
from tests.slack_recorded import raw, recorded

FORM = "application/x-www-form-urlencoded"
SECRET = "quarterly-secret"
TEAM = {"id": "T01ACME"}

Headers = Callable[[bytes], Mapping[str, str]]


def command(**changes: str) -> bytes:
    return urlencode(recorded("slash_command") | {"text": SECRET} | changes).encode()


def interaction(kind: str, **more: Any) -> bytes:
    said = {"type": kind, "team": TEAM, "user": {"id": "U01ALICE"}, "trigger_id": kind}
    return urlencode({"payload": json.dumps(said | more)}).encode()


def event(inner: Any) -> bytes:
    return json.dumps(recorded("message") | {"event": inner}).encode()


def as_form(body: bytes) -> dict[str, str]:
    return signed(body) | {"Content-Type": FORM}


def stale(body: bytes) -> dict[str, str]:
    return signed(body, at=time.time() - 301)


def forged(body: bytes) -> dict[str, str]:
    return signed(body, secret="somebody-elses") | {"Content-Type": FORM}


def counted(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, {"platform": "slack", **labels}) or 0.0


REFUSED: Mapping[str, tuple[bytes, Headers, int, str]] = {
    "unsigned command": (command(), lambda _: {"Content-Type": FORM}, 401, "unsigned"),
    "forged command": (command(), forged, 401, "signature"),
    "command of five minutes ago": (command(), stale, 401, "stale"),
    "huge command": (command(text=SECRET * 40_000), as_form, 413, "too large"),
    "payload that is no JSON": (b"payload=%7B" + SECRET.encode(), as_form, 400, ""),
    "payload that is no object": (b"payload=[1]", as_form, 400, ""),
    "nested payload": (b"payload=%7B%22a%22:" + b"[" * 9_000, as_form, 400, ""),
    "click on nothing": (interaction("block_actions", actions=[]), as_form, 400, ""),
    "form without a view": (interaction("view_submission"), as_form, 400, ""),
    "no event": (event(None), signed, 400, ""),
    "event that is a text": (event(f"type {SECRET}"), signed, 400, ""),
    "event that is a list": (event([SECRET]), signed, 400, ""),
    "event that is a number": (event(7), signed, 400, ""),
}


@pytest.mark.parametrize("what", REFUSED)
async def test_what_is_refused_is_one_line_and_one_count_and_not_kept(
    session: ClientSession,
    atom: str,
    store: Store,
    caplog: pytest.LogCaptureFixture,
    what: str,
) -> None:
    body, headers, status, reason = REFUSED[what]
    reason = reason or "malformed"
    before = counted("atom_refused_total", reason=reason)

    with capture_logs() as lines:
        answered = await sent(session, atom, body, dict(headers(body)))

    assert answered == status
    assert counted("atom_refused_total", reason=reason) == before + 1
    assert [(line["event"], line["reason"]) for line in lines] == [
        ("request refused", reason)
    ]
    assert SECRET not in f"{lines}{caplog.text}"
    assert store.events == []


UNLISTENED: Mapping[str, tuple[bytes, Headers]] = {
    "event": (raw("emoji_changed"), signed),
    "kind of body": (b'{"type": "universe_callback", "team_id": "T01ACME"}', signed),
    "command under another name": (command(command="/bridge", text="help"), as_form),
    "shortcut": (interaction("shortcut", callback_id="not-ours"), as_form),
    "menu": (interaction("block_suggestion", action_id="not-ours"), as_form),
    "form": (
        interaction("view_submission", view={"type": "modal", "callback_id": "x"}),
        as_form,
    ),
    "interaction": (interaction("galaxy_collapsed"), as_form),
}


@pytest.mark.parametrize("what", UNLISTENED)
async def test_trap_what_bolt_has_no_listener_for_is_not_404(
    session: ClientSession, atom: str, store: Store, what: str
) -> None:
    """Bolt answers 404 by itself, which Slack shows people as a failure."""
    body, headers = UNLISTENED[what]

    answered = await sent(session, atom, body, dict(headers(body)))

    assert answered == 200
    assert len(store.events) == 1


async def test_a_command_is_atoms_whatever_slack_calls_it(
    slack: Slack, atom: str, store: Store
) -> None:
    await slack.act(action="command", command="/bridge", args="status")

    (whisper,) = slack.whispers
    assert "You said status" in whisper["text"]


async def test_unknown_kinds_are_counted_and_the_first_of_each_is_a_line(
    session: ClientSession, atom: str, store: Store
) -> None:
    before = counted("atom_unknown_total")
    names = [f"kind_{time.monotonic_ns()}"] * 2 + [f"{SECRET} & co"]
    bodies = [
        event({"type": name, "event_ts": f"{n}.000100"}) for n, name in enumerate(names)
    ]
    bodies = [body.replace(b'"Ev', b'"Ev%d' % n) for n, body in enumerate(bodies)]

    with capture_logs() as lines:
        answered = [await sent(session, atom, b, signed(b)) for b in bodies]

    assert answered == [200, 200, 200]
    assert [one.kind for one in store.events] == [EventKind.OTHER] * 3
    assert counted("atom_unknown_total") == before + 3
    assert [line["kind"] for line in lines] == [names[0], "?"]


@pytest.mark.parametrize("body", [raw("message"), command()], ids=["event", "command"])
async def test_trap_a_failure_inside_is_500_and_one_line_without_its_words(
    session: ClientSession,
    atom: str,
    store: Store,
    caplog: pytest.LogCaptureFixture,
    body: bytes,
) -> None:
    """Bolt would log the error's text, which may quote what somebody said."""
    caplog.set_level(logging.DEBUG)
    store.failure = RuntimeError(SECRET)
    before = counted("atom_refused_total", reason="failed")
    headers = signed(body) if body.startswith(b"{") else as_form(body)

    with capture_logs() as lines:
        answered = await sent(session, atom, body, headers)

    assert answered == 500
    assert counted("atom_refused_total", reason="failed") == before + 1
    [line] = lines
    assert (line["reason"], line["error"]) == ("failed", "RuntimeError")
    assert SECRET not in f"{line}{caplog.text}"


async def test_half_characters_and_nul_in_commands_and_clicks_are_taken_without_them(
    session: ClientSession, atom: str, store: Store
) -> None:
    odd = "C02FALCON\0\ud83d"
    click = interaction(
        "block_actions",
        actions=[{"type": "button", "action_id": "atom:x", "value": "status \ud83d\0"}],
        channel={"id": odd},
        container={"message_ts": "1\0", "channel_id": odd},
    )
    typed = command(text="status \0", trigger_id="7\0") + b"&user_name=%ED%A0%BD"

    answered = [
        await sent(session, atom, click, as_form(click)),
        await sent(session, atom, typed, as_form(typed)),
    ]

    assert answered == [200, 200]
    clicked, asked = store.events
    assert dict(clicked.detail)["command"].strip("\ufffd ") == "status"
    assert dict(asked.detail)["command"] == "status"
    for one in store.events:
        told = (one.event_id, one.message, str(one.channel), one.author.name)
        assert "\0" not in "".join(told)
        assert "".join(told).encode()


async def test_the_json_of_a_refusal_tells_no_content(
    session: ClientSession, atom: str
) -> None:
    body = event(SECRET)

    async with session.post(
        f"{atom}/slack/events", data=body, headers=signed(body) | {"Content-Type": JSON}
    ) as answer:
        assert await answer.json() == {"error": "malformed"}
