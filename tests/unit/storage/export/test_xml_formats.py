"""Actiance and EDRM XML, read by lxml and held against schemas of their own."""

from functools import cache
from hashlib import md5
from pathlib import Path

import xmlschema
from hypothesis import given, settings
from lxml import etree

from storage.compliance.export import actiance, edrm
from storage.compliance.export.model import Who
from tests.unit.storage.export.stage import (
    HEADING,
    NASTY,
    PICTURE,
    Stage,
    contents,
    hostile,
    item,
    revision,
)

FIXTURES = Path(__file__).parents[3] / "fixtures" / "export"


@cache
def schema(name: str) -> xmlschema.XMLSchema:
    return xmlschema.XMLSchema(FIXTURES / name)


def dump(stage: Stage) -> bytes:
    return contents(actiance.files(HEADING, stage))["actiance/actiance_export.xml"]


def load(stage: Stage) -> bytes:
    return contents(edrm.files(HEADING, stage))["edrm/edrm.xml"]


def shown(text: str) -> str:
    """What XML keeps of a text: other characters are replaced, none is dropped."""
    return "".join(c if _legal(ord(c)) else "\ufffd" for c in text)


def _legal(c: int) -> bool:
    if c in {9, 10, 13}:
        return True
    return 32 <= c < 0xD800 or 0xE000 <= c < 0xFFFE or c > 0xFFFF


def test_both_fit_their_schemas() -> None:
    schema("actiance.xsd").validate(dump(Stage()).decode())
    schema("edrm.xsd").validate(load(Stage()).decode())


def test_actiance_tells_edits_deletions_and_their_order() -> None:
    root = etree.fromstring(dump(Stage()))

    told = [
        (m.findtext("MessageId", ""), m.findtext("UpdatedType"), m.findtext("Content"))
        for m in root.iterfind(".//Message")
    ]
    assert ("1900000000.000000", "EditedOriginalMsg", "one") in told
    assert ("1900000000.000000~2", "EditedNewMsg", "three") in told
    assert ("1900000001.000000", "Deleted", "delete regrettable") in told
    assert (
        "1900000000.000000",
        "UpdatedNoMsgChange",
        "reaction removed :party:",
    ) in told
    assert ("1900000004.000000", "", "[withheld: erased]") in told
    times = [
        int(m.findtext("UpdatedDateTimeUTC") or m.findtext("DateTimeUTC") or 0)
        for m in root.iterfind(".//Message")
    ]
    assert times == sorted(times)


def test_actiance_closes_out_whoever_came() -> None:
    root = etree.fromstring(dump(Stage()))

    came = sorted(e.findtext("LoginName", "") for e in root.iter("ParticipantEntered"))
    left = sorted(e.findtext("LoginName", "") for e in root.iter("ParticipantLeft"))

    assert came == left
    assert "alice@acme.example" in came


def test_actiance_says_completed_only_of_files_that_are_here() -> None:
    root = etree.fromstring(dump(Stage()))

    told = [
        (e.findtext("UserFileName"), e.findtext("Status"))
        for e in root.iter("FileTransferEnded")
    ]
    assert told == [("cat.png", "Completed"), ("dog.txt", "Failed")]


def test_edrm_has_a_document_for_each_revision_and_file() -> None:
    root = etree.fromstring(load(Stage()))

    documents = root.findall("Batch/Documents/Document")
    tags = [
        {t.get("TagName"): t.get("TagValue") for t in d.iter("Tag")} for d in documents
    ]
    assert [t["#ATOMChange"] for t in tags[:5]] == [
        "create",
        "edit",
        "edit",
        "create",
        "delete",
    ]
    assert tags[4]["#Subject"] == "regrettable"
    assert tags[4]["#ATOMDeleted"] == "true"
    assert "removed :party:" in str(tags[0]["#ATOMReactions"])
    assert tags[0]["#DateSent"] == "2030-03-17T17:47:40.000000Z"
    assert tags[0]["#ATOMLocalTime"] == "2030-03-17T18:47:40.000000+01:00"
    native = root.find(".//File[@FileType='Native']/ExternalFile")
    assert native is not None
    assert native.get("Hash") == md5(PICTURE, usedforsecurity=False).hexdigest()


def test_edrm_names_the_texts_that_stand_beside_it() -> None:
    found = contents(edrm.files(HEADING, Stage()))
    root = etree.fromstring(found["edrm/edrm.xml"])

    for external in root.iterfind(".//File[@FileType='Text']/ExternalFile"):
        data = found[f"edrm/{external.get('FilePath')}/{external.get('FileName')}"]
        assert external.get("FileSize") == str(len(data))
        assert external.get("Hash") == md5(data, usedforsecurity=False).hexdigest()


@settings(max_examples=30)
@given(hostile, hostile, hostile)
def test_no_text_breaks_the_xml_or_is_lost(text: str, name: str, who: str) -> None:
    said = item(revision(1, text, by=Who("slack", who, who)), msg=who)
    stage = Stage([said], name=name)

    first, second = dump(stage), load(stage)
    schema("actiance.xsd").validate(first.decode())
    schema("edrm.xsd").validate(second.decode())

    room, message = (
        etree.fromstring(first)[0],
        etree.fromstring(first).find(".//Message"),
    )
    assert message is not None
    assert message.findtext("Content", "") == shown(text)
    assert room.get("Perspective") == shown(name or "C1")


def test_long_messages_are_whole() -> None:
    long = NASTY[17] + "end"
    root = etree.fromstring(
        dump(Stage([item(revision(1, long))])), etree.XMLParser(huge_tree=True)
    )

    assert root.findtext(".//Content") == long
