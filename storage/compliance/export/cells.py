"""Rows as CSV (RFC 4180) of which no spreadsheet takes a cell for a formula."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from storage.compliance.export.text import guarded, utf8

_BATCH = 500


def table(rows: Iterable[Sequence[str]]) -> Iterator[bytes]:
    """Yield the rows, some hundreds at once."""
    left = iter(rows)
    while batch := [*islice(left, _BATCH)]:
        stream = io.StringIO(newline="")
        csv.writer(stream, lineterminator="\r\n").writerows(
            [guarded(cell.replace("\x00", "\ufffd")) for cell in row] for row in batch
        )
        yield utf8(stream.getvalue())
