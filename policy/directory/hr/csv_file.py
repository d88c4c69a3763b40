"""
Read workers out of a CSV file, as HR departments export them.

A file is distrusted in every way that files went wrong: cut off in the middle, of the
wrong day, with another encoding, with columns renamed. Whatever is doubtful is told with
its line, and then nobody counts as gone. Cells are text: what looks like a formula stays
what it is and is never computed.
"""

import csv
import hashlib
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Protocol

from bridge.errors import BadInput
from policy.directory.hr.workers import Job, Worker, day, yes, zone

# Columns by ATOM's names, and the headers that they go by unless it is said otherwise.
HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "id": "worker_id",
        "person": "person_id",
        "name": "name",
        "given_name": "first_name",
        "family_name": "last_name",
        "mail": "email",
        "phone": "phone",
        "title": "title",
        "department": "department",
        "manager": "manager_id",
        "hired": "hire_date",
        "last_day": "last_day",
        "involuntary": "involuntary",
        "zone": "time_zone",
        "primary": "primary",
        "job_starts": "job_start",
        "job_ends": "job_end",
        "guest": "external",
    }
)
_ATTRIBUTES = ("given_name", "family_name", "mail", "phone")
_BYTE_ORDER_MARKS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_DELIMITERS = ",;\t|"
_LARGEST_CELL = 16_384  # characters


class _Reader(Protocol):
    """What `csv.reader` makes."""

    line_num: int

    def __next__(self) -> list[str]: ...

    def __iter__(self) -> Iterator[list[str]]: ...


@dataclass(frozen=True, slots=True)
class Layout:
    """
    How one company's file is laid out.

    `headers` are the headers of columns by ATOM's names, beside the usual ones;
    `attributes` further attributes with their headers. Without `encoding` the file is
    UTF-8, or what its first bytes say. `trailer` begins the last line, which then says
    how many lines there are before it. `zone` is of workers whose line names none.
    """

    headers: Mapping[str, str] = field(default_factory=dict)
    attributes: Mapping[str, str] = field(default_factory=dict)
    encoding: str = ""
    delimiter: str = ""
    dates: str = ""
    trailer: str = ""
    zone: str = "UTC"

    def __post_init__(self) -> None:
        if unknown := set(self.headers) - set(HEADERS):
            known = ", ".join(HEADERS)
            raise BadInput(
                f"there is no column {min(unknown)!r} to map: known are {known}"
            )
        zone(self.zone)

    def header(self, column: str) -> str:
        return self.headers.get(column, HEADERS[column])


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a file holds. `counted` is whether it says itself that it is whole."""

    workers: tuple[Worker, ...]
    rows: int
    problems: tuple[str, ...] = ()
    counted: bool = False


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    cells: Mapping[str, str]


def parsed(content: bytes, layout: Layout) -> Parsed:
    """
    Read a file. Raises `BadInput` for one of which nothing can be made.

    A line that cannot be understood is a problem with its number; the others count.
    """
    text = _text(content, layout.encoding)
    reader = _reader(text, layout)
    problems: list[str] = []
    rows: list[_Row] = []
    counted = False
    header = _header(reader, layout)
    for line, cells in _lines(reader, problems):
        if counted:
            problems.append(f"line {line}: there is more after the last line")
            break
        if layout.trailer and cells[0].strip() == layout.trailer:
            counted = True
            _check_trailer(cells, len(rows), line, problems)
        elif len(cells) != len(header):
            problems.append(
                f"line {line}: {len(cells)} cells where the header has {len(header)}"
            )
        else:
            rows.append(_Row(line, dict(zip(header, cells, strict=True))))
    if layout.trailer and not counted:
        problems.append(f"the last line does not begin with {layout.trailer!r}")
    workers = _workers(rows, layout, problems)
    return Parsed(tuple(workers), len(rows), tuple(problems), counted and not problems)


def checksum(content: bytes) -> str:
    """Return the SHA-256 of a file, as `sha256sum` writes it."""
    return hashlib.sha256(content).hexdigest()


def _text(content: bytes, declared: str) -> str:
    marked = [n for m, n in _BYTE_ORDER_MARKS if content.startswith(m)]
    encoding = marked[0] if marked else declared or "utf-8"
    try:
        return content.decode(encoding)
    except LookupError:
        raise BadInput(f"{declared!r} is no encoding that is known") from None
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise BadInput(
            f"line {line} is not {encoding}: say the file's encoding, such as cp1252"
        ) from None


def _reader(text: str, layout: Layout) -> _Reader:
    if "\x00" in text:
        raise BadInput("there are zero bytes in the file: is it UTF-16, or no text?")
    first = text.lstrip("\r\n").partition("\n")[0]
    delimiter = layout.delimiter or max(_DELIMITERS, key=first.count)
    lines = io.StringIO(text, newline="")
    # skipinitialspace would hide a cell that begins with a blank on purpose.
    return csv.reader(lines, delimiter=delimiter, strict=True)


def _header(reader: _Reader, layout: Layout) -> Sequence[str]:
    try:
        header = next((row for row in reader if any(c.strip() for c in row)), None)
    except csv.Error:
        raise BadInput("line 1: the header cannot be read") from None
    if header is None:
        raise BadInput("the file is empty")
    names = [name.strip().casefold() for name in header]
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        raise BadInput(f"line 1: the header has {twice[0]!r} twice")
    wanted = [layout.header("id"), *layout.headers.values()]
    wanted += layout.attributes.values()
    missing = [one for one in wanted if one.strip().casefold() not in names]
    if missing:
        shown = ", ".join(name[:40] for name in names[:12])
        raise BadInput(f"line 1: there is no column {missing[0]!r} among {shown}")
    return names


def _lines(reader: _Reader, problems: list[str]) -> Iterator[tuple[int, Sequence[str]]]:
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            # What follows a quote that never ends cannot be told apart.
            problems.append(f"line {reader.line_num}: the quotes do not match")
            return
        if not any(cell.strip() for cell in cells):
            continue
        if any(len(cell) > _LARGEST_CELL for cell in cells):
            problems.append(f"line {reader.line_num}: a cell is too long")
            continue
        yield reader.line_num, cells


def _check_trailer(
    cells: Sequence[str], rows: int, line: int, problems: list[str]
) -> None:
    told = cells[1].strip() if len(cells) > 1 else ""
    if not (told.isascii() and told.isdecimal()):
        problems.append(f"line {line}: the last line does not say how many there are")
    elif int(told[:12]) != rows:
        problems.append(f"line {line}: there should be {told} lines, and are {rows}")


def _workers(
    rows: Sequence[_Row], layout: Layout, problems: list[str]
) -> Iterator[Worker]:
    """Several lines of one worker are several jobs; in all else they must agree."""
    found: dict[str, tuple[int, Worker]] = {}
    for row in rows:
        try:
            worker = _worker(row, layout)
        except BadInput as error:
            problems.append(f"line {row.line}: {error}")
            continue
        if worker.id not in found:
            found[worker.id] = (row.line, worker)
            continue
        line, first = found[worker.id]
        if replace(first, jobs=()) != replace(worker, jobs=()):
            problems.append(
                f"line {row.line}: worker {worker.id[:40]} is otherwise in line {line}"
            )
            continue
        jobs = tuple(dict.fromkeys((*first.jobs, *worker.jobs)))
        found[worker.id] = (line, replace(first, jobs=jobs))
    for line, worker in found.values():
        if sum(job.primary for job in worker.jobs) > 1:
            problems.append(f"line {line}: worker {worker.id[:40]} has two first jobs")
    return (worker for _, worker in found.values())


def _worker(row: _Row, layout: Layout) -> Worker:
    def cell(column: str) -> str:
        name = layout.header(column).strip().casefold()
        return _clean(row.cells.get(name, ""))

    identity = cell("id")
    if not identity:
        raise BadInput("there is no worker's id")
    attributes = {name: cell(name) for name in _ATTRIBUTES}
    for name, header in layout.attributes.items():
        attributes[name] = _clean(row.cells.get(header.strip().casefold(), ""))
    whole_name = f"{cell('given_name')} {cell('family_name')}".strip()
    job = Job(
        cell("title"),
        cell("department"),
        cell("manager"),
        yes(cell("primary")),
        day(cell("job_starts"), layout.dates),
        day(cell("job_ends"), layout.dates),
    )
    return Worker(
        identity,
        cell("name") or whole_name,
        zone(cell("zone") or layout.zone),
        person=cell("person"),
        hired=day(cell("hired"), layout.dates),
        last_day=day(cell("last_day"), layout.dates),
        involuntary=yes(cell("involuntary")),
        guest=yes(cell("guest")),
        jobs=(job,),
        attributes={name: value for name, value in attributes.items() if value},
    )


def _clean(cell: str) -> str:
    """Cut what surrounds a cell, and characters that are there to deceive terminals."""
    return "".join(c if c >= " " and c != "\x7f" else " " for c in cell).strip()
