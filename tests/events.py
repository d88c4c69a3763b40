"""Ready-made channels and events."""

from typing import Any

from bridge.document import Document, Paragraph, Text
from bridge.messages import Channel, Event, EventKind, Person, Platform

FALCON = Channel(Platform.SLACK, "T01ACME", "C02FALCON")
PROJECT = Channel(Platform.TEAMS, "19:acme@thread.tacv2", "19:falcon@thread.tacv2")
ALICE = Person(Platform.SLACK, "U01ALICE", "Alice Wong")


def words(text: str) -> Document:
    return Document((Paragraph((Text(text),)),))


def message(ts: str = "1700000000.000100", text: str = "hello", **more: Any) -> Event:
    given: dict[str, Any] = {
        "platform": Platform.SLACK,
        "account": "T01ACME",
        "event_id": f"Ev{ts}{more.get('kind', '')}{more.get('version_us', '')}",
        "kind": EventKind.MESSAGE_CREATE,
        "channel": FALCON,
        "author": ALICE,
        "sent_us": 1_700_000_000_000_100,
        "raw": b'{"type":"message"}',
        "message": ts,
        "document": words(text),
    }
    return Event(**(given | more))
