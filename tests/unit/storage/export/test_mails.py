"""Global Relay mails and RSMF, read by Python's e-mail parser."""

import io
import json
import zipfile
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings

from storage.compliance.export import global_relay, rsmf
from storage.compliance.export.model import Who
from tests.unit.storage.export.stage import (
    HEADING,
    PICTURE,
    Stage,
    contents,
    hostile,
    item,
    revision,
)

SCHEMA = json.loads(
    (
        Path(__file__).parents[3] / "fixtures/export/rsmf_manifest.schema.json"
    ).read_text()
)


def mails(stage: Stage) -> list[EmailMessage]:
    found = contents(global_relay.files(HEADING, stage))
    return [parsed(data) for data in found.values()]


def parsed(data: bytes) -> EmailMessage:
    message = message_from_bytes(data, policy=policy.default)
    assert isinstance(message, EmailMessage)
    defects = [d for part in message.walk() for d in part.defects]
    assert not defects
    return message


def body(message: EmailMessage, kind: str = "plain") -> str:
    part = message.get_body((kind,))
    assert isinstance(part, EmailMessage)
    return str(part.get_content())


def rsmf_of(stage: Stage) -> tuple[EmailMessage, Any, zipfile.ZipFile]:
    [data] = contents(rsmf.files(HEADING, stage)).values()
    message = parsed(data)
    [attachment] = message.iter_attachments()
    assert isinstance(attachment, EmailMessage)
    archive = zipfile.ZipFile(io.BytesIO(attachment.get_content()))
    return message, json.loads(archive.read("rsmf_manifest.json")), archive


def test_the_mail_is_from_who_spoke_first_to_everybody_else() -> None:
    [mail] = mails(Stage())

    assert str(mail["From"]) == "Alice Wong <alice@acme.example>"
    assert [a.display_name for a in mail["To"].addresses][:2] == [
        "Robot",
        "Bøb, the 'Builder'",
    ]
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Precedence"] == "bulk"
    assert mail["X-GlobalRelay-MsgType"] == "slack"
    assert mail["Message-ID"].startswith("<01890000-0000-7000-8000-000000000001")
    leaves = mail.get_all("X-ATOM-Leaf")
    assert leaves is not None
    assert len(leaves) == 13


def test_a_mail_to_many_has_all_of_them_in_lines_of_the_usual_length() -> None:
    names = [f"Bo {'b' * n}" for n in range(60)]
    names += [f"Åsa {'M. ' * (n % 5)}Berg" for n in range(30)]
    people = [
        Who("slack", f"U{n:03}", name, f"a{n}@acme.example")
        for n, name in enumerate(names)
    ]
    said = [item(revision(n, by=w), msg=f"{n}") for n, w in enumerate(people)]

    [data] = contents(global_relay.files(HEADING, Stage(said))).values()

    listed = [(a.display_name, a.addr_spec) for a in parsed(data)["To"].addresses]
    assert listed == [(w.name, w.email) for w in people[1:]]
    lines = data.partition(b"\r\nSubject:")[0].split(b"\r\n")
    assert len(lines) >= 90
    assert max(map(len, lines)) <= 78


def test_the_mail_has_edits_deletions_reactions_and_what_is_withheld() -> None:
    [mail] = mails(Stage())

    for text in (body(mail), body(mail, "html")):
        for said in ("    one", "    two", "    three", "deleted", "    regrettable"):
            assert said in text
        assert "took back :party:" in text
        assert "(withheld: erased)" in text
        assert "not here: too large to be kept" in text
        assert "2030-03-17T18:47:40.000000+01:00" in text


def test_the_mail_carries_the_files_bytes() -> None:
    [mail] = mails(Stage())

    [file] = mail.iter_attachments()
    assert isinstance(file, EmailMessage)
    assert file.get_filename() == "cat.png"
    assert file.get_content() == PICTURE


def test_a_long_conversation_makes_several_mails() -> None:
    told = [item(revision(n, str(n)), msg=f"19{n:08}.0") for n in range(1, 403)]

    found = contents(global_relay.files(HEADING, Stage(told)))

    assert [p.rpartition(" - ")[2] for p in found] == ["1.eml", "2.eml", "3.eml"]


@settings(max_examples=30)
@given(hostile, hostile, hostile)
def test_no_text_breaks_a_mail(text: str, name: str, who: str) -> None:
    author = Who("slack", who, who, "a@b.example")
    [mail] = mails(Stage([item(revision(1, text, by=author))], name=name))

    fit = "".join("\ufffd" if 0xD800 <= ord(c) < 0xE000 else c for c in text)
    told = body(mail).replace("\r\n", "\n")
    for line in fit.replace("\r\n", "\n").split("\n"):
        assert line.rstrip("\r") in told


def test_rsmf_fits_its_schema_and_says_what_a_reviewer_sees() -> None:
    message, manifest, archive = rsmf_of(Stage())

    jsonschema.validate(manifest, SCHEMA)
    events = {e["id"]: e for e in manifest["events"] if e["type"] == "message"}
    first = events["1900000000.000000"]
    assert first["body"] == "three"
    assert [(e["previous"], e["new"]) for e in first["edits"]] == [
        ("one", "two"),
        ("two", "three"),
    ]
    assert [r["value"] for r in first["reactions"]] == ["👍"]
    gone = events["1900000001.000000"]
    assert (gone["deleted"], gone["body"]) == (True, "regrettable")
    assert gone["parent"] == "1900000000.000000"
    assert events["1900000002.000000"]["deleted"] is False
    [file] = events["1900000003.000000"]["attachments"]
    assert archive.read(file["id"]) == PICTURE
    assert message["X-RSMF-Version"] == "2.0.0"
    assert message["X-RSMF-EventCount"] == str(len(manifest["events"]))
    assert message["X-RSMF-AttachmentCount"] == "1"


def test_days_of_one_conversation_share_their_collection() -> None:
    day = 24 * 60
    told = [item(revision(1, "a")), item(revision(day, "b"), msg="1900086400.0")]

    found = contents(rsmf.files(HEADING, Stage(told)))

    ids = {parsed(data)["X-RSMF-EventCollectionID"] for data in found.values()}
    assert (len(found), len(ids)) == (2, 1)


@settings(max_examples=30)
@given(hostile, hostile, hostile)
def test_no_text_breaks_an_rsmf(text: str, name: str, who: str) -> None:
    said = item(revision(1, text, by=Who("slack", who, who)), msg=who)
    _, manifest, _ = rsmf_of(Stage([said], name=name))

    jsonschema.validate(manifest, SCHEMA)
    fit = "".join("\ufffd" if 0xD800 <= ord(c) < 0xE000 else c for c in text)
    assert [e["body"] for e in manifest["events"] if e["type"] == "message"] == [fit]


@pytest.mark.parametrize("name", ["..", "../../x", "a/b\\c", "nul", "x" * 400, "\0"])
def test_no_name_of_a_channel_leads_out_of_the_export(name: str) -> None:
    stage = Stage(name=name)

    for module in (global_relay, rsmf):
        for path in contents(module.files(HEADING, stage)):
            parts = path.split("/")
            assert len(parts) == 2
            assert not {"..", "", "."} & {*parts}
            assert "\\" not in path
            assert len(parts[1].encode()) <= 255
