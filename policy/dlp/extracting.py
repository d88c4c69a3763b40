"""
The text in files: plain text and tables, office documents, PDF, mail and archives.

Bounded, whatever a file is. What cannot be read, or is too much, is said to be
`partial`, so that rules can treat a file that nobody could look into in a way of their
own. What a file is, its first bytes say before its name does.
"""

import csv
import io
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import PurePath

from policy.dlp import archives, office

MOST_BYTES = 20_000_000
MOST_TEXT = 2_000_000  # characters of one file
_MOST_PAGES = 300
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
    ".ics",
    ".vcf",
    ".diff",
    ".patch",
    ".csv",
    ".tsv",
]
_MAGIC = {
    b"%PDF-": ".pdf",
    b"PK": ".zip",
    b"\x1f\x8b": ".gz",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": ".xls",  # and .doc, which it is not read as
}

Reader = Callable[[bytes], Iterator[str]]


@dataclass(frozen=True, slots=True)
class Extracted:
    """
    A file's text. `partial` if not all of it could be read, `known` if any could.

    `pictures` are those in documents, which nobody looks into here.
    """

    text: str
    partial: bool = False
    known: bool = True
    pictures: int = 0


def text_of(name: str, data: bytes) -> Extracted:
    """Return the text of a file by its name and its bytes; never raises for either."""
    tally = _Tally()
    found = _text_of(name, data, tally)
    return replace(found, pictures=tally.pictures)


def is_document(name: str, start: bytes) -> bool:
    """Whether a file is read as a whole, by a reader of its own, and not as lines."""
    kind = _kind(name, start)
    return kind not in _TABLES and (kind in _READERS or kind in _HOLDERS)


@dataclass(slots=True)
class _Tally:
    """How deep a file lies in others, and the pictures that were met so far."""

    depth: int = 0
    pictures: int = 0


def _text_of(name: str, data: bytes, tally: _Tally) -> Extracted:
    kind = _kind(name, data)
    kind = _inside(data) if kind == ".zip" else kind
    reader = _reader(kind, data, tally)
    if reader is None:
        return Extracted("", known=False)
    if len(data) > MOST_BYTES:
        return Extracted("", partial=True)
    found = _gathered(reader, data)
    tally.pictures += _pictures(kind, data)
    return found


def _pictures(kind: str, data: bytes) -> int:
    count = _PICTURES.get(kind)
    try:
        return count(data) if count else 0
    except Exception:  # noqa: BLE001 - whoever made the file decides what it breaks
        return 0  # it is partial already


def _kind(name: str, data: bytes) -> str:
    """Return the suffix that a file has, or should have."""
    for magic, kind in _MAGIC.items():
        if data.startswith(magic):
            return kind
    return PurePath(name).suffix.lower()


def _reader(kind: str, data: bytes, tally: _Tally) -> Reader | None:
    if members := _HOLDERS.get(kind):
        return partial(_held, members, tally)
    if reader := _READERS.get(kind):
        return reader
    return _plain_text if kind in _PLAIN or _looks_plain(data) else None


def _inside(data: bytes) -> str:
    """Return what a ZIP archive is, by what is in it."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = archive.namelist()
            told = archive.read("mimetype") if "mimetype" in names else b""
    except (OSError, RuntimeError, ValueError, zipfile.BadZipFile, zlib.error):
        return ".zip"
    if b"spreadsheet" in told:
        return ".ods"
    for folder, kind in _FOLDERS.items():
        if any(name.startswith(folder) for name in names):
            return kind
    return ".zip"


def _held(
    members: Callable[[bytes], Iterator[archives.Member]], tally: _Tally, data: bytes
) -> Iterator[str]:
    if tally.depth >= archives.DEEPEST:
        raise ValueError

    def read(name: str, held: bytes) -> tuple[str, bool]:
        inner = _Tally(tally.depth + 1)
        found = _text_of(name, held, inner)
        tally.pictures += inner.pictures
        return found.text, found.known and not found.partial

    return archives.text_in(members, data, read)


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


def _pdf(data: bytes) -> Iterator[str]:
    from pypdf import PdfReader  # heavy, and needed where files are read only

    reader = PdfReader(io.BytesIO(data))
    if reader.is_encrypted and not reader.decrypt(""):
        raise ValueError
    for number, page in enumerate(reader.pages):
        if number >= _MOST_PAGES:
            raise ValueError
        yield page.extract_text()


def _pictures_of_pdf(data: bytes) -> int:
    from pypdf import PdfReader

    found = 0
    for page in PdfReader(io.BytesIO(data)).pages[:_MOST_PAGES]:
        resources = page.get("/Resources", {}).get_object()
        drawn = resources.get("/XObject", {}).get_object()
        kinds = (drawn[name].get_object().get("/Subtype") for name in drawn)
        found += sum(kind == "/Image" for kind in kinds)
    return found


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


_READERS: Mapping[str, Reader] = {
    **{suffix: _table(separator) for suffix, separator in _TABLES.items()},
    ".pdf": _pdf,
    **dict.fromkeys((".docx", ".docm", ".dotx"), office.words),
    **dict.fromkeys((".pptx", ".pptm", ".ppsx"), office.slides),
    **dict.fromkeys((".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"), office.sheets),
    **dict.fromkeys((".odt", ".odp", ".odg"), office.open_document),
}
_PICTURES: Mapping[str, Callable[[bytes], int]] = {
    ".pdf": _pictures_of_pdf,
    **{
        kind: office.pictures
        for kind, reader in _READERS.items()
        if reader in {office.words, office.slides, office.sheets, office.open_document}
        and kind != ".xls"
    },
}
_HOLDERS: Mapping[str, Callable[[bytes], Iterator[archives.Member]]] = {
    ".zip": archives.zipped,
    ".gz": archives.gzipped,
    ".tgz": archives.gzipped,
    ".tar": archives.taped,
    ".eml": archives.mailed,
}
_FOLDERS = {
    "word/": ".docx",
    "ppt/": ".pptx",
    "xl/": ".xlsx",
    "content.xml": ".odt",
}
