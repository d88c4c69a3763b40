"""
The records that cards are tried with: those that connectors read, as they were recorded.

`tests/contract/records/test_samples.py` says that connectors still read them so.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bridge.access import Action
from bridge.cards import Tone
from bridge.records.model import (
    Fact,
    Look,
    Needs,
    Offer,
    Record,
    RecordRef,
    Revision,
    Status,
)

READ_US = 1_793_392_860_000_000  # 2026-10-30 20:41 UTC
NAMES = (
    "account",
    "contact",
    "opportunity",
    "case",
    "incident",
    "change",
    "item",
    "request",
    "article",
    "issue",
    "secured_issue",
    "deal",
    "hubspot_contact",
    "company",
    "ticket",
    "employee",
    "leaver",
)
FOLDER = Path(__file__).parent / "fixtures" / "records"


def recorded(name: str) -> Record:
    """Return a record as it was recorded."""
    told = json.loads((FOLDER / "read" / f"{name}.json").read_text())
    return _record(told)


def record_anew(name: str, record: Record) -> None:
    """Write a record down, as `recorded` reads it."""
    told = {**asdict(record), "ref": str(record.ref)}
    text = json.dumps(told, indent=1, ensure_ascii=False)
    (FOLDER / "read" / f"{name}.json").write_text(f"{text}\n")


def _record(told: Mapping[str, Any]) -> Record:
    body, status, rev = told["body"], told["status"], told["rev"]
    return Record(
        **{
            **told,
            "ref": RecordRef.parse(told["ref"]),
            "status": Status(status["text"], Tone(status["tone"])),
            "rev": Revision(rev["order"], rev["text"]),
            "facts": tuple(Fact(**each) for each in told["facts"]),
            "body": Fact(**body) if body else None,
            "offers": tuple(map(_offer, told["offers"])),
        }
    )


def _offer(told: Mapping[str, Any]) -> Offer:
    enums = {
        "right": Action(told["right"]),
        "look": Look(told["look"]),
        "needs": Needs(told["needs"]),
    }
    return Offer(**{**told, **enums})
