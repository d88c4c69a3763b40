"""The paragraph of an HTML text that is being read."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from bots.teams.html_mentions import Mentioned, Mentions
from bridge.document import (
    NOBODY,
    Broadcast,
    Emoji,
    Inline,
    Link,
    Paragraph,
    Style,
    Styles,
    Text,
)
from bridge.leaves import all_words, merged, styled
from bridge.text import clean, one_line

_SPACES = re.compile(r"[ \t\n\f\r]+")
_NBSP = "\u00a0"


@dataclass(slots=True)
class Line:
    """Leaves so far, with HTML's rules for space, and what is open around them."""

    mentions: Mentions
    styles: list[Style] = field(default_factory=list)
    _leaves: list[Inline] = field(default_factory=list)
    _after_space: bool = True
    _link: tuple[str, int] | None = None
    _mention: tuple[str, int] | None = None

    def say(self, text: str) -> None:
        """Add words. A row of spaces is one space, and none at the line's start."""
        text = _SPACES.sub(" ", text)
        if self._after_space:
            text = text.removeprefix(" ")
        if text:
            self._after_space = text.endswith(" ")
            self._leaves.append(Text(text.replace(_NBSP, " "), styled(self.styles)))

    def show(self, emoji: str) -> None:
        """Add a custom emoji by its name."""
        self._after_space = False
        self._leaves.append(Emoji(emoji, styles=styled(self.styles)))

    def end(self) -> None:
        self._leaves.append(Text("\n", styled(self.styles)))
        self._after_space = True

    def open_link(self, url: str) -> bool:
        """Begin a link; inside another one it is none."""
        if self._link is not None:
            return False
        self._link = (url, len(self._leaves))
        return True

    def close_link(self) -> None:
        if self._link is not None:
            self._finish_link(*self._link)
            self._link = None

    def open_mention(self, index: str) -> bool:
        if self._mention is not None:
            return False
        self._mention = (index, len(self._leaves))
        return True

    def close_mention(self) -> None:
        if self._mention is not None:
            self._finish_mention(*self._mention)
            self._mention = None

    def take(self) -> Paragraph | None:
        """Return what is there as a paragraph and begin the next one."""
        if self._mention is not None:
            self._finish_mention(*self._mention)
            self._mention = (self._mention[0], 0)
        if self._link is not None:
            self._finish_link(*self._link)
            self._link = (self._link[0], 0)
        leaves, self._leaves, self._after_space = self._leaves, [], True
        if not leaves:
            return None
        whole = merged(_one_mention_each(merged(leaves)))
        return Paragraph(_without_end(merged(map(_tidied, whole))))

    def _finish_link(self, url: str, start: int) -> None:
        inner = self._leaves[start:]
        words = all_words(inner, NOBODY)
        label = one_line(words)
        if not label or not url:
            return
        link = Link(url, "" if label == url else label, _common_styles(inner))
        around = [Text(" ")] if words[:1].isspace() else []
        self._leaves[start:] = [*around, link]
        if words[-1:].isspace():
            self._leaves.append(Text(" "))

    def _finish_mention(self, index: str, start: int) -> None:
        inner = self._leaves[start:]
        words = all_words(inner, NOBODY)
        mention = self.mentions.named(words, index) if words.strip() else None
        if mention:
            found = replace(mention, styles=_common_styles(inner))
            self._leaves[start:] = [found]


def _common_styles(leaves: Sequence[Inline]) -> Styles:
    first, *others = [leaf for leaf in leaves if all_words((leaf,), NOBODY).strip()]
    sets = [set(leaf.styles) for leaf in others]
    return tuple(style for style in first.styles if all(style in each for each in sets))


def _one_mention_each(leaves: Sequence[Inline]) -> Iterator[Inline]:
    """Put together what a client tore apart: one mention made word by word."""
    waiting: Mentioned | None = None
    space: Text | None = None
    for leaf in leaves:
        if waiting and isinstance(leaf, Text) and leaf.text.isspace() and not space:
            space = leaf
            continue
        whole = _mended(waiting, leaf, " " if space else "")
        if whole:
            waiting, space = whole, None
            continue
        yield from (each for each in (waiting, space) if each)
        waiting = space = None
        if isinstance(leaf, Mentioned):
            waiting = leaf
        else:
            yield leaf
    yield from (each for each in (waiting, space) if each)


def _mended(one: Mentioned | None, other: Inline, joint: str) -> Mentioned | None:
    """Return what two mentions are together, if they are two parts of one."""
    if isinstance(one, Broadcast) or isinstance(other, Broadcast):
        return one if one == other else None
    if one is None or not isinstance(other, Mentioned) or type(one) is not type(other):
        return None
    if one.id != other.id or one.label == other.label:
        return None
    return replace(one, label=f"{one.label}{joint}{other.label}")


def _tidied(leaf: Inline) -> Inline:
    """Return a leaf without spaces that nobody sees, before its line ends."""
    if not isinstance(leaf, Text):
        return leaf
    *lines, last = clean(leaf.text).split("\n")
    return replace(leaf, text="\n".join([*(line.rstrip() for line in lines), last]))


def _without_end(leaves: tuple[Inline, ...]) -> tuple[Inline, ...]:
    """Return the leaves without the space and the one line break that end them."""
    kept = list(leaves)
    while kept and isinstance(last := kept[-1], Text):
        text = last.text.rstrip(" ").removesuffix("\n").rstrip(" ")
        if text:
            kept[-1] = replace(last, text=text)
            break
        kept.pop()
    return tuple(kept)
