"""
The text in files: plain text and tables, Word, PDF. Bounded, whatever a file is.

What cannot be read, or is too much, is said to be `partial`, so that rules can treat a
file that nobody could look into in a way of their own. A .docx is a ZIP archive: what
it would unpack to is known, and limited, before anything is unpacked.
"""

import csv
import io
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath

from docx import Document
from pypdf import PdfReader

MOST_BYTES = 20_000_000
MOST_TEXT = 2_000_000  # characters of one file
_MOST_PAGES = 300
_MOST_UNPACKED = 100_000_000
_TABLES = {".csv": ",", ".tsv": "\t"}
_PLAIN = [
    ".txt",
    ".md",
    ".rst",
    ".log",
    ".json",
    ".jsonl",
    ".xml",
    ".html",
    ".htm",
    ".yaml",
    ".yml",
    ".ini",
    ".cfg",
    ".conf",
    ".toml",
    ".env",
    ".sql",
    ".py",
    ".js",
    ".ts",
    ".java",
    ".go",
    ".rb",
    ".sh",
    ".ps1",
    ".bat",
    ".c",
    ".h",
    ".cpp",
    ".cs",
    ".pem",
    ".key",
    ".crt",
    ".ppk",
    ".tf",
    ".properties",
    ".eml",
    ".ics",
    ".vcf",
    ".diff",
    ".patch",
    ".csv",
    ".tsv",
]
READ_WHOLE = frozenset({".docx", ".pdf"})


@dataclass(frozen=True, slots=True)
class Extracted:
    """A file's text. `partial` if not all of it could be read, `known` if any could."""

    text: str
    partial: bool = False
    known: bool = True


def text_of(name: str, data: bytes) -> Extracted:
    """Return the text of a file by its name and its bytes; never raises for either."""
    suffix = PurePath(name).suffix.lower()
    reader = _READERS.get(suffix)
    if reader is None and data[:5] == b"%PDF-":
        reader = _pdf
    if reader is None and (suffix in _PLAIN or _looks_plain(data)):
        reader = _plain_text
    if reader is None:
        return Extracted("", known=False)
    if len(data) > MOST_BYTES:
        return Extracted("", partial=True)
    return _gathered(reader, data)


def _gathered(reader: Callable[[bytes], Iterator[str]], data: bytes) -> Extracted:
    pieces: list[str] = []
    size = 0
    try:
        for piece in reader(data):
            pieces.append(piece)
            size += len(piece) + 1
            if size > MOST_TEXT:
                return Extracted("\n".join(pieces)[:MOST_TEXT], partial=True)
    except Exception:  # noqa: BLE001 - whoever made the file decides what it breaks
        return Extracted("\n".join(pieces)[:MOST_TEXT], partial=True)
    return Extracted("\n".join(pieces))


def _plain_text(data: bytes) -> Iterator[str]:
    yield _decoded(data)


def _table(separator: str) -> Callable[[bytes], Iterator[str]]:
    def rows(data: bytes) -> Iterator[str]:
        for row in csv.reader(io.StringIO(_decoded(data)), delimiter=separator):
            # Headers are far from their values; a row at least stays together.
            yield " | ".join(row)

    return rows


def _word(data: bytes) -> Iterator[str]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        if sum(each.file_size for each in archive.infolist()) > _MOST_UNPACKED:
            raise ValueError
    document = Document(io.BytesIO(data))
    for paragraph in document.paragraphs:
        yield paragraph.text
    for table in document.tables:
        for row in table.rows:
            yield " | ".join(cell.text for cell in row.cells)
    for section in document.sections:
        for part in (section.header, section.footer):
            yield from (paragraph.text for paragraph in part.paragraphs)
    properties = document.core_properties
    yield from filter(None, (properties.title, properties.subject, properties.comments))


def _pdf(data: bytes) -> Iterator[str]:
    reader = PdfReader(io.BytesIO(data))
    if reader.is_encrypted and not reader.decrypt(""):
        raise ValueError
    for number, page in enumerate(reader.pages):
        if number >= _MOST_PAGES:
            raise ValueError
        yield page.extract_text()


def _decoded(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _looks_plain(data: bytes) -> bool:
    """Whether bytes without a telling name may be text: no zeros among the first."""
    return b"\0" not in data[:4096]


_READERS: Mapping[str, Callable[[bytes], Iterator[str]]] = {
    **{suffix: _table(separator) for suffix, separator in _TABLES.items()},
    ".docx": _word,
    ".pdf": _pdf,
}
