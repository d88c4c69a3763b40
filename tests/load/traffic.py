"""What Slack would send: signed message events, each of them different."""

import hashlib
import hmac
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

WORKSPACE = "T01ACME"
SECRET = "sandbox-signing-secret-for-benchmarks"
CHANNELS = tuple(f"C{n:02}BENCH" for n in range(50))
PEOPLE = tuple(f"U{n:02}BENCH" for n in range(40))
MARK = "bench-"
_LETTERS = str.maketrans("0123456789", "abcdefghij")

_TALK = (
    "The deployment window moved to Thursday because the certificate of the staging "
    "load balancer ends on Wednesday night & nobody wants to renew it by hand"
)


class Kind(StrEnum):
    """What an event says."""

    POST = "post"
    REPLY = "reply"
    EDIT = "edit"
    DELETE = "delete"
    REACTION = "reaction"


@dataclass(frozen=True, slots=True)
class Mix:
    """
    In how many channels people talk, and what else they do than post.

    The shares are of a hundred events. What is not a post is about one that was made
    in the same channel before, number `first` being the first. Number 0 is said at
    `zero_us`, and every `step_us` the next one.
    """

    first: int = 0
    zero_us: int = 1_700_000_000_000_000
    step_us: int = 1
    channels: int = len(CHANNELS)
    replies: int = 0
    edits: int = 0
    deletes: int = 0
    reactions: int = 0

    def beginning(self, number: int, now_us: int, rate: float) -> "Mix":
        """Return the same, from `number` on said now: old news would be told of."""
        step = int(1_000_000 / rate)
        return replace(self, zero_us=now_us - number * step, step_us=step)

    def ts(self, number: int) -> str:
        """Return when event `number` happens, as Slack writes it."""
        seconds, micros = divmod(self.zero_us + number * self.step_us, 1_000_000)
        return f"{seconds}.{micros:06}"

    def channel(self, number: int) -> str:
        return channel(number % self.channels)

    def kind(self, number: int) -> Kind:
        kind = self._wanted(number)
        return kind if kind is Kind.POST or self.about(number) else Kind.POST

    def about(self, number: int) -> int:
        """Return the post that an event is about, 0 if there is none before it."""
        for earlier in range(number - self.channels, self.first - 1, -self.channels):
            if self._wanted(earlier) is Kind.POST:
                return earlier
        return 0

    def _wanted(self, number: int) -> Kind:
        # A checksum, since every process has to come to the same conclusion.
        left = zlib.crc32(b"%d" % number) % 100
        shares = {
            Kind.REPLY: self.replies,
            Kind.EDIT: self.edits,
            Kind.DELETE: self.deletes,
            Kind.REACTION: self.reactions,
        }
        for kind, share in shares.items():
            if left < share:
                return kind
            left -= share
        return Kind.POST


PLAIN = Mix()


def channel(n: int) -> str:
    return f"C{n:02}BENCH"


def request(number: int, host: str, now: int, mix: Mix = PLAIN) -> bytes:
    """Return event `number` as it travels, signed at `now` (seconds since 1970)."""
    body = json.dumps(event(number, mix), separators=(",", ":")).encode()
    base = b"v0:%d:%s" % (now, body)
    signature = hmac.digest(SECRET.encode(), base, hashlib.sha256).hex()
    head = (
        "POST /slack/events HTTP/1.1\r\n"
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


def event(number: int, mix: Mix = PLAIN) -> dict[str, Any]:
    """Return what Slack sends for event `number`."""
    return {
        "token": "verification",
        "team_id": WORKSPACE,
        "context_team_id": WORKSPACE,
        "context_enterprise_id": None,
        "api_app_id": "A01ATOM",
        "type": "event_callback",
        "event_id": f"Ev{number:010}",
        "event_time": int(mix.ts(number).partition(".")[0]),
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
        "event": _happened(number, mix),
    }


def _happened(number: int, mix: Mix) -> dict[str, Any]:
    place, about = mix.channel(number), mix.about(number)
    at = {"channel": place, "event_ts": mix.ts(number)}
    match mix.kind(number):
        case Kind.REPLY:
            reply = {**_message(number, mix), "thread_ts": mix.ts(about)}
            return {**reply, **at, "channel_type": "channel"}
        case Kind.EDIT:
            edited = {"user": _author(about), "ts": mix.ts(number)}
            new = {**_message(about, mix), **_said(number), "edited": edited}
            old = _message(about, mix)
            more = {"message": new, "previous_message": old, "ts": mix.ts(number)}
            return {"type": "message", "subtype": "message_changed", **more, **at}
        case Kind.DELETE:
            gone = {
                "deleted_ts": mix.ts(about),
                "previous_message": _message(about, mix),
            }
            return {"type": "message", "subtype": "message_deleted", **gone, **at}
        case Kind.REACTION:
            item = {"type": "message", "channel": place, "ts": mix.ts(about)}
            who = {"user": _author(number), "item_user": _author(about)}
            return (
                {"type": "reaction_added", "reaction": "tada", "item": item}
                | who
                | {"event_ts": mix.ts(number)}
            )
        case _:
            return {**_message(number, mix), **at, "channel_type": "channel"}


def _message(number: int, mix: Mix) -> dict[str, Any]:
    """Return a message of about 30 words: bold, a link, an emoji, a mention."""
    return {
        "type": "message",
        "user": _author(number),
        "team": WORKSPACE,
        "ts": mix.ts(number),
        "client_msg_id": f"6a1c0de5-0000-4000-8000-{number:012}",
        **_said(number),
    }


def _author(number: int) -> str:
    return PEOPLE[number % len(PEOPLE)]


def mark_of(number: int) -> str:
    """Return a word that tells a message. In digits it would look like a telephone's."""
    return MARK + f"{number:010}".translate(_LETTERS)


def number_in(mark: bytes) -> int:
    """Return the number of a message from its ten letters."""
    return int(bytes(letter - 49 for letter in mark))


def _said(number: int) -> dict[str, Any]:
    turn = number % len(_TALK)
    words = f"{_TALK[turn:]} {_TALK[:turn]}"
    marked, other = mark_of(number), PEOPLE[(number + 7) % len(PEOPLE)]
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


def requests(
    numbers: Sequence[int], host: str, now: int, mix: Mix = PLAIN
) -> list[bytes]:
    return [request(number, host, now, mix) for number in numbers]
