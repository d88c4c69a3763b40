"""What a post looks like in Teams: who says it, what is said, and a note."""

import re
import unicodedata
from collections.abc import Sequence
from html import escape
from html.parser import HTMLParser
from typing import Any

from bots.teams.html_out import render
from bots.teams.places import is_safe_address
from bridge.attribution import attributed
from bridge.delivery import Post
from bridge.document import Document
from bridge.files import FileLine
from bridge.messages import Channel, Person, PersonKind, Platform
from bridge.naming import names_of
from bridge.reactions import footer

_SPOKEN = {Platform.SLACK: "Slack", Platform.TEAMS: "Teams"}
_LONGEST_NAME = 80
_LONGEST_WORKSPACE = 30
_LONGEST_LABEL = 140
# Characters that turn the reading direction could make a name seem another's.
_TURNING = set(
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)
_INVISIBLE = re.compile("[\\s\u200b\ufe0e\ufe0f\ufeff]+")


def content(post: Post, document: Document) -> tuple[str, list[dict[str, Any]]]:
    """Return a message's HTML, with its author on top, and its mention entities."""
    html, entities = render(document, names_of(post))
    note = _escaped(post.note)
    if note and post.address:
        note = f'<a href="{_escaped(post.address)}">{note}</a>'
    note = f"<p><em>{note}</em></p>" if note else ""
    files = "".join(f"<p>{file_line(line)}</p>" for line in post.files)
    below = footer(post.reactions)
    line = f"<p>{_escaped(below)}</p>" if below else ""
    top = header(post.author, post.source, post.workspace, confirmed=post.confirmed)
    return top + html + note + files + line, [*entities]


def file_line(line: FileLine) -> str:
    """Return what becomes of a file; its name leads to the original."""
    label = _escaped(plain_name(line.label, _LONGEST_LABEL))
    if line.address and is_safe_address(line.address):
        label = f'<a href="{_escaped(line.address)}">{label}</a>'
    return f"📎 {label}: {_escaped(line.said)}"


def header(
    author: Person,
    source: Channel,
    workspace: str = "",
    *,
    confirmed: bool | None = None,
) -> str:
    """Return the line that says who speaks, and from where. Bots cannot be people."""
    name = plain_name(author.shown)
    name = attributed(name, confirmed) or "Somebody"
    picture = ""
    if author.avatar and is_safe_address(author.avatar):
        address = _escaped(author.avatar)
        picture = f'<img src="{address}" alt="" width="20" height="20"> '
    origin = _SPOKEN[source.platform]
    if where := plain_name(workspace)[:_LONGEST_WORKSPACE].strip():
        origin = f"{origin}, {_escaped(where)}"
    if author.kind is PersonKind.BOT:
        origin += ", app"
    return f"<p>{picture}<strong>{_escaped(name)}</strong> ({origin})</p>"


def plain_name(name: str, longest: int = _LONGEST_NAME) -> str:
    """Return a name on one line, free of what makes it look like another."""
    shown = (c for c in name if c not in _TURNING)
    kept = (" " if _is_control(c) else c for c in shown)
    return " ".join("".join(kept).split())[:longest].strip()


def comparable(html: str) -> str:
    """
    Return what can be compared of a message that Teams stored and gives back.

    It rewrites markup and spaces, and turns emoji into elements of its own; the words
    stay.
    """
    reader = _Words()
    reader.feed(html)
    reader.close()
    return _INVISIBLE.sub("", unicodedata.normalize("NFC", "".join(reader.words)))


class _Words(HTMLParser):
    """Collects the words of HTML."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def handle_starttag(
        self, tag: str, attrs: Sequence[tuple[str, str | None]]
    ) -> None:
        if tag == "emoji":
            self.words.append(dict(attrs).get("alt") or "")


def _is_control(character: str) -> bool:
    return unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"}


def _escaped(text: str) -> str:
    return escape(text.encode("utf-8", "replace").decode(), quote=True)
