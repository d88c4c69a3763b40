"""
What looking at a message costs, beside a bare `re` over the same lines.

    python -m tests.load.scanning [--rounds 5] [--lines 2000]

prints microseconds a message: what people write mostly (nothing is found), lines with
numbers in them, and lines with something to find. `bare re` is ten patterns of the
standard library without any arithmetic, as many a tool does it.
"""

import argparse
import random
import re
import time
from collections.abc import Callable, Sequence
from statistics import median

from rich.console import Console
from rich.table import Table

from bridge.document import Document, Paragraph, Text
from bridge.leaving.flat import flat, hidden
from bridge.leaving.rules import Where
from policy.dlp.rulebook import DEFAULT, prepared

_KEY = b"k" * 32
_WORDS = [
    "can",
    "somebody",
    "look",
    "at",
    "the",
    "deploy",
    "from",
    "yesterday",
    "it",
    "broke",
    "staging",
    "again",
    "and",
    "I",
    "think",
    "the",
    "config",
    "for",
    "the",
    "new",
    "region",
    "is",
    "wrong",
    "who",
    "is",
    "on",
    "call",
    "today",
    "thanks",
    "a",
    "lot",
    "see",
    "you",
    "at",
    "lunch",
    "the",
    "customer",
    "asked",
    "about",
    "the",
    "invoice",
    "please",
    "review",
    "my",
    "change",
    "when",
    "you",
    "have",
    "time",
    "it",
    "is",
    "not",
    "urgent",
    "but",
    "would",
    "be",
    "nice",
    "before",
    "the",
    "release",
    "on",
    "friday",
]
_BARE = [
    re.compile(pattern)
    for pattern in (
        r"\b(?:\d[ -]?){12,18}\d\b",
        r"\b[A-Z]{2}\d{2}(?:[ ]?[A-Z0-9]){11,30}\b",
        r"\b\d{3}-\d{2}-\d{4}\b",
        r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b",
        r"\beyJ[\w-]+\.[\w-]+\.[\w-]*",
        r"-----BEGIN [A-Z ]*PRIVATE KEY",
        r"\bgh[pousr]_[A-Za-z0-9]{36}\b",
        r"\bxox[abeoprs]-[\w-]+",
        r"[\w.+-]+@[\w-]+\.[\w.-]+",
        r"\+?\d[\d ().-]{7,}\d",
    )
]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--lines", type=int, default=2_000)
    options = parser.parse_args()
    rules = prepared(DEFAULT)
    where = Where("L1", "teams:t/c")

    def bare(line: str) -> None:
        for pattern in _BARE:
            pattern.findall(line)

    def scanned(line: str) -> None:
        rules.scanner.scan(line, _KEY)

    def whole(line: str) -> None:
        document = Document((Paragraph((Text(line),)),))
        found = rules.scanner.scan(flat(document).text, _KEY).findings
        label = rules.book.label(found, None)
        if found or label:
            spans = [(each.start, each.end) for each in found]
            hidden(document, spans)

    table = Table("microseconds a message, median", "bare re", "scan", "with layout")
    for name, lines in _corpora(options.lines).items():
        cells = [
            f"{_measured(work, lines, options.rounds):.1f}"
            for work in (bare, scanned, whole)
        ]
        table.add_row(f"{name} ({len(lines[0])} characters)", *cells)
    console = Console()
    console.print(table)
    console.print(f"{len(rules.scanner.detectors)} detectors, target {where.target}")


def _corpora(count: int) -> dict[str, Sequence[str]]:
    dice = random.Random(7)

    def line(words: int, *more: str) -> str:
        said = dice.choices(_WORDS, k=words)
        for each in more:
            said.insert(dice.randrange(len(said)), each)
        return " ".join(said)

    return {
        "chat": [line(16) for _ in range(count)],
        "chat, not ASCII": [line(16, "schön – 👍") for _ in range(count)],
        "times and numbers": [
            line(14, "14:30", f"{dice.randrange(10**6)}", "2026-11-28")
            for _ in range(count)
        ],
        "an address": [line(14, "ada@example.com") for _ in range(count)],
        "a card": [line(14, "card 4242 4242 4242 4242") for _ in range(count)],
        "long": [line(4_000) for _ in range(max(1, count // 200))],
    }


def _measured(work: Callable[[str], None], lines: Sequence[str], rounds: int) -> float:
    taken = []
    for _ in range(rounds):
        for text in lines:
            start = time.perf_counter()
            work(text)
            taken.append(time.perf_counter() - start)
    return median(taken) * 1_000_000


if __name__ == "__main__":
    main()
