"""
Plain text as a document of Atlassian's format, and such a document as plain text.

Source: Atlassian Document Format, "Document structure".
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_LINK = re.compile(r"https?://[^\s<>\"]+[^\s<>\".,;:!?)\]}'*_~]")
_BLOCKS = frozenset(
    {
        "paragraph",
        "heading",
        "listItem",
        "codeBlock",
        "blockquote",
        "panel",
        "tableRow",
        "rule",
        "mediaSingle",
        "mediaGroup",
        "taskItem",
        "decisionItem",
        "expand",
    }
)
_DEEPEST = 60


def document(text: str) -> dict[str, Any]:
    """Return text as a document: empty lines divide paragraphs, addresses are links."""
    clean = _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    paragraphs = [part for part in re.split(r"\n[ \t]*\n", clean) if part.strip()]
    content = [
        {"type": "paragraph", "content": list(_lines(part.strip("\n")))}
        for part in paragraphs
    ]
    return {"type": "doc", "version": 1, "content": content}


def plain(node: Any) -> str:
    """Return a document as text; what is no text is named. Nothing is too odd for it."""
    told = "".join(_told(node, 0))
    return re.sub(r"\n{3,}", "\n\n", told).strip()


def _lines(part: str) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(part.split("\n")):
        if number:
            yield {"type": "hardBreak"}
        yield from _linked(line)


def _linked(line: str) -> Iterator[dict[str, Any]]:
    at = 0
    for match in _LINK.finditer(line):
        if match.start() > at:
            yield {"type": "text", "text": line[at : match.start()]}
        mark = {"type": "link", "attrs": {"href": match[0]}}
        yield {"type": "text", "text": match[0], "marks": [mark]}
        at = match.end()
    if line[at:]:
        yield {"type": "text", "text": line[at:]}


def _told(node: Any, depth: int) -> Iterator[str]:
    if not isinstance(node, Mapping) or depth > _DEEPEST:
        return
    kind = str(node.get("type"))
    attrs = node.get("attrs")
    attrs = attrs if isinstance(attrs, Mapping) else {}
    yield _leaf(node, kind, attrs)
    if kind == "listItem":
        yield "• "
    content = node.get("content")
    for child in content if isinstance(content, list) else ():
        yield from _told(child, depth + 1)
    if kind in _BLOCKS:
        yield "\n" if kind in {"listItem", "tableRow"} or depth > 1 else "\n\n"
    elif kind in {"tableCell", "tableHeader"}:
        yield "\t"


def _leaf(node: Mapping[str, Any], kind: str, attrs: Mapping[str, Any]) -> str:
    if isinstance(text := node.get("text"), str):
        return text
    if kind == "hardBreak":
        return "\n"
    if kind in {"mention", "emoji", "status", "date"}:
        return _named(attrs)
    if kind in {"inlineCard", "blockCard", "embedCard"}:
        return str(attrs.get("url", ""))
    return "[file]" if kind in {"media", "mediaInline"} else ""


def _named(attrs: Mapping[str, Any]) -> str:
    for name in ("text", "shortName", "timestamp"):
        if isinstance(attrs.get(name), str):
            return str(attrs[name])
    return ""
