"""Who is in a large conversation stands once in a list, and every document leads there."""

import csv
import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from storage.compliance.export import concordance, edrm, purview, rsmf
from storage.compliance.export.model import (
    Conversation,
    Heading,
    Item,
    Stay,
    Who,
    Written,
)
from storage.compliance.export.participants import COLUMNS, MOST_NAMED
from storage.compliance.export.text import unguarded
from tests.unit.storage.export.stage import (
    ALICE,
    AT,
    BOB,
    HEADING,
    MINUTE,
    Stage,
    contents,
    hostile,
    item,
    revision,
)

SILENT = MOST_NAMED - 4  # beside the four of the story
LONG_AGO = AT - 9000 * MINUTE
Files = Mapping[str, bytes]


@dataclass(frozen=True)
class Told:
    """What a document says: to whom, and where the list of all of them is."""

    to: str
    listed: str


def crowd(size: int) -> list[Stay]:
    """People who came long before anything was said."""
    return [
        Stay(Who("slack", f"U{n:05}", f"Person {n}", f"p{n}@acme.example"), LONG_AGO)
        for n in range(100, 100 + size)
    ]


def large(**more: object) -> Stage:
    return Stage(more=crowd(200), **more)  # type: ignore[arg-type]


def edrm_told(found: Files) -> list[Told]:
    root = etree.fromstring(found["edrm/edrm.xml"])
    tags = [
        {str(t.get("TagName")): str(t.get("TagValue")) for t in d.iter("Tag")}
        for d in root.iterfind("Batch/Documents/Document")
    ]
    return [Told(t.get("#To", ""), t.get("#ATOMParticipants", "")) for t in tags]


def dat_told(found: Files) -> list[Told]:
    text = io.StringIO(found["dat/loadfile.dat"].decode("utf-8-sig"), newline="")
    rows = csv.DictReader(text, delimiter="\x14", quotechar="\xfe", strict=True)
    return [Told(r["TO"], r["PARTICIPANTSPATH"].replace("\\", "/")) for r in rows]


def purview_told(found: Files) -> list[Told]:
    text = io.StringIO(found[purview.LOAD_FILE].decode(), newline="")
    rows = csv.DictReader(text, strict=True)
    return [Told(r["Participants"], r["ATOM_Participants"]) for r in rows]


def rsmf_told(found: Files) -> list[Told]:
    told = []
    for manifest in manifests(found):
        [place] = manifest["conversations"]
        custom = {c["name"]: c["value"] for c in place["custom"]}
        told.append(Told(custom.get("Participants", ""), custom.get("List", "")))
    return told


def manifests(found: Files) -> Iterator[dict[str, Any]]:
    for path, data in found.items():
        if path.endswith(".rsmf"):
            message = message_from_bytes(data, policy=policy.default)
            assert isinstance(message, EmailMessage)
            [attachment] = message.iter_attachments()
            assert isinstance(attachment, EmailMessage)
            with zipfile.ZipFile(io.BytesIO(attachment.get_content())) as archive:
                yield json.loads(archive.read("rsmf_manifest.json"))


Format = tuple[
    str, Callable[[Heading, Stage], Iterator[Written]], Callable[[Files], list[Told]]
]
FORMATS: Sequence[Format] = (
    ("edrm", edrm.files, edrm_told),
    ("dat", concordance.files, dat_told),
    ("purview", purview.files, purview_told),
    ("rsmf", rsmf.files, rsmf_told),
)
each_format = pytest.mark.parametrize(
    ("folder", "files", "told"), FORMATS, ids=[name for name, *_ in FORMATS]
)


def rows(data: bytes) -> list[dict[str, str]]:
    text = io.StringIO(data.decode(), newline="")
    found = csv.DictReader(text, strict=True)
    return [{k: unguarded(v) for k, v in row.items()} for row in found]


@each_format
def test_from_every_document_everybody_is_found(
    folder: str,
    files: Callable[..., Iterator[Written]],
    told: Callable[..., list[Told]],
) -> None:
    stage = large()
    found = contents(files(HEADING, stage))
    [place] = stage.conversations()

    documents = told(found)

    assert documents
    for document in documents:
        listed = rows(found[f"{folder}/{document.listed}"])
        people = {(r["Platform"], r["ID"], r["Address"]) for r in listed}
        assert people == {(w.platform, w.id, w.address) for w in place.people}
        assert re.findall(r"\d+", document.to) == [str(len(people))]


@each_format
def test_up_to_fifty_everybody_is_named_and_there_is_no_list(
    folder: str,
    files: Callable[..., Iterator[Written]],
    told: Callable[..., list[Told]],
) -> None:
    few, many = (
        contents(files(HEADING, Stage(more=crowd(n)))) for n in (SILENT, SILENT + 1)
    )

    assert {t.listed for t in told(few)} == {""}
    assert {t.listed for t in told(many)} == {"participants/slack-C1.csv"}
    assert {*many} - {*few} == {f"{folder}/participants/slack-C1.csv"}


def test_documents_of_few_name_all_others() -> None:
    people = crowd(SILENT)
    found = contents(edrm.files(HEADING, Stage(more=people)))

    first = edrm_told(found)[0]

    named = {*first.to.split("; ")}
    assert {stay.who.address for stay in people} | {BOB.address} <= named
    assert ALICE.address not in named
    assert len(named) == MOST_NAMED - 1


@each_format
def test_documents_do_not_grow_with_the_people(
    folder: str,
    files: Callable[..., Iterator[Written]],
    told: Callable[..., list[Told]],
) -> None:
    def weight(people: int) -> tuple[int, int]:
        found = contents(files(HEADING, Stage(more=crowd(people))))
        listed = found[f"{folder}/participants/slack-C1.csv"]
        # RSMF's mails are base64 in lines: a digit more may be a few characters.
        return sum(map(len, found.values())) - len(listed), len(told(found))

    (before, documents), (after, _) = weight(100), weight(5000)

    assert after - before < 10 * documents


def test_a_list_says_when_somebody_came_and_went() -> None:
    who = Who("slack", "U9", "Nine")
    stays = [
        *crowd(SILENT),
        Stay(who, AT, AT + MINUTE),
        Stay(who, AT + 2 * MINUTE),
    ]
    found = contents(edrm.files(HEADING, Stage(more=stays)))

    listed = rows(found["edrm/participants/slack-C1.csv"])

    assert tuple(listed[0]) == COLUMNS
    mine = [r for r in listed if r["ID"] == "U9"]
    assert [(r["Joined_UTC"], r["Left_UTC"]) for r in mine] == [
        ("2030-03-17T17:46:40.000000Z", "2030-03-17T17:47:40.000000Z"),
        ("2030-03-17T17:48:40.000000Z", ""),
    ]
    assert mine[0]["Joined_local"] == "2030-03-17T18:46:40.000000+01:00"
    [robot] = [r for r in listed if r["ID"] == "B01"]
    assert (robot["Kind"], robot["Joined_UTC"], robot["Left_UTC"]) == ("bot", "", "")


def test_a_day_of_rsmf_names_all_who_did_something() -> None:
    late = Stay(Who("slack", "U9", "Nine"), AT + 3 * MINUTE)
    found = contents(rsmf.files(HEADING, Stage(more=[*crowd(200), late])))

    [manifest] = manifests(found)

    people = {p["id"] for p in manifest["participants"]}
    assert {e["participant"] for e in manifest["events"]} <= people
    assert people == {
        *("slack:U01ALICE", "slack:U02BOB", "slack:B01", "slack:U9"),
        "teams:29:carol",
    }


@dataclass
class Several:
    """Implements `Source` for conversations that differ in their ids alone."""

    stages: Sequence[Stage]

    def conversations(self) -> Sequence[Conversation]:
        return [place for stage in self.stages for place in stage.conversations()]

    def items(self, place: Conversation) -> Iterator[Item]:
        [stage] = [s for s in self.stages if s.id == place.id]
        yield from stage.items(place)


def test_ids_that_differ_in_case_have_lists_of_their_own_the_same_in_all() -> None:
    source = Several([large(id="C1"), Stage(id="C2"), large(id="c1")])

    for files, told in ((edrm.files, edrm_told), (concordance.files, dat_told)):
        found = contents(files(HEADING, source))  # type: ignore[arg-type]

        paths = [*dict.fromkeys(t.listed for t in told(found))]
        assert paths == [
            "participants/slack-C1.csv",
            "",
            "participants/slack-c1 (2).csv",
        ]
        for path, id_ in ((paths[0], "C1"), (paths[2], "c1")):
            [folder] = {name.partition("/")[0] for name in found}
            listed = rows(found[f"{folder}/{path}"])
            assert {r["Conversation"] for r in listed} == {id_}


@settings(max_examples=30)
@given(hostile, hostile, hostile, st.sampled_from(FORMATS))
def test_no_name_breaks_a_list_or_leads_out_of_it(
    id_: str, name: str, who: str, form: Format
) -> None:
    folder, files, told = form
    odd = Who("slack", who, name, who)
    said = item(revision(1, "hello", by=odd))
    stage = Stage([said], name=name, id=id_, more=crowd(60))

    found = contents(files(HEADING, stage))
    [path] = {t.listed for t in told(found)}
    data = found[f"{folder}/{path}"].decode()
    plain = [*csv.reader(io.StringIO(data, newline=""), strict=True)]

    assert re.fullmatch(r"participants/[^/\\]+", path)
    assert not path.endswith(("/.", "/.."))
    assert path.isascii()
    assert path.isprintable()
    assert {len(row) for row in plain} == {len(COLUMNS)}
    cells = [cell for row in plain for cell in row]
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in cells)
    [mine] = [row for row in plain if row[2] not in {s.who.id for s in stage.more}][1:]
    assert unguarded(mine[2]) == "".join(
        "\ufffd" if c == "\0" or 0xD800 <= ord(c) < 0xE000 else c for c in who
    )
