"""The text of files, of any file at all, within limits."""

import gzip
import io
import tarfile
import zipfile
from collections.abc import Callable
from email.message import EmailMessage
from typing import Literal

import docx
import openpyxl
import pptx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from odf.opendocument import OpenDocumentSpreadsheet, OpenDocumentText
from odf.table import Table, TableCell, TableRow
from odf.text import P, Span
from openpyxl.comments import Comment
from PIL import Image
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen import canvas

from policy.dlp.extracting import MOST_TEXT, is_document, text_of

CARD = "4242 4242 4242 4242"


def _saved(save: Callable[[io.BytesIO], object]) -> bytes:
    file = io.BytesIO()
    save(file)
    return file.getvalue()


def _word(where: str = "") -> bytes:
    document = docx.Document()
    if where == "table":
        document.add_table(1, 1).cell(0, 0).text = CARD
    elif where == "header":
        document.sections[0].header.paragraphs[0].text = CARD
    elif where == "title":
        document.core_properties.title = CARD
    elif where == "runs":
        paragraph = document.add_paragraph()
        for piece in ("4242 4242 ", "4242 4242"):
            paragraph.add_run(piece).bold = piece.endswith(" ")
    elif where == "comment":
        paragraph = document.add_paragraph("as agreed")
        document.add_comment(paragraph.runs, text=CARD, author="Ada")
    else:
        document.add_paragraph(f"pay with {CARD}")
    return _saved(document.save)


def _slides(where: str = "") -> bytes:
    deck = pptx.Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[5])
    if where == "notes":
        slide.notes_slide.notes_text_frame.text = CARD
    elif where == "table":
        frame = slide.shapes.add_table(1, 1, 0, 0, 100, 100)
        frame.table.cell(0, 0).text = CARD
    else:
        slide.shapes.title.text = f"pay with {CARD}"
    return _saved(deck.save)


def _sheets(where: str = "") -> bytes:
    book = openpyxl.Workbook()
    book.active["A1"] = CARD if not where else "total"
    if where == "hidden":
        sheet = book.create_sheet("old")
        sheet.sheet_state = "hidden"
        sheet["C7"] = CARD
    elif where == "comment":
        book.active["A1"].comment = Comment(CARD, "Ada")
    elif where == "name":
        book.create_sheet(CARD)
    return _saved(book.save)


def _open_text() -> bytes:
    document = OpenDocumentText()
    paragraph = P(text="pay with 4242 ")
    paragraph.addElement(Span(text="4242 4242 4242"))
    document.text.addElement(paragraph)
    return _saved(document.write)


def _open_sheet() -> bytes:
    document, table, row = OpenDocumentSpreadsheet(), Table(name="one"), TableRow()
    cell = TableCell(valuetype="string")
    cell.addElement(P(text=CARD))
    row.addElement(cell)
    table.addElement(row)
    document.spreadsheet.addElement(table)
    return _saved(document.write)


def _zip(*files: tuple[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files:
            archive.writestr(name, data)
    return file.getvalue()


def _with(document: bytes, *parts: tuple[str, bytes]) -> bytes:
    """Return an office document with further parts."""
    file = io.BytesIO(document)
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts:
            archive.writestr(name, data)
    return file.getvalue()


def _kept(xml: str) -> tuple[str, bytes]:
    return "customXml/item7.xml", xml.encode()


IMAGE = ("word/media/image1.png", b"not looked into")


def _nested(times: int) -> bytes:
    """Return a note in so many archives."""
    data, name = NOTE, "note.txt"
    for _ in range(times):
        data, name = _zip((name, data)), "inner.zip"
    return data


def _tar(name: str, data: bytes, mode: Literal["w:", "w:gz"] = "w:gz") -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode) as archive:
        head = tarfile.TarInfo(name)
        head.size = len(data)
        archive.addfile(head, io.BytesIO(data))
    return file.getvalue()


def _mail() -> bytes:
    mail = EmailMessage()
    mail["Subject"] = "invoice"
    mail.set_content("see attached", cte="base64")
    mail.add_attachment(
        _word(), maintype="application", subtype="octet-stream", filename="a.docx"
    )
    return mail.as_bytes()


def _name_of(value: str | bytes) -> str:
    """Name a test by its file's name: archives hold the time, and so are never alike."""
    return value if isinstance(value, str) else "read"


NOTE = f"pay with {CARD}".encode()


def _pdf(pages: int = 1) -> bytes:
    file = io.BytesIO()
    sheet = canvas.Canvas(file)
    for _ in range(pages):
        sheet.drawString(72, 720, f"pay with {CARD}")
        sheet.showPage()
    sheet.save()
    return file.getvalue()


def _scanned() -> bytes:
    """Return a PDF of two pages that are pictures."""
    picture = ImageReader(Image.new("1", (8, 8)))
    file = io.BytesIO()
    sheet = canvas.Canvas(file)
    for _ in range(2):
        sheet.drawImage(picture, 0, 0)
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
        *((f"{place}.docx", _word(place)) for place in ("table", "header", "title")),
        *((f"{place}.docx", _word(place)) for place in ("runs", "comment")),
        *((f"{place}.pptx", _slides(place)) for place in ("", "notes", "table")),
        *((f"{place}.xlsx", _sheets(place)) for place in ("", "hidden", "comment")),
        ("name.xlsx", _sheets("name")),
        *(
            (f"{where}{suffix}", _with(made, _kept(xml)))
            for suffix, made in (
                (".docx", _word("title")),
                (".pptx", _slides("")),
                (".xlsx", _sheets("name")),
            )
            for where, xml in (
                ("element", f"<a><card>{CARD}</card></a>"),
                ("attribute", f"<a xmlns='urn:x'><card number='{CARD}'/></a>"),
                ("beside", f"<a><card/>{CARD}</a>"),
            )
        ),
        ("letter.odt", _open_text()),
        ("costs.ods", _open_sheet()),
        ("all.zip", _zip(("a/note.txt", NOTE))),
        ("all.zip", _zip(("a.zip", _zip(("letter.docx", _word()))))),
        ("all.zip", _nested(3)),
        ("all.zip", _zip((f"{CARD}.txt", b"nothing"))),
        ("all.tar.gz", _tar("note.txt", NOTE)),
        ("all.tar", _tar("note.txt", NOTE, "w:")),
        ("note.txt.gz", gzip.compress(NOTE)),
        ("said.eml", _mail()),
        # What a file is called does not hide what it is.
        ("photo.png", _zip(("note.txt", NOTE))),
        ("photo.jpg", _sheets()),
        ("archive.zip", _slides()),
        ("table.csv", _sheets()),
        ("note.docx", _zip(("note.txt", NOTE))),
        ("note.xlsx", _zip(("note.txt", NOTE))),
        ("letter.pdf", _pdf()),
        ("letter", _pdf()),
        ("noname", f"pay with {CARD}".encode()),
    ],
    ids=_name_of,
)
def test_the_text_of_a_file_is_read(name: str, data: bytes) -> None:
    extracted = text_of(name, data)

    assert CARD in extracted.text
    assert not extracted.partial


def test_numbers_in_cells_are_read_as_they_are_shown() -> None:
    book = openpyxl.Workbook()
    book.active.append([4242424242424242, 0.5, True])

    assert "4242424242424242 | 0.5 | True" in text_of("a.xlsx", _saved(book.save)).text


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("photos.zip", _zip(("a.png", b"\x89PNG\0"), ("note.txt", NOTE))),
        ("deep.zip", _nested(4)),
        ("stowed.docx", _zip(("word/document.xml", b"<a/>"), ("note.txt", NOTE))),
        ("broken.zip", _zip(("note.txt", NOTE))[:-30]),
        ("broken.xlsx", b"PK\3\4 nothing"),
        ("old.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)),
        ("cut.gz", gzip.compress(NOTE)[:-9]),
    ],
    ids=_name_of,
)
def test_what_cannot_all_be_read_is_said_to_be_partial(name: str, data: bytes) -> None:
    assert text_of(name, data).partial


def test_a_file_with_a_password_is_partial_and_what_is_open_is_read() -> None:
    data = bytearray(_zip(("secret.txt", b"x" * 40), ("note.txt", NOTE)))
    for mark, place in ((b"PK\1\2", 8), (b"PK\3\4", 6)):
        data[data.index(mark) + place] |= 1  # "encrypted", in both of its heads

    extracted = text_of("all.zip", bytes(data))

    assert extracted.partial
    assert CARD in extracted.text


def test_a_bomb_of_gzip_is_not_unpacked() -> None:
    assert text_of("bomb.gz", gzip.compress(bytes(120_000_000), 1)).partial


def test_what_is_read_by_lines_is_no_document() -> None:
    assert is_document("a.docx", b"PK\3\4")
    assert is_document("nameless", b"%PDF-1.4")
    assert not is_document("a.csv", b"one,two")
    assert not is_document("a.log", b"one")


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
    st.sampled_from(
        [
            "a.txt",
            "a.csv",
            "a.docx",
            "a.pdf",
            "a",
            "a.xlsx",
            "a.xls",
            "a.pptx",
            "a.odt",
            "a.zip",
            "a.tar",
            "a.gz",
            "a.eml",
        ]
    ),
    st.one_of(
        st.binary(),
        st.tuples(
            st.sampled_from(
                [b"%PDF-1.4\n", b"PK\3\4", b"\x1f\x8b\x08", b"\xd0\xcf\x11\xe0"]
            ),
            st.binary(),
        ).map(b"".join),
    ),
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


def test_fields_of_data_that_is_kept_in_a_document_stay_apart() -> None:
    """Two halves of what looks like a card are no card."""
    halves = "<a><b>4242 4242</b><c>4242 4242</c></a>"

    extracted = text_of("a.docx", _with(_word("table"), _kept(halves)))

    assert "4242 4242\n4242 4242" in extracted.text
    assert not extracted.partial


def test_points_of_a_chart_are_read_one_by_one() -> None:
    points = "<c><pt><v>4242</v></pt><pt><v>77</v></pt></c>"
    chart = ("ppt/charts/chart1.xml", points.encode())

    assert "4242 77" in text_of("a.pptx", _with(_slides(""), chart)).text


@pytest.mark.parametrize(
    ("name", "data", "count"),
    [
        ("a.docx", _word(), 0),
        ("a.docx", _with(_word(), IMAGE), 1),
        (
            "a.odt",
            _with(_open_text(), ("Pictures/1.jpg", b""), ("Thumbnails/t.png", b"")),
            1,
        ),
        ("a.pptx", _with(_slides(""), ("ppt/media/image7.EMF", b"")), 1),
        (
            "a.zip",
            _zip(("a.docx", _with(_word(), IMAGE)), ("b.docx", _with(_word(), IMAGE))),
            2,
        ),
        ("a.txt", b"no picture", 0),
        ("a.pdf", _pdf(), 0),
        ("a.pdf", _scanned(), 2),
        ("broken.pdf", b"%PDF-1.7 nonsense", 0),
    ],
    ids=["none", "word", "open", "slides", "archive", "text", "page", "scan", "broken"],
)
def test_pictures_in_documents_are_counted(name: str, data: bytes, count: int) -> None:
    extracted = text_of(name, data)

    assert extracted.pictures == count
    assert extracted.partial is (name == "broken.pdf")
