"""Payloads as Slack sends them, kept in files named by what they report."""

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "fixtures" / "slack"


def raw(name: str) -> bytes:
    return (FOLDER / f"{name}.json").read_bytes()


def recorded(name: str) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(raw(name))
    return body
