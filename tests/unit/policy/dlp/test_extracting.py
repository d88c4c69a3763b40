"""The text of files, of any file at all, within limits."""

import io
import zipfile

import docx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reportlab.pdfgen import canvas

from policy.dlp.extracting import MOST_TEXT, text_of

CARD = "4242 4242 4242 4242"


def _word(*, table: bool = False) -> bytes:
    document = docx.Document()
    if table:
        document.add_table(1, 1).cell(0, 0).text = CARD
    else:
        document.add_paragraph(f"pay with {CARD}")
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def _pdf(pages: int = 1) -> bytes:
    file = io.BytesIO()
    sheet = canvas.Canvas(file)
    for _ in range(pages):
        sheet.drawString(72, 720, f"pay with {CARD}")
        sheet.showPage()
    sheet.save()
    return file.getvalue()


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("note.txt", f"pay with {CARD}".encode()),
        ("note.txt", f"pay with {CARD}".encode("utf-16")),
        ("list.csv", f'name,card\nAda,"{CARD}"\n'.encode()),
        ("letter.docx", _word()),
        ("letter.docx", _word(table=True)),
        ("letter.pdf", _pdf()),
        ("letter", _pdf()),
        ("noname", f"pay with {CARD}".encode()),
    ],
)
def test_the_text_of_a_file_is_read(name: str, data: bytes) -> None:
    extracted = text_of(name, data)

    assert CARD in extracted.text
    assert not extracted.partial


def test_what_has_no_text_is_not_known() -> None:
    assert not text_of("photo.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR").known


def test_too_much_text_is_cut_and_said_to_be() -> None:
    extracted = text_of("long.txt", b"word " * MOST_TEXT)

    assert extracted.partial
    assert len(extracted.text) == MOST_TEXT


def test_an_archive_that_would_unpack_to_too_much_is_not_unpacked() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", b"0" * 150_000_000)

    assert text_of("bomb.docx", file.getvalue()).partial


@given(
    st.sampled_from(["a.txt", "a.csv", "a.docx", "a.pdf", "a"]),
    st.one_of(st.binary(), st.binary().map(lambda tail: b"%PDF-1.4\n" + tail)),
)
def test_no_file_makes_it_stumble(name: str, data: bytes) -> None:
    assert isinstance(text_of(name, data).text, str)


@given(st.integers(0, 2_000), st.integers(0, 255))
@settings(max_examples=25, deadline=None)
def test_a_broken_document_is_partial_at_worst(place: int, value: int) -> None:
    for name, whole in (("a.docx", _WORD), ("a.pdf", _PDF)):
        data = bytearray(whole)
        data[place % len(data)] = value

        assert isinstance(text_of(name, bytes(data)).text, str)


_WORD, _PDF = _word(), _pdf()
