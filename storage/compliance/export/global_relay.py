"""
Global Relay e-mail: a conversation as a mail to the archive, cut into handy mails.

The sender is who spoke first in the mail. Deleted messages stand in it with their
content, edits with every text there was.
"""

from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from html import escape

from storage.compliance.export import mail
from storage.compliance.export.model import (
    Attached,
    Conversation,
    Heading,
    Item,
    Source,
    Who,
    Written,
)
from storage.compliance.export.paths import Names
from storage.compliance.export.text import moment, utf8, xml_text
from storage.compliance.export.transcript import blocks

FOLDER = "eml"
_MESSAGES = 200  # in one mail
_MOST_BYTES = 250 * 1024 * 1024  # of one mail; base64 takes a third more
_ROOM = _MOST_BYTES * 3 // 4 - 8 * 1024 * 1024


def files(heading: Heading, source: Source) -> Iterator[Written]:
    """Yield one mail for every 200 messages or 250 MiB of a conversation."""
    names = Names()
    for place in source.conversations():
        for number, items in enumerate(_slices(source.items(place)), 1):
            # The name is cut, if need be, before what tells the mails apart.
            stem = f"{place.shown[:40]} - ({place.id[:60]}) - {number}"
            name = names.one(f"{stem}.eml")
            chunks = _mail(heading, source, place, items, number)
            yield Written(f"{FOLDER}/{name}", chunks)


def _slices(items: Iterable[Item]) -> Iterator[list[Item]]:
    held: list[Item] = []
    weight = 0
    for item in items:
        own = _weight(item)
        if held and (len(held) >= _MESSAGES or weight + own > _ROOM):
            yield held
            held, weight = [], 0
        held.append(item)
        weight += own
    if held:
        yield held


def _weight(item: Item) -> int:
    attached = sum(file.size for file in _attached(item))
    return attached + sum(4 * len(r.text) for r in item.revisions)


def _attached(item: Item) -> Iterator[Attached]:
    """Yield the files that are attached: those whose bytes are here, each once."""
    seen: set[str] = set()
    for revision in item.revisions:
        for file in revision.files:
            if file.path and file.size <= _ROOM and file.path not in seen:
                seen.add(file.path)
                yield file


def _mail(
    heading: Heading,
    source: Source,
    place: Conversation,
    items: Sequence[Item],
    number: int,
) -> Iterator[bytes]:
    outer, inner = _boundaries(items)
    yield from _headers(heading, place, items, number)
    yield b"MIME-Version: 1.0\r\n"
    yield mail.multipart("mixed", outer)
    yield mail.part(outer)
    yield mail.multipart("alternative", inner)
    told = [block for item in items for block in blocks(item, heading.zone)]
    yield mail.part(inner)
    yield from mail.text_part("plain", [_plain(place, told)])
    yield mail.part(inner)
    yield from mail.text_part("html", [_html(place, told)])
    yield mail.end(inner)
    for item in items:
        for file in _attached(item):
            yield mail.part(outer)
            content = source.content(file.path)
            yield from mail.attachment(file.name, file.mime, content)
    yield mail.end(outer)


def _headers(
    heading: Heading, place: Conversation, items: Sequence[Item], number: int
) -> Iterator[bytes]:
    first = items[0]
    others = _others(place, items)
    yield mail.people("From", [_named(first.author)])
    yield mail.people("To", [_named(w) for w in others or [first.author]])
    yield mail.header("Subject", f"{place.shown} ({place.platform}), part {number}")
    yield mail.date(moment(max(first.at_us, 0)))
    yield mail.header("Message-ID", f"<{first.first.stamp.eid}@atom.invalid>")
    yield mail.header("Auto-Submitted", "auto-generated")
    yield mail.header("Precedence", "bulk")
    yield mail.header("X-GlobalRelay-MsgType", place.platform)
    yield mail.header("X-ATOM-ChannelName", place.shown)
    yield mail.header("X-ATOM-ChannelID", place.id)
    yield mail.header("X-ATOM-ChannelType", place.kind)
    yield mail.header("X-ATOM-Export", heading.id)
    yield mail.header("X-ATOM-TimeZone", heading.zone)
    for item in items:
        for stamp in (r.stamp for r in item.revisions):
            yield f"X-ATOM-Leaf: {stamp.seq} {stamp.leaf}\r\n".encode()
    proof = f"size {heading.size} root {heading.root}"
    yield mail.header("X-ATOM-Proof", f"{proof}; proofs/ of the export")


def _others(place: Conversation, items: Sequence[Item]) -> list[Who]:
    first = items[0].author
    spoke = [r.by for item in items for r in item.revisions]
    listed = {(w.platform, w.id): w for w in (*place.people, *spoke)}
    listed.pop((first.platform, first.id), None)
    return [listed[key] for key in sorted(listed)]


def _named(who: Who) -> tuple[str, str]:
    return (who.shown, who.address)


def _plain(place: Conversation, told: Sequence[str]) -> bytes:
    return utf8("\n\n".join([f"{place.shown} ({place.platform})", *told]) + "\n")


def _html(place: Conversation, told: Sequence[str]) -> bytes:
    head = f"<h1>{escape(xml_text(place.shown))}</h1>"
    shown = "\n".join(f"<pre>{escape(xml_text(block))}</pre>" for block in told)
    page = f'<!doctype html>\n<meta charset="utf-8">\n{head}\n{shown}\n'
    return utf8(page)


def _boundaries(items: Sequence[Item]) -> tuple[str, str]:
    """Made of what the mail holds; base64 has no '=_', so no text can hold one."""
    eids = "".join(r.stamp.eid for item in items for r in item.revisions)
    mark = sha256(eids.encode()).hexdigest()[:32]
    return f"=_{mark}.1", f"=_{mark}.2"
