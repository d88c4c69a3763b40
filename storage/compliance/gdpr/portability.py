"""What somebody gave, for them to carry on elsewhere (Art. 20), in a documented form."""

from typing import Any

from storage.compliance.gdpr.gathering import Gathered
from storage.compliance.gdpr.package import when
from storage.compliance.gdpr.subjects import Subject
from storage.log_reader import LogEntry

KIND = "atom-portability/v1"

_TEXT = {"type": "string"}
_COUNT = {"type": "integer", "minimum": 0}
_TIME = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"}


def _object(**properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": sorted(properties),
        "additionalProperties": False,
    }


SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "What a person gave, of what ATOM keeps",
    **_object(
        kind={"const": KIND},
        person={
            "type": "array",
            "minItems": 1,
            "items": _object(
                platform={"enum": ["slack", "teams"]}, account=_TEXT, id=_TEXT
            ),
        },
        messages={
            "type": "array",
            "items": _object(
                platform={"enum": ["slack", "teams"]},
                channel=_TEXT,
                id=_TEXT,
                thread=_TEXT,
                sent=_TIME,
                deleted={"type": "boolean"},
                revisions={
                    "type": "array",
                    "items": _object(at=_TIME, number=_COUNT, text=_TEXT),
                },
                files={
                    "type": "array",
                    "items": _object(name=_TEXT, type=_TEXT, size=_COUNT),
                },
            ),
        },
        reactions={
            "type": "array",
            "items": _object(
                platform={"enum": ["slack", "teams"]},
                channel=_TEXT,
                message=_TEXT,
                emoji=_TEXT,
                action={"enum": ["add", "remove"]},
                at=_TIME,
            ),
        },
    ),
}


def portable(subject: Subject, found: Gathered) -> dict[str, Any]:
    """
    Return what the person gave: messages in all revisions, files' names, reactions.

    What others said, and what ATOM or the company concluded, is not theirs to carry.
    """
    messages: dict[tuple[str, str, str], dict[str, Any]] = {}
    reactions = []
    for entry in found.mine:
        if entry.etype.startswith("message."):
            _revise(messages, entry)
        elif entry.etype.startswith("reaction."):
            reactions.append(_reaction(entry))
    return {
        "kind": KIND,
        "person": [
            {"platform": a.platform, "account": a.account, "id": a.id}
            for a in subject.accounts
        ],
        "messages": list(messages.values()),
        "reactions": reactions,
    }


def _revise(
    messages: dict[tuple[str, str, str], dict[str, Any]], entry: LogEntry
) -> None:
    row = entry.row
    key = (row["platform"], row["conv"], row["msg"])
    known = messages.setdefault(
        key,
        {
            "platform": row["platform"],
            "channel": f"{row['team']}/{row['conv']}",
            "id": row["msg"],
            "thread": row["thread"],
            "sent": when(row["src_us"]),
            "deleted": False,
            "revisions": [],
            "files": [],
        },
    )
    known["deleted"] = entry.etype == "message.delete"
    if entry.etype == "message.delete":
        return
    text = str(entry.body.get("text", ""))
    revision = {"at": when(row["src_us"]), "number": row["rev"], "text": text}
    known["revisions"].append(revision)
    files = [
        {"name": file["name"], "type": file["mime"], "size": file["size"]}
        for file in entry.body.get("files") or ()
    ]
    known["files"] = files or known["files"]


def _reaction(entry: LogEntry) -> dict[str, Any]:
    row, detail = entry.row, entry.body.get("detail") or {}
    added = entry.etype == "reaction.add"
    return {
        "platform": row["platform"],
        "channel": f"{row['team']}/{row['conv']}",
        "message": row["msg"],
        "emoji": str(detail.get("added") or detail.get("removed") or ""),
        "action": "add" if added else "remove",
        "at": when(row["src_us"]),
    }
