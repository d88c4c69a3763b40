"""What Slack delivered, delivered once more by hand: when, how often and to whom one likes."""

import json
import time
from collections.abc import Mapping
from typing import Any

from slack_sdk.signature import SignatureVerifier

from bots.sandbox.slack import seed as slack
from tests.e2e.world import World


async def last_event(here: World, **wanted: str) -> Mapping[str, Any]:
    """Return the newest event whose fields are as wanted, as Slack would send it."""
    bodies = [
        entry["request"]["body"]
        for entry in await here.journal()
        if (entry["side"], entry["call"]) == ("slack", "deliver")
    ]
    fitting = [b for b in bodies if wanted.items() <= b["event"].items()]
    found: Mapping[str, Any] = fitting[-1]
    return found


async def resend(here: World, body: Mapping[str, Any], number: int = 0) -> int:
    """Send an event to a process, as Slack's nth repetition; returns the answer."""
    more: dict[str, str] = {}
    if number:
        more |= {"X-Slack-Retry-Num": str(number)}
        more |= {"X-Slack-Retry-Reason": "http_timeout"}
    return await signed(here, json.dumps(body), "application/json", **more)


async def signed(here: World, text: str, kind: str, **more: str) -> int:
    """Send a body to a process as Slack does; returns the answer's status."""
    now = str(int(time.time()))
    signature = SignatureVerifier(slack.SIGNING_SECRET).generate_signature(
        timestamp=now, body=text
    )
    headers = {
        "Content-Type": kind,
        "X-Slack-Request-Timestamp": now,
        "X-Slack-Signature": str(signature),
        **more,
    }
    url = f"{here.atom}/slack/events"
    async with here.session.post(url, data=text, headers=headers) as answer:
        return answer.status
