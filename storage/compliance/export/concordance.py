"""
Concordance load files: a DAT with a row a document, and an OPT beside it.

Fields stand between thorns (U+00FE) with U+0014 between them, and a newline within a
field is U+00AE; the file is UTF-8 with a byte order mark. What of these three is in a
text is spelled otherwise (th, a space, (R)): the exact text stands in its file.
"""

from collections.abc import Iterator
from hashlib import md5, sha256

from storage.compliance.export.documents import (
    Document,
    bates,
    documents,
    extension,
    file_name,
    text_name,
)
from storage.compliance.export.model import Change, Heading, Source, Written
from storage.compliance.export.participants import lists
from storage.compliance.export.text import day, guarded, moment, utf8, zone

FOLDER = "dat"
VOLUME = "ATOM001"
SEPARATOR, QUALIFIER, NEWLINE = "\x14", "\xfe", "\xae"
FIELDS = (
    "BEGBATES",
    "ENDBATES",
    "BEGATTACH",
    "ENDATTACH",
    "CUSTODIAN",
    "DOCTYPE",
    "FILEEXT",
    "FILENAME",
    "FILESIZE",
    "FROM",
    "TO",
    "CC",
    "BCC",
    "SUBJECT",
    "DATESENT",
    "TIMESENT",
    "DATERCVD",
    "DATECREATED",
    "DATEMOD",
    "MD5HASH",
    "SHA256HASH",
    "NATIVEPATH",
    "TEXTPATH",
    "PAGECOUNT",
    "CONFIDENTIALITY",
    "CONVID",
    "THREADID",
    "PLATFORM",
    "ORIGINDOC",
    "EDITREV",
    "DELETED",
    "LEAFINDEX",
    "LEAFHASH",
    "PARTICIPANTSPATH",
)
_SPELLED = str.maketrans({"\xfe": "th", "\xde": "Th", "\x14": " ", "\xae": "(R)"})


def files(heading: Heading, source: Source) -> Iterator[Written]:
    """Yield both load files, each message's text, and long lists of people."""
    yield Written(f"{FOLDER}/loadfile.dat", _dat(heading, source))
    yield Written(f"{FOLDER}/loadfile.opt", _opt(source))
    for document in documents(source):
        if document.file is None:
            name = f"{FOLDER}/text/{text_name(document)}"
            yield Written(name, iter([utf8(document.text)]))
    yield from lists(FOLDER, heading, source)


def _dat(heading: Heading, source: Source) -> Iterator[bytes]:
    yield "\ufeff".encode() + row(FIELDS)
    origins: dict[int, str] = {}
    for document in documents(source):
        if document.file is None:
            origins[document.revision.stamp.seq] = document.id
        values = _values(heading, document, origins)
        yield row(guarded(values.get(name, "")) for name in FIELDS)


def row(cells: Iterator[str] | tuple[str, ...]) -> bytes:
    """Return one row of a DAT file."""
    quoted = (f"{QUALIFIER}{_cell(cell)}{QUALIFIER}" for cell in cells)
    return utf8(SEPARATOR.join(quoted) + "\r\n")


def _cell(text: str) -> str:
    spelled = text.translate(_SPELLED).replace("\x00", "\ufffd")
    return (
        spelled.replace("\r\n", NEWLINE).replace("\n", NEWLINE).replace("\r", NEWLINE)
    )


def _values(
    heading: Heading, document: Document, origins: dict[int, str]
) -> dict[str, str]:
    item, revision = document.item, document.revision
    sent = moment(revision.at_us).astimezone(zone(heading.zone))
    values = {
        "BEGBATES": document.id,
        "ENDBATES": document.id,
        "BEGATTACH": bates(document.parent),
        "ENDATTACH": bates(document.last),
        "CUSTODIAN": heading.custodian or item.author.shown,
        "FROM": item.author.address,
        "TO": document.to,
        "SUBJECT": document.title,
        "DATESENT": sent.date().isoformat(),
        "TIMESENT": sent.isoformat(timespec="seconds")[11:],
        "DATERCVD": day(revision.stamp.captured_us, heading.zone),
        "DATECREATED": day(item.at_us, heading.zone),
        "DATEMOD": day(revision.at_us, heading.zone),
        "PAGECOUNT": "1",
        "CONVID": item.conv,
        "THREADID": item.thread,
        "PLATFORM": item.platform,
        "EDITREV": str(revision.rev),
        "DELETED": "Y" if revision.change is Change.DELETE else "N",
        "LEAFINDEX": str(revision.stamp.seq),
        "LEAFHASH": revision.stamp.leaf,
        "PARTICIPANTSPATH": document.listed.replace("/", "\\"),
    }
    if item.origin:
        # A copy's original may be outside of what is exported: then its entry tells.
        seq = item.origin.seq
        values["ORIGINDOC"] = origins.get(seq, f"entry {seq}")
    return values | (_file(document) if document.file else _text(document))


def _text(document: Document) -> dict[str, str]:
    data = utf8(document.text)
    return {
        "DOCTYPE": f"Message {document.revision.change}",
        "FILEEXT": "txt",
        "FILENAME": text_name(document),
        "FILESIZE": str(len(data)),
        "MD5HASH": md5(data, usedforsecurity=False).hexdigest(),
        "SHA256HASH": sha256(data).hexdigest(),
        "TEXTPATH": f"text\\{text_name(document)}",
        "CONFIDENTIALITY": document.revision.withheld and "Withheld",
    }


def _file(document: Document) -> dict[str, str]:
    file = document.file
    assert file is not None  # noqa: S101 - asked for files only
    native = f"..\\{file.path}".replace("/", "\\") if file.path else ""
    return {
        "DOCTYPE": "File",
        "FILEEXT": extension(file.name),
        "FILENAME": file_name(file),
        "FILESIZE": str(file.size),
        "MD5HASH": file.md5,
        "SHA256HASH": file.sha256,
        "NATIVEPATH": native,
        "CONFIDENTIALITY": "" if file.path else f"Missing: {file.missing}",
    }


def _opt(source: Source) -> Iterator[bytes]:
    """
    Yield a line a document: key, volume, path, document break, and one page.

    There are no page images of chat: the path is that of the text, or of the file.
    """
    for document in documents(source):
        file = document.file
        path = f"text\\{text_name(document)}"
        if file is not None:
            path = f"..\\{file.path}".replace("/", "\\") if file.path else ""
        shown = path.replace(",", "_")
        yield utf8(f"{document.id},{VOLUME},{shown},Y,,,1\r\n")
