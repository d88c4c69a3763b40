"""Slack's mrkdwn, read: what stands in `text`, with its three entities encoded."""

import re
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import groupby

from bots.slack import mrkdwn_tokens as tokens
from bridge.document import (
    Block,
    CodeBlock,
    Document,
    Inline,
    Link,
    Paragraph,
    Quote,
    Style,
    Styles,
    Text,
)
from bridge.leaves import merged, styled
from bridge.text import clean

_FENCE = "```"
# A face such as >_< or >:( is no quote.
_QUOTE = re.compile(
    r"(?:&gt;|>)(?!(?:[^\w\s]|_)(?:&[lg]t;|[|/\\\[\]{}()Dpb](?:\s|$))) ?"
)
_QUOTE_ALL = re.compile(r"(?:&gt;|>){3} ?")
_TOKEN = re.compile(r"<(?P<token>[^<>\n]+)>")
_ATOM = re.compile(
    _TOKEN.pattern + r"|:(?P<emoji>[\w+'-]{1,100}(?:::skin-tone-[2-6])?):"
    r"|(?P<marker>[*_~`])"
)
_STYLES = {"*": Style.BOLD, "_": Style.ITALIC, "~": Style.STRIKE}
# The shrug's backslash keeps its arm from being a marker.
_GLUE = "\\"


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of text, or the inside of a fence, in or outside a quote."""

    text: str
    quoted: bool = False
    fenced: bool = False


def parse(text: str) -> Document:
    """Read mrkdwn. Any text is valid: what is no markup is words."""
    blocks: list[Block] = []
    lines = _lines(clean(text).strip("\n"))
    for quoted, group in groupby(lines, key=lambda line: line.quoted):
        run = list(group)
        if not quoted:
            blocks += _blocks(run)
        elif any(line.text for line in run):
            blocks.append(Quote(tuple(_blocks(run))))
        else:
            blocks.append(Paragraph((Text("\n".join(">" for _ in run)),)))
    return Document(tuple(blocks))


def _blocks(lines: Iterable[_Line]) -> Iterator[Block]:
    for fenced, group in groupby(lines, key=lambda line: line.fenced):
        if fenced:
            for line in group:
                yield CodeBlock(merged(_verbatim(line.text)))
        else:
            yield Paragraph(_paragraph(group))


def _paragraph(lines: Iterable[_Line]) -> tuple[Inline, ...]:
    leaves: list[Inline] = []
    for n, line in enumerate(lines):
        if n:
            leaves.append(Text("\n"))
        leaves += _inline(line.text)
    return merged(leaves)


def _lines(text: str) -> Iterator[_Line]:
    """Cut at fences and line ends; one line end next to a fence goes with it."""
    quotes = _Quotes()
    at_start = True
    segments = list(_segments(text))
    for number, (fenced, segment) in enumerate(segments, 1):
        if fenced:
            yield _Line(segment, quotes.quoted, fenced=True)
            at_start = False
            continue
        lines = segment.split("\n")
        for n, line in enumerate(lines):
            inner = quotes.inside(line) if n or at_start else line
            after_fence = n == 0 and not at_start
            before_fence = n == len(lines) - 1 and number < len(segments)
            if inner or not (after_fence or before_fence):
                yield _Line(inner, quotes.quoted)


def _segments(text: str) -> Iterator[tuple[bool, str]]:
    """Yield what is outside (False) and inside (True) of closed fences, in turns."""
    position = 0
    while (start := text.find(_FENCE, position)) >= 0:
        inside = start + len(_FENCE)
        end = text.find(_FENCE, inside + 1)
        if end < 0:
            break
        yield False, text[position:start]
        yield True, text[inside:end].removeprefix("\n").removesuffix("\n")
        position = end + len(_FENCE)
    yield False, text[position:]


@dataclass(slots=True)
class _Quotes:
    """Whether the reader is in a quote, and whether it lasts to the end."""

    quoted: bool = False
    to_the_end: bool = False

    def inside(self, line: str) -> str:
        """Return a line without its quote mark."""
        if self.to_the_end:
            return line
        self.to_the_end = bool(_QUOTE_ALL.match(line))
        mark = (_QUOTE_ALL if self.to_the_end else _QUOTE).match(line)
        self.quoted = mark is not None
        return line[mark.end() :] if mark else line


def _verbatim(text: str, styles: Styles = ()) -> Iterator[Inline]:
    """Yield the inside of code: people have their names there, links are words."""
    position = 0
    for token in _TOKEN.finditer(text):
        yield Text(tokens.unescape(text[position : token.start()]), styles)
        leaf = tokens.leaf(token["token"])
        shown = Text(leaf.label or leaf.url) if isinstance(leaf, Link) else leaf
        yield replace(shown, styles=styles)
        position = token.end()
    yield Text(tokens.unescape(text[position:]), styles)


def _inline(line: str) -> Iterator[Inline]:
    items = list(_items(line))
    opening, closing = _pairs(items)
    styles: list[Style] = []
    for n, item in enumerate(items):
        if n in opening:
            styles.append(opening[n])
        elif n in closing:
            styles.pop()
        else:
            leaf = Text(item[0]) if isinstance(item, re.Match) else item
            yield replace(leaf, styles=styled((*styles, *leaf.styles)))


def _items(line: str) -> Iterator[Inline | re.Match[str]]:
    """Yield leaves, and the markers that may turn out to be styles."""
    atoms = list(_ATOM.finditer(line))
    ends = [each for each in atoms if each[0] == "`" and _closes(each)]
    starts_of_ends = [each.start() for each in ends]
    position = 0
    for atom in atoms:
        if atom.start() < position:
            continue
        yield Text(tokens.unescape(line[position : atom.start()]))
        position = atom.end()
        if atom["token"]:
            yield tokens.leaf(atom["token"])
        elif atom["emoji"]:
            yield tokens.emoji(atom["emoji"])
        elif atom[0] != "`":
            yield atom
        elif _opens(atom) and starts_of_ends and starts_of_ends[-1] > position:
            end = ends[bisect_right(starts_of_ends, position)]
            yield from _verbatim(line[position : end.start()], (Style.CODE,))
            position = end.end()
        else:
            yield Text("`")
    yield Text(tokens.unescape(line[position:]))


def _pairs(
    items: Iterable[Inline | re.Match[str]],
) -> tuple[Mapping[int, Style], Collection[int]]:
    """Match markers. The inner one closes first; what crosses it stays literal."""
    opening: dict[int, Style] = {}
    closing: set[int] = set()
    still_open: dict[str, int] = {}
    for n, item in enumerate(items):
        if not isinstance(item, re.Match):
            continue
        marker = item[0]
        if marker not in still_open:
            if _opens(item):
                still_open[marker] = n
        elif _closes(item):
            opening[still_open[marker]] = _STYLES[marker]
            closing.add(n)
            while still_open.popitem()[0] != marker:
                pass
    return opening, closing


def _opens(marker: re.Match[str]) -> bool:
    before, after = _neighbours(marker)
    if before.isalnum() or before in {marker[0], _GLUE}:
        return False
    return bool(after) and not after.isspace() and after != marker[0]


def _closes(marker: re.Match[str]) -> bool:
    before, after = _neighbours(marker)
    if after.isalnum() or after == marker[0]:
        return False
    return bool(before) and not before.isspace() and before != marker[0]


def _neighbours(marker: re.Match[str]) -> tuple[str, str]:
    start, end = marker.span()
    return marker.string[max(start - 1, 0) : start], marker.string[end : end + 1]
