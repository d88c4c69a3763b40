"""
Read what apps say in Slack: blocks of any kind, and attachments, as plain rich text.

Apps put the words of a message where people cannot: into sections and fields, or into
attachments with a title and a colour. Previews of links are attachments as well, and
are nobody's words.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from bots.slack import mrkdwn
from bots.slack.mrkdwn_tokens import unescape
from bots.slack.payload import mappings, string
from bots.slack.rich_text import parse_blocks
from bridge.document import Block, Document, Image, Link, Paragraph, Style, Text
from bridge.leaves import merged
from bridge.text import one_line, safe_url

_MOST = 20  # attachments; Slack itself advises against more


def app_document(message: Mapping[str, Any]) -> Document:
    """
    Return what an app's message says: its blocks, or else its text; then its
    attachments. The text beside blocks only repeats them, for notifications.
    """
    blocks = parse_blocks(message) or _marked(string(message, "text"))
    attached = [
        block
        for attachment in mappings(message, "attachments")[:_MOST]
        if not _is_preview(attachment)
        for block in _attachment(attachment)
    ]
    return Document((*blocks, *attached))


def _is_preview(attachment: Mapping[str, Any]) -> bool:
    return bool(string(attachment, "from_url") or string(attachment, "original_url"))


def _attachment(attachment: Mapping[str, Any]) -> list[Block]:
    said = [
        *_marked(string(attachment, "pretext")),
        *_line(string(attachment, "author_name")),
        *_title(attachment),
        *_marked(string(attachment, "text")),
        *parse_blocks(attachment),
        *(block for field in mappings(attachment, "fields") for block in _field(field)),
        *_picture(attachment),
        *_line(string(attachment, "footer")),
    ]
    return said or [*_marked(string(attachment, "fallback"))]


def _title(attachment: Mapping[str, Any]) -> Iterator[Block]:
    title = one_line(unescape(string(attachment, "title")))
    if not title:
        return
    if url := safe_url(string(attachment, "title_link")):
        yield Paragraph((Link(url, title, (Style.BOLD,)),))
    else:
        yield Paragraph((Text(title, (Style.BOLD,)),))


def _field(field: Mapping[str, Any]) -> Iterator[Block]:
    title = one_line(unescape(string(field, "title")))
    first, *rest = _marked(string(field, "value")) or (Paragraph(),)
    label = (Text(f"{title}: ", (Style.BOLD,)),) if title else ()
    if isinstance(first, Paragraph):
        if content := merged((*label, *first.content)):
            yield Paragraph(content)
    else:
        yield Paragraph(label)
        yield first
    yield from rest


def _picture(attachment: Mapping[str, Any]) -> Iterator[Block]:
    if url := safe_url(string(attachment, "image_url")):
        yield Paragraph((Image(url, one_line(string(attachment, "fallback"))),))


def _marked(text: str) -> tuple[Block, ...]:
    return mrkdwn.parse(text).blocks if text else ()


def _line(text: str) -> Iterator[Block]:
    if said := one_line(unescape(text)):
        yield Paragraph((Text(said),))
