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
    text, now = json.dumps(body), str(int(time.time()))
    signature = SignatureVerifier(slack.SIGNING_SECRET).generate_signature(
        timestamp=now, body=text
    )
    headers = {
        "Content-Type": "application/json",
        "X-Slack-Request-Timestamp": now,
        "X-Slack-Signature": str(signature),
    }
    if number:
        headers |= {"X-Slack-Retry-Num": str(number)}
        headers |= {"X-Slack-Retry-Reason": "http_timeout"}
    url = f"{here.atom}/slack/events"
    async with here.session.post(url, data=text, headers=headers) as answer:
        return answer.status
