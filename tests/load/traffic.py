"""What Slack would send: signed message events, each of them different."""

import hashlib
import hmac
import json
from collections.abc import Sequence
from typing import Any

WORKSPACE = "T01ACME"
SECRET = "sandbox-signing-secret-for-benchmarks"
CHANNELS = tuple(f"C{n:02}BENCH" for n in range(50))
PEOPLE = tuple(f"U{n:02}BENCH" for n in range(40))
MARK = "bench-"

_EPOCH = 1_700_000_000
_TALK = (
    "The deployment window moved to Thursday because the certificate of the staging "
    "load balancer ends on Wednesday night & nobody wants to renew it by hand"
)


def request(number: int, host: str, now: int, path: str = "/slack/events") -> bytes:
    """Return event `number` as it travels, signed at `now` (seconds since 1970)."""
    body = json.dumps(event(number), separators=(",", ":")).encode()
    base = b"v0:%d:%s" % (now, body)
    signature = hmac.digest(SECRET.encode(), base, hashlib.sha256).hex()
    head = (
        f"POST {path} HTTP/1.1\r\n"
        f"Host: {host}\r\n"
        "User-Agent: Slackbot 1.0 (+https://api.slack.com/robots)\r\n"
        "Accept: */*\r\n"
        "Accept-Encoding: gzip,deflate\r\n"
        "Content-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n"
        f"X-Slack-Request-Timestamp: {now}\r\n"
        f"X-Slack-Signature: v0={signature}\r\n"
        "\r\n"
    )
    return head.encode() + body


def event(number: int) -> dict[str, Any]:
    """Return a message of about 30 words: bold, a link, an emoji, a mention."""
    user = PEOPLE[number % len(PEOPLE)]
    ts = f"{_EPOCH + number // 1_000_000}.{number % 1_000_000:06}"
    return {
        "token": "verification",
        "team_id": WORKSPACE,
        "context_team_id": WORKSPACE,
        "context_enterprise_id": None,
        "api_app_id": "A01ATOM",
        "type": "event_callback",
        "event_id": f"Ev{number:010}",
        "event_time": _EPOCH,
        "is_ext_shared_channel": False,
        "event_context": f"4-{number:060}",
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": WORKSPACE,
                "user_id": "UATOM",
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
        "event": {
            "type": "message",
            "user": user,
            "team": WORKSPACE,
            "ts": ts,
            "event_ts": ts,
            "client_msg_id": f"6a1c0de5-0000-4000-8000-{number:012}",
            "channel": CHANNELS[number % len(CHANNELS)],
            "channel_type": "channel",
            **_said(number),
        },
    }


def _said(number: int) -> dict[str, Any]:
    turn = number % len(_TALK)
    words = f"{_TALK[turn:]} {_TALK[:turn]}"
    marked, other = f"{MARK}{number:010}", PEOPLE[(number + 7) % len(PEOPLE)]
    page = f"https://wiki.acme.example/runbooks/{number % 97}"
    escaped = words.replace("&", "&amp;")
    return {
        "text": f"{marked} {escaped} *today* <{page}|runbook> :tada: <@{other}>",
        "blocks": [
            {
                "type": "rich_text",
                "block_id": "b1",
                "elements": [
                    _section(
                        {"type": "text", "text": f"{marked} {words} "},
                        {"type": "text", "text": "today", "style": {"bold": True}},
                        {"type": "text", "text": " "},
                        {"type": "link", "url": page, "text": "runbook"},
                        {"type": "text", "text": " "},
                        {"type": "emoji", "name": "tada", "unicode": "1f389"},
                        {"type": "text", "text": " "},
                        {"type": "user", "user_id": other},
                    )
                ],
            }
        ],
    }


def _section(*elements: dict[str, Any]) -> dict[str, Any]:
    return {"type": "rich_text_section", "elements": elements}


def requests(numbers: Sequence[int], host: str, now: int) -> list[bytes]:
    return [request(number, host, now) for number in numbers]
