"""What people write in Teams, read into documents and files."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast
from urllib.parse import urlsplit

from lxml import etree

from bots.teams.html_mentions import Around, Mentions
from bots.teams.html_reader import Reader
from bots.teams.places import channel_of, team_of
from bridge.document import (
    Block,
    Document,
    Inline,
    Paragraph,
    Quote,
    Style,
    Text,
)
from bridge.leaves import merged
from bridge.messages import File
from bridge.text import clean, one_line, safe_url

_IMAGE = "image/*"
_AT, _END = "<at>", "</at>"


def parse_activity(activity: Mapping[str, Any]) -> tuple[Document, tuple[File, ...]]:
    """
    Read an activity's content: its HTML attachment if it has one, else its text.

    Pictures that Teams keeps are named by their attachment, where the bot can fetch
    them, and not by the address in the HTML; nor is one whose address is the same.
    """
    attachments = _attachments(activity)
    attached = [file for each in attachments for file in _file(each)]
    around = Around(channel_of(activity), team_of(activity))
    mentions = Mentions(activity.get("entities"), around)
    html = _html(activity, attachments)
    if html is None:
        text = _string(activity.get("text"))
        return _plain(text, mentions), tuple(attached)
    document, images, named = _read(html, mentions, dict(_quotes(attachments)))
    told = {_string(attachment.get("id")) for attachment in attachments}
    # Of a file in the team's folder, a channel's activity tells nothing but its number.
    attached += [File(number, "") for number in named if number not in told]
    pasted = any(file.mime.startswith("image/") for file in attached)
    attached_at = {file.url for file in attached}
    shown = [
        file
        for file, kept in images
        if not (kept and pasted) and file.url not in attached_at
    ]
    return document, (*attached, *shown)


def parse_html(html: str, entities: Any = ()) -> tuple[Document, tuple[File, ...]]:
    """Read HTML as Teams sends it, with the entities that stand beside it."""
    document, images, _ = _read(html, Mentions(entities), {})
    return document, tuple(file for file, _ in images)


def _read(
    html: str, mentions: Mentions, quotes: Mapping[str, Block]
) -> tuple[Document, list[tuple[File, bool]], list[str]]:
    reader = Reader(mentions, quotes)
    # The parser's own limit on depth is off: the reader keeps no more than it should.
    parser = etree.HTMLParser(target=cast(Any, reader), huge_tree=True)
    parser.feed(clean(html))
    parser.close()
    images = [(_picture(url, alt, kept=kept), kept) for url, alt, kept in reader.images]
    return reader.document(), images, reader.attachments


def _picture(url: str, alt: str, *, kept: bool) -> File:
    page = "" if kept else url
    return File(id=url, name=alt or "image", mime=_IMAGE, url=url, page=page)


def _plain(text: str, mentions: Mentions) -> Document:
    """Read `activity.text`: words, and the mentions that an entity answers for."""
    first, *others = clean(text).replace("\u00a0", " ").strip().split(_AT)
    leaves: list[Inline] = [Text(first)]
    for each in others:
        label, end, rest = each.partition(_END)
        mention = mentions.named(label, "") if end else None
        leaves += [mention, Text(rest)] if mention else [Text(_AT + each)]
    content = merged(leaves)
    return Document((Paragraph(content),)) if content else Document()


def _html(activity: Mapping[str, Any], attachments: Sequence[Any]) -> str | None:
    """Return the content's HTML, or None if there is only text."""
    for attachment in attachments:
        if attachment.get("contentType") == "text/html":
            return _string(attachment.get("content"))
    is_html = activity.get("textFormat") == "xml"
    return _string(activity.get("text")) if is_html else None


def _attachments(activity: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    given = activity.get("attachments")
    each = given if isinstance(given, Sequence) and not isinstance(given, str) else ()
    return [attachment for attachment in each if isinstance(attachment, Mapping)]


def _file(attachment: Mapping[str, Any]) -> Iterator[File]:
    """Yield the file behind an attachment, if it is one."""
    kind = _string(attachment.get("contentType"))
    url = safe_url(_string(attachment.get("contentUrl")))
    name = one_line(_string(attachment.get("name")))
    content, reference = attachment.get("content"), kind == "reference"
    if kind == "application/vnd.microsoft.teams.file.download.info":
        if isinstance(content, Mapping):
            url = safe_url(_string(content.get("downloadUrl")))
        kind = ""
    elif reference:
        kind = ""
    elif not kind.startswith("image/"):
        return
    if url:
        file_id = _string(attachment.get("id")) or url
        page = url if reference else ""
        yield File(file_id, name or _last_part(url), kind, url=url, page=page)


def _last_part(url: str) -> str:
    return urlsplit(url).path.rpartition("/")[2] or "file"


def _quotes(attachments: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, Block]]:
    """Yield the messages that are quoted by reference, by the attachment's id."""
    for attachment in attachments:
        if attachment.get("contentType") != "messageReference":
            continue
        try:
            quoted = json.loads(_string(attachment.get("content")))
        except ValueError:
            continue
        if isinstance(quoted, Mapping):
            yield _string(attachment.get("id")), _quote(quoted)


def _quote(quoted: Mapping[str, Any]) -> Block:
    sender = quoted.get("messageSender")
    user = sender.get("user") if isinstance(sender, Mapping) else None
    name = user.get("displayName") if isinstance(user, Mapping) else None
    author = Paragraph(merged((Text(one_line(_string(name)), (Style.BOLD,)),)))
    preview = Paragraph(merged((Text(clean(_string(quoted.get("messagePreview")))),)))
    return Quote(tuple(each for each in (author, preview) if each.content))


def _string(value: Any) -> str:
    return value if isinstance(value, str) else ""
