"""A CSV file of workers is read, and distrusted."""

import csv
import io
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import BadInput
from policy.directory.hr.csv_file import Layout, Parsed, parsed

_HEAD = "worker_id,name,department,manager_id,hire_date,last_day,time_zone\n"
_ANA = "7,Ana Smith,Finance,1,2024-03-01,,Europe/Berlin\n"
_BOB = "8,Bob Jones,Sales,7,2020-01-01,2026-12-31,America/New_York\n"


def read(text: str, **layout: object) -> Parsed:
    return parsed(text.encode(), Layout(**layout))  # type: ignore[arg-type]


def test_a_file_tells_of_workers() -> None:
    found = read(_HEAD + _ANA + _BOB)

    assert found.problems == ()
    ana, bob = found.workers
    assert (ana.id, ana.name, ana.hired) == ("7", "Ana Smith", date(2024, 3, 1))
    assert (ana.jobs[0].department, ana.jobs[0].manager) == ("Finance", "1")
    assert (bob.last_day, bob.zone.key) == (date(2026, 12, 31), "America/New_York")


def test_columns_go_by_the_headers_that_are_configured() -> None:
    found = read(
        "Pers.-Nr.;Abteilung;Eintritt;Freigabe\n7;Einkauf;01.03.2024;2\n",
        headers={"id": "Pers.-Nr.", "department": "Abteilung", "hired": "Eintritt"},
        attributes={"clearance": "Freigabe"},
        dates="%d.%m.%Y",
    )

    [one] = found.workers
    assert one.jobs[0].department == "Einkauf"
    assert one.hired == date(2024, 3, 1)
    assert one.attributes == {"clearance": "2"}


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le"])
def test_marks_at_the_beginning_tell_the_encoding(encoding: str) -> None:
    text = _HEAD + _ANA.replace("Smith", "Müller")
    mark = "\ufeff" if encoding == "utf-16-le" else ""

    found = parsed((mark + text).encode(encoding), Layout())

    assert found.workers[0].name == "Ana Müller"


def test_another_encoding_has_to_be_declared() -> None:
    content = (_HEAD + _ANA.replace("Smith", "Müller")).encode("cp1252")

    assert parsed(content, Layout(encoding="cp1252")).workers[0].name == "Ana Müller"
    with pytest.raises(BadInput, match="line 2 is not utf-8"):
        parsed(content, Layout())


def test_what_looks_like_a_formula_stays_text() -> None:
    found = read(_HEAD + _ANA.replace("Finance", "=HYPERLINK(A1)"))

    assert found.workers[0].jobs[0].department == "=HYPERLINK(A1)"


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("9,Eve,Sales,7,31.12.2024,,\n", "line 4: '31.12.2024' is no day"),
        ("9,Eve,Sales,7,,,Mars/Olympus\n", "line 4: 'Mars/Olympus' is no time zone"),
        (",Eve,Sales,7,,,\n", "line 4: there is no worker's id"),
        ("9,Eve\n", "line 4: 2 cells where the header has 7"),
        ('9,"Eve,Sales,7,,,\n', "line 4: the quotes do not match"),
        ("7,Ana Smith,Legal,1,2025-03-01,,Europe/Berlin\n", "is otherwise in line 2"),
    ],
)
def test_a_bad_line_is_named_and_the_others_count(line: str, problem: str) -> None:
    found = read(_HEAD + _ANA + _BOB + line)

    assert [one.id for one in found.workers] == ["7", "8"]
    assert len(found.problems) == 1
    assert problem in found.problems[0]


def test_the_same_line_twice_is_one_worker() -> None:
    found = read(_HEAD + _ANA + _ANA)

    assert found.problems == ()
    assert [len(one.jobs) for one in found.workers] == [1]


def test_several_lines_of_one_worker_are_several_jobs() -> None:
    text = (
        "worker_id,name,department,primary\n"
        "7,Ana,School,\n7,Ana,Surgery,yes\n8,Bob,Sales,\n"
    )

    found = read(text)

    assert found.problems == ()
    jobs = {
        one.id: [(j.department, j.primary) for j in one.jobs] for one in found.workers
    }
    assert jobs == {
        "7": [("School", False), ("Surgery", True)],
        "8": [("Sales", False)],
    }


def test_two_first_jobs_are_a_problem() -> None:
    text = "worker_id,department,primary\n7,School,yes\n7,Surgery,yes\n"

    assert "two first jobs" in read(text).problems[0]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "the file is empty"),
        ("name,department\nAna,Finance\n", "no column 'worker_id'"),
        ("worker_id,name,name\n7,a,b\n", "'name' twice"),
        ("\x00\x00", "zero bytes"),
    ],
)
def test_a_file_of_which_nothing_can_be_made_is_refused(text: str, reason: str) -> None:
    with pytest.raises(BadInput, match=reason):
        read(text)


@pytest.mark.parametrize(
    ("end", "problem"),
    [
        ("TRAILER,2,,,,,\n", ""),
        ("TRAILER,2\n", ""),
        ("TRAILER,3\n", "there should be 3 lines, and are 2"),
        ("TRAILER,two\n", "does not say how many"),
        ("", "the last line does not begin with 'TRAILER'"),
        ("TRAILER,2\n" + _ANA, "there is more after the last line"),
    ],
)
def test_a_trailer_says_that_the_file_is_whole(end: str, problem: str) -> None:
    found = read(_HEAD + _ANA + _BOB + end, trailer="TRAILER")

    assert found.counted is not bool(problem)
    assert [problem in one for one in found.problems] == ([True] if problem else [])


def test_an_unknown_column_in_the_settings_is_refused() -> None:
    with pytest.raises(BadInput, match="no column 'salary'"):
        Layout(headers={"salary": "Gehalt"})


_cells = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12)


@given(
    rows=st.lists(st.tuples(_cells, _cells, _cells), max_size=8),
    delimiter=st.sampled_from(",;\t|"),
)
def test_whatever_stands_in_cells_comes_back_as_text(
    rows: list[tuple[str, str, str]], delimiter: str
) -> None:
    """Quotes, line ends, delimiters and formulas in cells change no other cell."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, quoting=csv.QUOTE_ALL)
    writer.writerow(["worker_id", "name", "department"])
    for number, row in enumerate(rows):
        writer.writerow([f"w{number}", *row[1:]])

    found = read(out.getvalue(), delimiter=delimiter)

    assert found.problems == ()
    assert found.rows == len(rows)
    for worker, (_, name, department) in zip(found.workers, rows, strict=True):
        assert worker.name == (_plain(name) or "")
        assert worker.jobs[0].department == _plain(department)


@given(content=st.binary(max_size=300))
def test_any_bytes_are_read_or_refused_in_one_line(content: bytes) -> None:
    try:
        found = parsed(b"worker_id,hire_date\n" + content, Layout())
    except BadInput as error:
        found, told = Parsed((), 0), [str(error)]
    else:
        told = list(found.problems)

    assert not any("\n" in one for one in told)
    assert len({one.id for one in found.workers}) == len(found.workers)


def _plain(cell: str) -> str:
    return "".join(c if c >= " " and c != "\x7f" else " " for c in cell).strip()
