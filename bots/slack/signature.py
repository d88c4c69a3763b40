"""
Sign what ATOM notes on its copies, so that no other app can write the same.

Any app may put any metadata on its messages, and guess how ATOM's is made. What is
signed with the company's key is ATOM's own, whichever bot of it posted.
"""

import hmac
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from bridge.messages import Channel

Payload = Mapping[str, Any]
Secret = Callable[[str], Awaitable[bytes]]

SIGNATURE = "sig"
_SIGNED = ("op", "src", "hops", "origin")
_LENGTH = 32  # of 64 hexadecimal digits: 128 bits


def signed(payload: Payload, channel: Channel, secret: bytes) -> dict[str, Any]:
    """Return the payload of a copy in a channel with its signature."""
    return {**payload, SIGNATURE: _signature(payload, channel, secret)}


def is_genuine(payload: Payload, channel: Channel, secret: bytes) -> bool:
    """Say whether the company's own ATOM wrote a payload for this channel."""
    given = payload.get(SIGNATURE)
    if not isinstance(given, str) or not given.isascii():
        return False
    return hmac.compare_digest(given, _signature(payload, channel, secret))


def _signature(payload: Payload, channel: Channel, secret: bytes) -> str:
    said = [str(channel), *(payload.get(name) for name in _SIGNED)]
    text = json.dumps(said, sort_keys=True)
    return hmac.digest(secret, text.encode(), "sha256").hex()[:_LENGTH]
