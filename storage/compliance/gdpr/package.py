"""The package for somebody who asks what is kept about them (Art. 15)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import orjson

from storage.compliance.gdpr.decisions import Decisions, Others, Treatment
from storage.compliance.gdpr.gathering import Gathered
from storage.compliance.gdpr.subjects import Subject
from storage.log_reader import LogEntry

KIND = "atom-subject-access/v1"
_LOGIC = (
    "ATOM carries messages between linked channels of Slack and Microsoft Teams. For "
    "each message a policy decides by rule whether it is carried; the rules that "
    "decided on yours are listed with how often. No decision with legal or similarly "
    "significant effect is taken by it alone, and nobody is profiled."
)
_RIGHTS = (
    "You may ask for correction, erasure, restriction and portability, and object; and "
    "you may complain to a supervisory authority."
)


@dataclass(frozen=True, slots=True)
class Context:
    """What the company states beside what the log has: retention and purposes."""

    company: str
    retention: Sequence[str]
    purposes: Sequence[str]


def digest_of(kind: str, subject: Subject, decisions: Decisions) -> str:
    """Return what an approval is bound to: which package, of whom, what is decided."""
    told = f"{kind}\n{subject}\n{' '.join(subject.names)}\n".encode()
    return sha256(told + decisions.canonical).hexdigest()


def access_package(
    subject: Subject, found: Gathered, decisions: Decisions, context: Context
) -> dict[str, Any]:
    """Return the package; the same log and decisions give the same package."""
    others = Others(subject, found.names)
    withheld = [e.seq for e in found.about if decisions.on(e.seq) is Treatment.WITHHOLD]
    return {
        "kind": KIND,
        "company": context.company,
        "you": [str(account) for account in subject.accounts],
        "log": {"size": found.size, "root": found.root},
        "said_and_done": [_mine(entry, others) for entry in found.mine],
        "said_about_you": [
            _about(entry, others, decisions.on(entry.seq))
            for entry in found.about
            if decisions.on(entry.seq) is not Treatment.WITHHOLD
        ],
        "withheld": {
            "count": len(withheld),
            "why": sorted({decisions.chosen[seq][1] for seq in withheld}),
        },
        "erased": (
            "What was erased is not in here and cannot be read by anybody."
            if found.erased
            else ""
        ),
        "recipients": [
            {"channel": channel, "copies": count}
            for channel, count in sorted(found.recipients.items())
        ],
        "purposes": list(context.purposes),
        "retention": list(context.retention),
        "logic": {
            "text": _LOGIC,
            "decisions": [
                {"result": result, "rule": rule, "policy": policy, "times": times}
                for (result, rule, policy), times in sorted(found.decisions.items())
            ],
        },
        "rights": _RIGHTS,
        "counts": {
            "messages": len({_message(e) for e in found.mine if _is_message(e)}),
            "entries": len(found.mine),
            "about": len(found.about),
        },
    }


def packed(data: dict[str, Any]) -> bytes:
    return orjson.dumps(data, option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2)


def when(moment_us: int) -> str:
    return datetime.fromtimestamp(moment_us // 1_000_000, UTC).strftime("%FT%TZ")


def _mine(entry: LogEntry, others: Others) -> dict[str, Any]:
    row, detail = entry.row, entry.body.get("detail") or {}
    told: dict[str, Any] = {
        "seq": entry.seq,
        "at": when(row["src_us"]),
        "what": entry.etype,
        "where": f"{row['platform']}:{row['team']}/{row['conv']}".rstrip("/"),
        "message": row["msg"],
        "revision": row["rev"],
        "text": others.text(entry),
        "files": [
            {"name": file["name"], "size": file["size"], "type": file["mime"]}
            for file in entry.body.get("files") or ()
        ],
    }
    reactions = [detail[k] for k in ("added", "removed") if detail.get(k)]
    return {**told, "reaction": reactions[0]} if reactions else told


def _about(entry: LogEntry, others: Others, treatment: Treatment) -> dict[str, Any]:
    row, shown = entry.row, treatment is Treatment.SHOW
    author = (entry.body.get("author") or {}).get("name") or ""
    return {
        "seq": entry.seq,
        "at": when(row["src_us"]),
        "where": f"{row['platform']}:{row['team']}/{row['conv']}",
        "by": str(author) if shown else others.author(entry),
        "text": str(entry.body.get("text", "")) if shown else others.text(entry),
    }


def _is_message(entry: LogEntry) -> bool:
    return entry.etype.startswith("message.")


def _message(entry: LogEntry) -> tuple[str, str, str]:
    return (entry.row["platform"], entry.row["conv"], entry.row["msg"])
