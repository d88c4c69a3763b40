"""
Writing e-mail (RFC 5322, RFC 2045) piece by piece: attachments may be large.

Every part is base64, so that no text can break a line rule, and boundaries are given,
so that the same content is the same bytes.
"""

from base64 import b64encode
from collections.abc import Iterable, Iterator
from datetime import datetime
from email.headerregistry import Address
from email.policy import SMTP
from email.utils import format_datetime
from functools import lru_cache

from storage.compliance.export.text import plain_line

_LINE = 57  # bytes that make 76 characters
_AT_ONCE = _LINE * 1024
_LONGEST = 400
_SHORTER = SMTP.clone(max_line_length=77)  # leaves room for a comma


def header(name: str, value: str) -> bytes:
    """Return a folded header line; other than ASCII is encoded (RFC 2047)."""
    folded: str = SMTP.header_factory(name, plain_line(value)).fold(policy=SMTP)
    return folded.encode("ascii", "replace")


def people(name: str, addresses: Iterable[tuple[str, str]]) -> bytes:
    """
    Return a header that holds people, each by name and address on a line of their own.

    So each is written once for all mails. To fold hundreds together in every mail
    takes most of the time in which an export is made.
    """
    listed = (_person(name, *person).removeprefix(f"{name}:") for person in addresses)
    folded = ",\r\n".join(one.removeprefix("\r\n") for one in listed)
    return f"{name}:{folded}\r\n".encode("ascii", "replace")


@lru_cache(maxsize=20_000)
def _person(name: str, shown: str, address: str) -> str:
    """Return the header of one person, without the end of its last line."""
    local, _, domain = plain_line(address).rpartition("@")
    parsed = Address(plain_line(shown)[:_LONGEST], username=local, domain=domain)
    header: str = SMTP.header_factory(name, [parsed]).fold(policy=_SHORTER)
    return header.removesuffix("\r\n")


def date(at: datetime) -> bytes:
    return f"Date: {format_datetime(at)}\r\n".encode()


def multipart(kind: str, boundary: str) -> bytes:
    """Return the headers of a message or part that holds parts, and a blank line."""
    return f'Content-Type: multipart/{kind};\r\n boundary="{boundary}"\r\n\r\n'.encode()


def part(boundary: str) -> bytes:
    return f"\r\n--{boundary}\r\n".encode()


def end(boundary: str) -> bytes:
    return f"\r\n--{boundary}--\r\n".encode()


def text_part(subtype: str, chunks: Iterable[bytes]) -> Iterator[bytes]:
    yield f'Content-Type: text/{subtype}; charset="utf-8"\r\n'.encode()
    yield b"Content-Transfer-Encoding: base64\r\n\r\n"
    yield from base64(chunks)


def attachment(name: str, mime: str, chunks: Iterable[bytes]) -> Iterator[bytes]:
    yield b"Content-Type: " + _mime(mime) + b"\r\n"
    yield header("Content-Disposition", f'attachment; filename="{_quoted(name)}"')
    yield b"Content-Transfer-Encoding: base64\r\n\r\n"
    yield from base64(chunks)


def base64(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Encode in lines of 76 characters, whatever pieces the content comes in."""
    rest = b""
    for chunk in chunks:
        rest += chunk
        whole = len(rest) - len(rest) % _LINE
        for start in range(0, whole, _AT_ONCE):
            yield _lines(rest[start : min(start + _AT_ONCE, whole)])
        rest = rest[whole:]
    if rest:
        yield _lines(rest)


def _lines(data: bytes) -> bytes:
    cut = (data[n : n + _LINE] for n in range(0, len(data), _LINE))
    return b"".join(b64encode(line) + b"\r\n" for line in cut)


def _mime(mime: str) -> bytes:
    """Return the type if it is one, else what stands for anything."""
    main, slash, sub = mime.partition("/")
    allowed = all(c.isascii() and (c.isalnum() or c in "+-.") for c in main + sub)
    if main and slash and sub and allowed and main not in {"multipart", "message"}:
        return mime.encode()
    return b"application/octet-stream"


def _quoted(name: str) -> str:
    return plain_line(name).replace("\\", "_").replace('"', "'")
