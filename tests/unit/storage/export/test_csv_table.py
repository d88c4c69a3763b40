"""The CSV export, read by Python's csv module, which is not what wrote its meaning."""

import csv
import io

import pytest
from hypothesis import example, given, settings

from storage.compliance.export import csv_table
from storage.compliance.export.csv_table import COLUMNS, OLD_COLUMNS, read
from storage.compliance.export.text import guarded, unguarded
from tests.unit.storage.export.stage import (
    HEADING,
    NASTY,
    Stage,
    contents,
    hostile,
    item,
    revision,
)

_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def rows(stage: Stage) -> list[dict[str, str]]:
    table = contents(csv_table.files(HEADING, stage))["csv/posts.csv"].decode()
    return [*csv.DictReader(io.StringIO(table, newline=""))]


def test_the_table_has_twenty_columns_in_every_row() -> None:
    table = contents(csv_table.files(HEADING, Stage()))["csv/posts.csv"].decode()

    widths = {len(row) for row in csv.reader(io.StringIO(table, newline=""))}

    assert widths == {20}
    assert table.split("\r\n")[0] == ",".join(COLUMNS)


def test_every_text_of_an_edited_message_is_there_and_points_to_the_next() -> None:
    told = [r for r in rows(Stage()) if r["Post Id"].startswith("1900000000.000000")]

    said = [
        (
            r["Post Id"][17:],
            r["Post Message"],
            r["Post Update Type"],
            r["Edited By Post Id"][17:],
        )
        for r in told[:3]
    ]
    assert said == [
        ("", "one", "EditedOriginalMsg", "~1"),
        ("~1", "two", "EditedNewMsg", ""),
        ("~2", "three", "EditedNewMsg", ""),
    ]


def test_a_deleted_message_is_there_with_what_it_said_and_who_deleted_it() -> None:
    [said, gone] = [r for r in rows(Stage()) if r["Post Id"] == "1900000001.000000"]

    assert (said["Post Message"], said["Post Update Type"]) == ("regrettable", "")
    assert gone["Post Message"] == "delete regrettable"
    assert (gone["Post Update Type"], gone["User Id"]) == ("Deleted", "U02BOB")
    assert int(gone["Post Update Time"]) > int(gone["Post Creation Time"])


def test_reactions_say_who_put_and_took_which() -> None:
    told = [r for r in rows(Stage()) if r["Post Message"].startswith("reaction")]

    assert [(r["Post Message"], r["User Id"]) for r in told] == [
        ("reaction added 👍", "U02BOB"),
        ("reaction added :party:", "U02BOB"),
        ("reaction removed :party:", "U02BOB"),
    ]


def test_files_that_are_there_taken_away_and_missing_are_told_apart() -> None:
    found = contents(csv_table.files(HEADING, Stage()))
    told = [r for r in rows(Stage()) if "attachment" in r["Post Type"]]

    kinds = {(r["Post Message"].rpartition("/")[2], r["Post Type"]) for r in told}
    assert ("F1-cat.png", "attachment") in kinds
    assert ("F1-cat.png", "deleted attachment") in kinds
    assert b"F2: too large to be kept" in found["csv/warning.txt"]


def test_who_came_and_left_is_there() -> None:
    kinds = [(r["Username"], r["Post Type"]) for r in rows(Stage())]

    assert ("Alice Wong", "enter") in kinds
    assert ("Bøb, the 'Builder'", "previously-joined") in kinds
    assert ("Bøb, the 'Builder'", "leave") in kinds


@settings(max_examples=30)
@given(hostile, hostile)
@example(NASTY[1], NASTY[0])
def test_no_cell_is_a_formula_and_every_text_comes_back(text: str, name: str) -> None:
    stage = Stage([item(revision(1, text))], name=name)
    table = contents(csv_table.files(HEADING, stage))["csv/posts.csv"].decode()

    cells = [c for row in csv.reader(io.StringIO(table, newline="")) for c in row]
    back = [r["Post Message"] for r in read(table) if r["Post Type"] == "message"]

    assert not any(cell.startswith(_STARTS) for cell in cells)
    fit = "".join("\ufffd" if 0xD800 <= ord(c) < 0xE000 else c for c in text)
    assert back == [fit.replace("\0", "\ufffd")]


@given(hostile)
def test_guarding_can_be_taken_back(text: str) -> None:
    assert unguarded(guarded(text)) == text


def test_the_old_width_is_read_with_its_ragged_attachments() -> None:
    full = ["1"] * 17 + [""]
    table = io.StringIO(newline="")
    csv.writer(table).writerows([OLD_COLUMNS, full, full[:17]])

    [first, second] = read(table.getvalue())

    assert first["Post Update Type"] == ""
    assert second["Previews Post Id"] == ""
    assert first["Post Creation Time"] == "1"


@pytest.mark.parametrize(
    "text", ["", "a,b\r\n1,2\r\n", ",".join(COLUMNS) + "\r\n1,2\r\n"]
)
def test_what_is_no_such_table_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"columns are others|fields"):
        [*read(text)]
