"""Tables of what was measured: for the terminal, and as text to keep."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rich.table import Table

from tests.load.rows import RATES, STEAL_LIMIT, Row, Spread

COLUMNS = ("", "ATOM", "bare slack-bolt", "bare aiohttp", "ATOM : bolt", "steal %")


@dataclass(slots=True)
class Results:
    """Rows by rate, and the largest rate, of one server; medians of all runs."""

    rows: dict[float, Row] = field(default_factory=dict)
    largest: float = 0.0
    at_largest: Row | None = None


@dataclass(frozen=True, slots=True)
class Compared:
    """ATOM on one database beside the bare servers."""

    title: str
    atom: Results
    bolt: Results
    aiohttp: Results

    def lines(self) -> list[tuple[str, ...]]:
        """Return the table's lines, a text for each of `COLUMNS`."""
        sides = (self.atom, self.bolt, self.aiohttp)
        rates = sorted(set(self.bolt.rows) & set(self.atom.rows))
        answers = [self._answer(rate) for rate in rates]
        largest = (
            "largest sustained rate, events/s",
            *(_largest(side.largest) for side in sides),
            _ratio(self.atom.largest, self.bolt.largest),
            _steals([side.at_largest for side in sides]),
        )
        return [*answers, largest, *self._calls()]

    def _answer(self, rate: float) -> tuple[str, ...]:
        rows = [side.rows[rate] for side in (self.atom, self.bolt, self.aiohttp)]
        return (
            f"answer at {rate:,.0f}/s: p50 / p95 / p99 ms",
            *(_spread(row.answer) for row in rows),
            _ratio(rows[0].answer.p95, rows[1].answer.p95),
            _steals(rows),
        )

    def _calls(self) -> list[tuple[str, ...]]:
        return [
            (
                f"event to Teams' call at {rate:,.0f}/s: p50 / p95 ms, copied",
                f"{_ms(row.call.p50)} / {_ms(row.call.p95)}, {row.copied:.0%}",
                "",
                "",
                "",
                _steals([row]),
            )
            for rate, row in sorted(self.atom.rows.items())
        ]


def for_terminal(compared: Compared) -> Table:
    table = Table(title=compared.title, title_justify="left")
    for n, name in enumerate(COLUMNS):
        table.add_column(name, justify="right" if n else "left")
    for line in compared.lines():
        table.add_row(*line)
    return table


def table(figures: Mapping[str, float]) -> str:
    """Return named figures as Markdown."""
    lines = [("", ""), *((name, _figure(value)) for name, value in figures.items())]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    text = [_line(line, widths) for line in lines]
    text.insert(1, _line(["-" * widths[0], "-" * (widths[1] - 1) + ":"], widths))
    return "\n".join(text)


def as_text(head: Sequence[str], tables: Sequence[Compared]) -> str:
    """Return everything as Markdown."""
    parts = ["\n".join(f"- {line}" for line in head)]
    for compared in tables:
        lines = [COLUMNS, *compared.lines()]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        text = [_line(line, widths) for line in lines]
        rule = ["-" * width for width in widths]
        rule[1:] = [f"{dashes[1:]}:" for dashes in rule[1:]]
        text.insert(1, _line(rule, widths))
        parts.append("\n".join([f"**{compared.title}**", "", *text]))
    return "\n\n".join(parts)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *rest = zip(cells, widths, strict=True)
    padded = [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in rest)]
    return f"| {' | '.join(padded)} |"


def _spread(spread: Spread) -> str:
    return f"{_ms(spread.p50)} / {_ms(spread.p95)} / {_ms(spread.p99)}"


def _ms(milliseconds: float) -> str:
    if math.isinf(milliseconds):
        return "never"
    return f"{milliseconds:,.1f}" if milliseconds < 100 else f"{milliseconds:,.0f}"


def _figure(value: float) -> str:
    if math.isinf(value):
        return "never"
    return f"{value:,.2f}" if value < 10 else f"{value:,.1f}"


def _largest(rate: float) -> str:
    return f"{rate:,.0f}" + " or more" * (rate >= RATES[-1])


def _ratio(ours: float, theirs: float) -> str:
    if not theirs or math.isinf(ours) or math.isinf(theirs):
        return "-"
    return f"{ours / theirs:.2f}"


def _steals(rows: Sequence[Row | None]) -> str:
    return " / ".join(_steal(row.steal) if row else "-" for row in rows)


def _steal(percent: float) -> str:
    return f"{percent:.1f}" + "!" * (percent > STEAL_LIMIT)
