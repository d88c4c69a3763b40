"""Concordance's DAT and OPT, the Slack layout and ATOM's own, read by plain readers."""

import csv
import io
import json
from hashlib import sha256
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from storage.compliance.export import concordance, native, purview, slack_layout
from storage.compliance.export.concordance import FIELDS
from storage.compliance.export.documents import documents
from storage.compliance.export.model import Who
from tests.unit.storage.export.stage import (
    HEADING,
    PATH,
    Stage,
    contents,
    hostile,
    item,
    revision,
)


def table(stage: Stage) -> list[dict[str, str]]:
    data = contents(concordance.files(HEADING, stage))["dat/loadfile.dat"]
    assert data.startswith(b"\xef\xbb\xbf")
    text = io.StringIO(data[3:].decode(), newline="")
    return [*csv.DictReader(text, delimiter="\x14", quotechar="\xfe", strict=True)]


@given(st.lists(st.sampled_from("ABCDE"), min_size=1, max_size=8))
def test_a_document_goes_to_everybody_there_but_its_author(wrote: list[str]) -> None:
    who = {one: Who("slack", one, email=f"{one}@acme.example") for one in wrote}
    said = [item(revision(n, by=who[w]), msg=f"{n}") for n, w in enumerate(wrote)]

    told = [*documents(Stage(said))]

    assert [d.to.split("; ") for d in told] == [
        [who[w].email for w in sorted({*wrote} - {one})] or [""] for one in wrote
    ]


def days(stage: Stage) -> list[dict[str, Any]]:
    found = contents(slack_layout.files(HEADING, stage))
    return [
        told
        for path, data in found.items()
        if path.count("/") == 2
        for told in json.loads(data)
    ]


def test_the_dat_has_a_row_for_each_revision_and_file() -> None:
    rows = table(Stage())

    assert tuple(rows[0]) == FIELDS
    assert [r["DOCTYPE"] for r in rows[:5]] == [
        "Message create",
        "Message edit",
        "Message edit",
        "Message create",
        "Message delete",
    ]
    assert [r["DELETED"] for r in rows[:5]] == ["N", "N", "N", "N", "Y"]
    sent = (rows[0]["DATESENT"], rows[0]["TIMESENT"])
    assert sent == ("2030-03-17", "18:47:40+01:00")
    [family] = {
        (r["BEGATTACH"], r["ENDATTACH"])
        for r in rows
        if r["DOCTYPE"] == "File" and r["NATIVEPATH"]
    }
    assert int(family[1][4:]) == int(family[0][4:]) + 2
    copied = [r["ORIGINDOC"] for r in rows if r["ORIGINDOC"]]
    assert copied == ["ATOM00000003"]


def test_every_text_stands_in_full_beside_the_dat() -> None:
    found = contents(concordance.files(HEADING, Stage()))

    for row in table(Stage()):
        if row["TEXTPATH"]:
            data = found[f"dat/{row['TEXTPATH']}".replace("\\", "/")]
            assert sha256(data).hexdigest() == row["SHA256HASH"]


def test_the_opt_has_a_line_for_each_document() -> None:
    data = contents(concordance.files(HEADING, Stage()))["dat/loadfile.opt"]

    lines = [*csv.reader(io.StringIO(data.decode(), newline=""))]

    assert [line[0] for line in lines] == [r["BEGBATES"] for r in table(Stage())]
    assert {(len(line), line[1], line[3], line[6]) for line in lines} == {
        (7, "ATOM001", "Y", "1")
    }


@settings(max_examples=30)
@given(hostile, hostile, hostile)
def test_no_text_breaks_a_row(text: str, name: str, who: str) -> None:
    said = item(revision(1, text, by=Who("slack", who, who)), msg=who)
    stage = Stage([said], name=name)
    found = contents(concordance.files(HEADING, stage))
    data = found["dat/loadfile.dat"].decode()

    [row] = table(stage)

    assert data.count("\r\n") == 2
    assert len(data.split("\r\n")[1].split("\x14")) == len(FIELDS)
    assert not any(v.startswith(("=", "+", "-", "@")) for v in row.values())
    assert "\xae" not in row["SUBJECT"]  # which would be read as a newline
    assert "\x00" not in data
    fit = "".join("\ufffd" if 0xD800 <= ord(c) < 0xE000 else c for c in text)
    assert found["dat/text/ATOM00000001.txt"].decode() == fit


def test_the_slack_layout_has_the_events_of_edits_and_deletions() -> None:
    told = days(Stage())

    first = next(t for t in told if t["ts"] == "1900000000.000000")
    assert (first["text"], first["reply_count"]) == ("one", 1)
    assert first["reactions"] == [{"name": "👍", "users": ["U02BOB"], "count": 1}]
    changed = [t for t in told if t.get("subtype") == "message_changed"]
    assert changed[0]["previous_message"]["text"] == "one"
    assert changed[0]["message"]["text"] == "two"
    assert changed[0]["message"]["edited"]["user"] == "U02BOB"
    gone = [t for t in told if t.get("subtype") == "message_deleted"]
    assert gone[0]["deleted_ts"] == "1900000001.000000"
    assert gone[0]["previous_message"]["text"] == "regrettable"
    assert gone[0]["atom"]["by"] == "U02BOB"


def test_the_slack_layout_lists_places_and_people() -> None:
    found = contents(slack_layout.files(HEADING, Stage()))

    [channel] = json.loads(found["slack/channels.json"])
    users = {u["id"]: u for u in json.loads(found["slack/users.json"])}
    assert channel["name"] == "general"
    assert set(channel["members"]) == {"U01ALICE", "U02BOB", "B01", "29:carol"}
    assert users["U01ALICE"]["profile"]["email"] == "alice@acme.example"
    assert json.loads(found["slack/dms.json"]) == []
    assert json.loads(found["slack/atom.json"])["time_zone_of_days"] == "Europe/Berlin"


def test_the_native_form_says_everything_and_how_to_check_it() -> None:
    found = contents(native.files(HEADING, Stage()))

    lines = [json.loads(line) for line in found["native/slack-C1.jsonl"].splitlines()]
    assert [r["text"] for r in lines[0]["revisions"]] == ["one", "two", "three"]
    assert lines[0]["entries"][0]["nonce"] == "00" * 32
    assert lines[1]["deleted"] is True
    assert lines[3]["revisions"][0]["files"][1]["missing"] == "too large to be kept"
    assert lines[4]["revisions"][0]["withheld"] == "erased"
    assert (lines[5]["is_copy"], lines[5]["origin"]["seq"]) == (True, 3)
    said = lines[0]["said"]
    assert said["local"] == "2030-03-17T18:47:40.000000+01:00"
    [place] = json.loads(found["native/conversations.json"])["conversations"]
    assert place["stays"][1]["left"]["utc"] == "2030-03-17T18:36:40.000000Z"


@settings(max_examples=30)
@given(hostile, hostile)
def test_no_text_breaks_the_json(text: str, name: str) -> None:
    stage = Stage([item(revision(1, text))], name=name)
    fit = "".join("\ufffd" if 0xD800 <= ord(c) < 0xE000 else c for c in text)

    [line] = contents(native.files(HEADING, stage))[
        "native/slack-C1.jsonl"
    ].splitlines()
    [told] = days(stage)

    assert json.loads(line)["revisions"][0]["text"] == fit
    assert (
        told["text"].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
        == fit
    )


def purviewed(stage: Stage) -> tuple[list[dict[str, str]], dict[str, bytes]]:
    found = {**contents(purview.files(HEADING, stage))}
    text = io.StringIO(found.pop(purview.LOAD_FILE).decode(), newline="")
    return [*csv.DictReader(text, strict=True)], found


def test_purviews_load_file_names_every_transcript_and_its_family() -> None:
    rows, pages = purviewed(Stage())

    [transcript, attachment] = rows
    [(path, page)] = pages.items()
    assert tuple(transcript) == purview.COLUMNS
    assert f"purview/{transcript['Export_native_path']}" == path
    assert transcript["Native_SHA_256"] == sha256(page).hexdigest()
    assert int(transcript["Native_size"]) == len(page)
    assert attachment["Export_native_path"] == f"../{PATH}"
    assert attachment["Parent_ID"] == attachment["Family_ID"] == transcript["File_ID"]
    assert transcript["ATOM_Missing"] == "dog.txt: too large to be kept"
    assert transcript["ATOM_Messages"] == "7"
    entries = {int(seq) for seq in transcript["ATOM_Entries"].split()}
    assert entries == {*range(1, 15), 20, 21, 22} - {4}


def test_purviews_transcript_tells_all_that_became_of_a_message() -> None:
    _, pages = purviewed(Stage())

    told = b"".join(pages.values()).decode()
    for text in ("one", "two", "three", "regrettable", "(withheld: erased)", ":party:"):
        assert text in told


def test_purviews_files_say_which_entries_prove_them() -> None:
    [transcript, load_file] = [*purview.files(HEADING, Stage())]

    assert transcript.entries
    assert {seq for seq, _ in transcript.entries()} >= {1, 2, 3, 14, 22}
    assert load_file.entries is None


@given(text=hostile, name=hostile)
@settings(max_examples=60)
def test_nothing_that_is_said_breaks_purviews_files(text: str, name: str) -> None:
    said = item(revision(1, text, by=Who("slack", "U1", name)))
    rows, pages = purviewed(Stage([said], name=name))

    assert len(rows) == len(pages) == 1
    assert not any(cell.startswith(("=", "+", "-", "@")) for cell in rows[0].values())
    [page] = pages.values()
    assert page.decode().count("<pre>") == 1
    [path] = pages
    assert path.count("/") == 2
    assert ".." not in path.split("/")
