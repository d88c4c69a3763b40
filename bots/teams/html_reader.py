"""Teams HTML, read tag by tag into blocks."""

import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from bots.teams.html_frames import Frame, Frames, Kind
from bots.teams.html_line import Line
from bots.teams.html_mentions import Mentions
from bridge.document import Block, CodeBlock, Document, Rule, Style, Text
from bridge.text import clean, one_line, safe_url

_STYLES = {
    "b": Style.BOLD,
    "strong": Style.BOLD,
    "i": Style.ITALIC,
    "em": Style.ITALIC,
    "s": Style.STRIKE,
    "strike": Style.STRIKE,
    "del": Style.STRIKE,
    "code": Style.CODE,
    "kbd": Style.CODE,
    "samp": Style.CODE,
    "tt": Style.CODE,
}
_LOOKS = (
    (re.compile(r"font-weight:\s*(?:bold|[6-9]00)"), Style.BOLD),
    (re.compile(r"font-style:\s*italic"), Style.ITALIC),
    (re.compile(r"text-decoration[a-z-]*:[^;]*line-through"), Style.STRIKE),
)
_HEADINGS = {"h1", "h2", "h3", "h4", "h5", "h6"}
_PARAGRAPHS = {
    *("p", "div", "section", "article", "header", "footer", "main", "aside", "nav"),
    *("address", "figure", "figcaption", "caption", "center", "details", "summary"),
    *("dl", "dt", "dd", "fieldset", "form", "html", "body", *_HEADINGS),
}
_VERBATIM = {"pre", "codeblock", "xmp", "listing"}
_UNSEEN = {"script", "style", "head", "title", "template", "noscript", "object"}
_LANGUAGE = re.compile(r"(?:language-)?([\w+#.-]+)")
_NAME = re.compile(r"[\w+'-]+")
_SHORT_NAME = re.compile(rf":{_NAME.pattern}:")
_ALIGN = re.compile(r"text-align:\s*(left|right|center)")

Attributes = Mapping[str, str | None]


@dataclass(slots=True)
class _Opened:
    """An open tag, and what has to be done when it closes."""

    tag: str
    undo: Callable[[], None] | None = None
    frame: bool = False


class Reader:
    """
    A target for a parser's events. It keeps its own stack of tags, so that nothing in
    the text decides how deep a call goes.

    `quotes` are blocks that stand in the place of an `<attachment>`, by its id.
    `images` collects address and description of pictures, and whether Teams keeps them,
    `attachments` the ids of what else is referred to.
    """

    def __init__(self, mentions: Mentions, quotes: Mapping[str, Block]) -> None:
        self.images: list[tuple[str, str, bool]] = []
        self.attachments: list[str] = []
        self._quotes = quotes
        self._frames = Frames()
        self._line = Line(mentions)
        self._open: list[_Opened] = []
        self._counts: Counter[str] = Counter()
        self._verbatim: list[str] | None = None
        self._language = ""
        self._unseen = False

    def start(self, tag: str, attributes: Attributes) -> None:
        given = {key: value or "" for key, value in attributes.items()}
        self._make_room(tag)
        opened = _Opened(tag)
        self._open.append(opened)
        self._counts[tag] += 1
        if self._unseen:
            return
        if self._verbatim is not None:
            self._start_verbatim(tag, given)
        elif not self._start_block(opened, given):
            self._start_inline(opened, given)

    def end(self, tag: str) -> None:
        """Close a tag and what is still open in it; what was never open is ignored."""
        while self._counts[tag]:
            opened = self._open.pop()
            self._counts[opened.tag] -= 1
            if opened.undo:
                opened.undo()
            if opened.tag == tag:
                return

    def data(self, text: str) -> None:
        if self._unseen:
            return
        if self._verbatim is not None:
            self._verbatim.append(text)
        else:
            self._line.say(text)

    def comment(self, text: str) -> None:
        """Comments say nothing."""

    def close(self) -> None:
        while self._open:
            self.end(self._open[-1].tag)
        self._flush()

    def document(self) -> Document:
        """Return what was read, once it is closed."""
        return self._frames.document()

    def _make_room(self, tag: str) -> None:
        """Close what HTML closes by itself when `tag` begins."""
        if tag == "li":
            self._close_frames({Kind.ITEM})
        elif tag in {"td", "th"}:
            self._close_frames({Kind.CELL})
        elif tag == "tr":
            self._close_frames({Kind.CELL})
            self._close_frames({Kind.ROW})

    def _close_frames(self, kinds: Collection[Kind]) -> None:
        if self._frames.top not in kinds:
            return
        while not self._open[-1].frame:
            self.end(self._open[-1].tag)
        self.end(self._open[-1].tag)

    def _flush(self) -> None:
        paragraph = self._line.take()
        if paragraph is not None:
            self._frames.add(paragraph)

    def _start_block(self, opened: _Opened, given: Mapping[str, str]) -> bool:
        tag = opened.tag
        if tag in _PARAGRAPHS:
            self._flush()
            opened.undo = self._flush
            if tag in _HEADINGS:
                self._style(opened, Style.BOLD)
        elif tag in _VERBATIM:
            self._flush()
            self._verbatim, self._language = [], given.get("class", "")
            opened.undo = self._close_verbatim
        elif tag in _UNSEEN:
            self._unseen = True
            opened.undo = self._see
        elif tag == "hr":
            self._flush()
            self._frames.add(Rule())
        elif frame := _frame(tag, given):
            self._flush()
            opened.frame = self._frames.open(frame)
            opened.undo = self._close_frame if opened.frame else self._flush
        else:
            return False
        return True

    def _start_inline(self, opened: _Opened, given: Mapping[str, str]) -> None:
        tag, kind = opened.tag, given.get("itemtype", "").rpartition("/")[2].lower()
        if tag == "br":
            self._line.end()
        elif tag == "a" and self._line.open_link(safe_url(given.get("href", ""))):
            opened.undo = self._line.close_link
        elif tag == "at" or kind == "mention":
            index = given.get("itemid") or given.get("id") or ""
            if self._line.open_mention(index):
                opened.undo = self._line.close_mention
        elif tag in {"img", "emoji", "customemoji"}:
            self._picture(tag, kind, given)
        elif tag == "attachment":
            self._attachment(given.get("id", ""))
        elif style := _STYLES.get(tag) or _look(given.get("style", "")):
            self._style(opened, style)

    def _style(self, opened: _Opened, style: Style) -> None:
        if style in self._line.styles:
            return
        undo = opened.undo
        self._line.styles.append(style)

        def restore() -> None:
            if undo:
                undo()
            self._line.styles.pop()

        opened.undo = restore

    def _attachment(self, number: str) -> None:
        if number in self._quotes:
            self._flush()
            self._frames.add(self._quotes[number])
        elif number:
            self.attachments.append(number)

    def _picture(self, tag: str, kind: str, given: Mapping[str, str]) -> None:
        alt = one_line(given.get("alt") or given.get("title") or "")
        custom = "customemoji" in {tag, kind} and _NAME.fullmatch(alt.strip(":"))
        if custom:
            self._line.show(custom[0])
            return
        is_emoji = kind == "emoji" or "emoji" in given.get("class", "")
        if tag != "img" or is_emoji or _SHORT_NAME.fullmatch(alt):
            self._line.say(f":{alt.strip(':')}:" if alt.isascii() and alt else alt)
        elif url := safe_url(given.get("src", "")):
            self.images.append((url, alt, kind == "amsimage"))
        else:
            self._line.say(f"[{alt or 'image'}]")

    def _start_verbatim(self, tag: str, given: Mapping[str, str]) -> None:
        lines = self._verbatim or []
        if tag == "br" or (
            tag in {"div", "p", "tr", "li"} and lines and not lines[-1].endswith("\n")
        ):
            lines.append("\n")
        elif tag in {"img", "emoji"}:
            lines.append(given.get("alt", ""))
        elif tag == "code":
            self._language = self._language or given.get("class", "")

    def _close_verbatim(self) -> None:
        text = clean("".join(self._verbatim or [])).replace("\u00a0", " ")
        text = text.removeprefix("\n").removesuffix("\n")
        language = _LANGUAGE.search(self._language)
        if text:
            content = (Text(text),)
            self._frames.add(CodeBlock(content, language[1] if language else ""))
        self._verbatim, self._language = None, ""

    def _close_frame(self) -> None:
        self._flush()
        self._frames.close()

    def _see(self) -> None:
        self._unseen = False


def _frame(tag: str, given: Mapping[str, str]) -> Frame | None:
    match tag:
        case "blockquote":
            return Frame(Kind.QUOTE)
        case "ul" | "ol":
            start = given.get("start", "")
            number = int(start) if re.fullmatch("[0-9]{1,9}", start) else 1
            return Frame(Kind.LIST, ordered=tag == "ol", start=number)
        case "li":
            return Frame(Kind.ITEM)
        case "table":
            return Frame(Kind.TABLE)
        case "tr":
            return Frame(Kind.ROW)
        case "td" | "th":
            align = _ALIGN.search(given.get("style", "")) or ["", given.get("align")]
            known = {"right", "center"}
            return Frame(Kind.CELL, align=align[1] if align[1] in known else "left")
    return None


def _look(css: str) -> Style | None:
    return next((style for look, style in _LOOKS if look.search(css)), None)
