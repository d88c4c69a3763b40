"""
The text in office documents: words, slides and sheets, of Microsoft and OpenDocument.

Most are ZIP archives of XML (ECMA-376, ISO/IEC 26300). What they would unpack to is
known, and limited, before anything is unpacked. What few people see is text as well:
comments, notes below slides, hidden sheets, who a document says wrote it.
"""

import io
import re
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time

from lxml import etree

MOST_UNPACKED = 100_000_000
_DIGITS = re.compile(r"\d+")

# What documents are made of: anything else is a file that somebody put into one.
_USUAL = re.compile(
    r"mimetype|.*/|.*\.(xml|rels|vml|rdf|png|jpe?g|gif|bmp|tiff?|emf|wmf|svg|wdp|odttf"
    r"|fntdata)|(?!.*embeddings/).*\.bin",
    re.IGNORECASE,
)
# Of which parts a document consists, in the order in which they are read.
# What add-ins and forms keep beside a document travels with it, seen by nobody.
_CUSTOM = r"customXml/item\d+\.xml"
_DRAWN = r"(word|ppt|xl)/(diagrams/data|charts/chart)\w*\.xml"
_WORDS = (
    r"word/(document|header\d*|footer\d*|footnotes|endnotes|comments\w*)\.xml",
    _DRAWN,
    r"docProps/\w+\.xml",
)
_SLIDES = (
    r"ppt/slides/slide\d+\.xml",
    r"ppt/notesSlides/\w+\.xml",
    r"ppt/(comments/)?\w*[cC]omment\w*\.xml",
    _DRAWN,
    r"docProps/\w+\.xml",
)
_BESIDE_SHEETS = (
    r"xl/(\w+/)*\w*([cC]omment|[dD]rawing)\w*\.xml",
    _DRAWN,
    r"docProps/\w+\.xml",
)
_PICTURE = re.compile(
    r"(?!.*(thumbnails?[./]|ObjectReplacements/)).*"
    r"\.(png|jpe?g|gif|bmp|tiff?|emf|wmf|svg|wdp|heic|webp)",
    re.IGNORECASE,
)
_OPEN = (r"content\.xml", r"styles\.xml", r"meta\.xml")


def words(data: bytes) -> Iterator[str]:
    """Yield what a Word document (.docx) says."""
    yield from _parts(data, _WORDS)


def slides(data: bytes) -> Iterator[str]:
    """Yield what a PowerPoint presentation (.pptx) says."""
    yield from _parts(data, _SLIDES)


def open_document(data: bytes) -> Iterator[str]:
    """Yield what an OpenDocument text or presentation says."""
    yield from _parts(data, _OPEN)


def sheets(data: bytes) -> Iterator[str]:
    """Yield the rows of every sheet of a workbook: .xlsx, .xlsb, .xls or .ods."""
    from python_calamine import CalamineWorkbook

    zipped = zipfile.is_zipfile(io.BytesIO(data))
    if zipped:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            require_small(archive)
    book = CalamineWorkbook.from_filelike(io.BytesIO(data))
    for name in book.sheet_names:
        yield name
        for row in book.get_sheet_by_name(name).iter_rows():
            # Headers are far from their values; a row at least stays together.
            if told := " | ".join(filter(None, map(_cell, row))):
                yield told
    if zipped:
        yield from _parts(data, _BESIDE_SHEETS)


def pictures(data: bytes) -> int:
    """Count the pictures in a document of these kinds, those shown of it apart."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return sum(bool(_PICTURE.fullmatch(name)) for name in archive.namelist())


def require_small(archive: zipfile.ZipFile) -> None:
    """Raise `ValueError` if an archive would unpack to more than is read."""
    if sum(each.file_size for each in archive.infolist()) > MOST_UNPACKED:
        raise ValueError


def _cell(value: object) -> str:
    if isinstance(value, float) and value.is_integer():
        return f"{value:.0f}"
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    return str(value)


def _parts(data: bytes, patterns: Sequence[str]) -> Iterator[str]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        require_small(archive)
        names = sorted(archive.namelist(), key=_in_order)
        for pattern in patterns:
            for name in names:
                if re.fullmatch(pattern, name):
                    yield from _lines(archive.read(name))
        for name in names:
            if re.fullmatch(_CUSTOM, name):
                yield from _fields(archive.read(name))
        if not all(_USUAL.fullmatch(name) for name in names):
            raise ValueError  # another file stands in it, which nobody reads here


def _in_order(name: str) -> tuple[str, int]:
    """Let the tenth slide follow the ninth."""
    number = _DIGITS.search(name)
    return _DIGITS.sub("", name), int(number[0]) if number else 0


def _fields(xml: bytes) -> Iterator[str]:
    """Yield what stands in any element or attribute of an XML document, one a line."""
    for node in etree.fromstring(xml, _parser()).iter():
        told = (node.text, *node.attrib.values(), node.tail)
        yield from (line for each in told if each and (line := each.strip()))


def _parser() -> etree.XMLParser:
    return etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)


def _lines(xml: bytes) -> Iterator[str]:
    """
    Yield the paragraphs of an XML document, and whatever stands outside of them.

    Paragraphs are `p` or `h` in every one of these vocabularies. Runs in them belong
    together: half a number may be bold.
    """
    pieces: list[str] = []
    events = ("start", "end")
    for event, node in etree.iterwalk(etree.fromstring(xml, _parser()), events=events):
        if not isinstance(node.tag, str):
            continue
        kind = etree.QName(node).localname
        if event == "start":
            pieces.append(_separator(kind))
            pieces.append(node.text or "")
            continue
        if kind in _BREAKS:
            if line := "".join(pieces).strip():
                yield line
            pieces.clear()
        pieces.append(node.tail or "")
    if line := "".join(pieces).strip():
        yield line


# After these a line ends: paragraphs, rows, and the fields of a document's properties.
_BREAKS = frozenset(
    [
        "p",
        "h",
        "tr",
        "table-row",
        "title",
        "subject",
        "creator",
        "description",
        "keywords",
        "comment",
        "comments",
        "lastModifiedBy",
        "category",
        "initial-creator",
        "user-defined",
        "lpwstr",
        "text",
    ]
)


def _separator(kind: str) -> str:
    """Return what stands for a mark that has no text: a tab, a line's end, a cell."""
    if kind in {"tab", "s", "pt"}:  # the last is a point of a chart
        return " "
    if kind in {"br", "cr", "line-break"}:
        return "\n"
    return " | " if kind in {"tc", "table-cell"} else ""
