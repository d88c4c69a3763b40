"""Writing XML piece by piece, with nothing in it that XML 1.0 cannot hold."""

from collections.abc import Iterator, Mapping
from xml.sax.saxutils import escape, quoteattr

from storage.compliance.export.text import xml_text

DECLARATION = b'<?xml version="1.0" encoding="UTF-8"?>\n'


def element(name: str, text: str | int = "") -> str:
    """Return `<name>text</name>`. A carriage return would be read as a newline."""
    shown = escape(xml_text(str(text)), {"\r": "&#13;"})
    return f"<{name}>{shown}</{name}>\n" if shown else f"<{name}/>\n"


def opening(name: str, attributes: Mapping[str, str | int] | None = None) -> str:
    return f"<{name}{_attributes(attributes)}>\n"


def empty(name: str, attributes: Mapping[str, str | int] | None = None) -> str:
    return f"<{name}{_attributes(attributes)}/>\n"


def closing(name: str) -> str:
    return f"</{name}>\n"


def encoded(pieces: Iterator[str]) -> Iterator[bytes]:
    yield DECLARATION
    for piece in pieces:
        yield piece.encode()


def _attributes(attributes: Mapping[str, str | int] | None) -> str:
    return "".join(
        f" {name}={quoted(str(value))}" for name, value in (attributes or {}).items()
    )


def quoted(value: str) -> str:
    """Return the value of an attribute, in quotes."""
    return quoteattr(xml_text(value), {"\r": "&#13;"})
