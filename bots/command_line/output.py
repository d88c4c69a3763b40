"""How the command line prints: tables for people, JSON for programs."""

import json
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text


def print_json(data: Any) -> None:
    """Print one JSON value, for programs."""
    json.dump(data, sys.stdout, ensure_ascii=False, indent=2)
    sys.stdout.write("\n")


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print rows for people. Nothing in them is markup."""
    table = Table(*columns, box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for row in rows:
        table.add_row(*(Text(harmless(cell)) for cell in row))
    console().print(table)


def say(text: str) -> None:
    """Print a line for people. Nothing in it is markup."""
    console().print(Text(harmless(text)), soft_wrap=True)


def time_said(moment_us: int) -> str:
    """Return a time in UTC, to the second."""
    return datetime.fromtimestamp(moment_us // 1_000_000, UTC).strftime("%F %T")


def day_said(moment_us: int) -> str:
    """Return the day of a time in UTC."""
    return datetime.fromtimestamp(moment_us // 1_000_000, UTC).strftime("%F")


def console(*, stderr: bool = False) -> Console:
    return Console(stderr=stderr, highlight=False)


def harmless(text: str) -> str:
    """Return a text that cannot steer a terminal."""
    return "".join(c if c.isprintable() or c in "\n\t" else "�" for c in text)
