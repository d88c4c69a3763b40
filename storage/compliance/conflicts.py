"""
Another content under an id that was used before.

Platforms send an event again until it is acknowledged, always the same one. When what
comes under a known id says something else, somebody is mistaken or lying: it is kept
beside the first, and goes no further.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

import orjson

from bridge.messages import Event
from storage.compliance.keys import ItemKey, SealBroken
from storage.compliance.sealing import open_body, open_raw
from storage.hot import HotStore, Row, Statement
from storage.rows import canonical_body, clean_text
from storage.writes import Entry, Origin, Write

PUSHED = "push"
_SAID = ("document", "author", "files", "detail")


async def original_of(store: HotStore, tenant: str, event: Event) -> Row | None:
    """Return the row that was captured under the event's own id, if one was."""
    rows = await store.fetch(
        Statement(
            "SELECT l.seq, l.leaf, l.eid, l.key_ref, l.ct, l.raw_ct FROM seen s "
            "JOIN log l ON l.tenant = s.tenant AND l.seq = s.seq "
            "WHERE s.tenant = :tenant AND s.key = :key",
            {"tenant": tenant, "key": clean_text(event.delivery_key)},
        )
    )
    return rows[0] if rows else None


def differs(
    event: Event, body: Mapping[str, object], original: Row, secret: bytes | None
) -> bool:
    """
    Say whether an event states something else than the entry under its id.

    What only carries it differently, such as another order of keys, is the same. An
    entry whose content or key, `secret`, is destroyed cannot be compared, and counts
    as the same.
    """
    _, _, eid, _, sealed, raw = original
    if secret is None:
        return False
    try:
        item = ItemKey.of(secret, eid)
        before = orjson.loads(open_body(item, bytes(sealed)))
        words = open_raw(item, bytes(raw)) if raw is not None else b""
    except SealBroken:
        return False
    if words == event.raw or _parsed(words) == _parsed(event.raw):
        return False
    said: Mapping[str, Any] = orjson.loads(canonical_body(body))
    return any(before.get(part) != said.get(part) for part in _SAID)


def conflict(tenant: str, event: Event, entry: Entry, original: Row) -> Write:
    """Return what keeps the second content, once however often it is sent."""
    digest = hashlib.sha256(event.raw).hexdigest()
    told = Entry(
        etype="conflict",
        platform=entry.platform,
        subject=entry.subject,
        src_us=entry.src_us,
        body=dict(entry.body) | {"reason": f"contradicts entry {original[0]}"},
        raw=entry.raw,
        team=entry.team,
        conv=entry.conv,
        thread=entry.thread,
        msg=entry.msg,
        version_us=entry.version_us,
        actor_kind=entry.actor_kind,
        via=entry.via,
        outcome="conflict",
        origin=Origin(original[0], bytes(original[1])),
    )
    key = clean_text(f"c:{event.delivery_key}:{digest[:32]}")
    return Write(tenant, keys=(key,), entry=told)


def _parsed(raw: bytes) -> object:
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        return raw
