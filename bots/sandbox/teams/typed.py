"""What people and bots write: the HTML that Teams keeps, the text that it tells."""

import html as entities
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from html.parser import HTMLParser
from typing import Any

Mention = dict[str, str]

_BLOCKS = frozenset({"p", "div", "li", "blockquote", "pre", "h1", "h2", "h3", "tr"})
_STARTS_WITH_BLOCK = re.compile(
    r"\s*<(p|div|ul|ol|blockquote|pre|h[1-6]|table)\b", re.IGNORECASE
)
_AT = re.compile(r"</?at\b[^>]*>", re.IGNORECASE)
_HELD = re.compile("\ue000(\\d+)\ue001")
_SPAN = re.compile(
    r"<span\b(?=[^>]*schema\.skype\.com/Mention)[^>]*\bitemid=\"(\d+)\"[^>]*>(.*?)</span>",
    re.IGNORECASE | re.DOTALL,
)
_SPACES = re.compile(r"[ \t\r\n]+")
_MARKDOWN = (
    (re.compile(r"`([^`\n]+)`"), r"<code>\1</code>"),
    (re.compile(r"\*\*([^*\n]+)\*\*"), r"<strong>\1</strong>"),
    (re.compile(r"(?<![\w*])[*_]([^*_\n]+)[*_](?![\w*])"), r"<em>\1</em>"),
    (re.compile(r"~~([^~\n]+)~~"), r"<s>\1</s>"),
    (re.compile(r"\[([^\]\n]+)\]\((https?://[^)\s]+)\)"), r'<a href="\2">\1</a>'),
)


def from_person(said: Mapping[str, Any], bot: Mention) -> tuple[str, list[Mention]]:
    """
    Return what a person typed as HTML, and whom it mentions, in order.

    `said` has "html" with numbered mention spans, or "text" in which "@Name" or
    "<at>Name</at>" stands for each of "mentions"; "mention_bot" puts the bot first.
    """
    mentions = [
        {key: str(value) for key, value in one.items()}
        for one in said.get("mentions", [])
    ]
    if "html" in said:
        html = _in_block(str(said["html"]))
    else:
        html = _placed(
            _paragraphs(_held(str(said.get("text", "")), mentions)), mentions
        )
    if said.get("mention_bot"):
        html = _after_opening(html, mention_span(len(mentions), bot["name"]) + " ")
        mentions.append(bot)
    return html, mentions


def from_bot(
    activity: Mapping[str, Any], known: Mapping[str, str]
) -> tuple[str, list[Mention]]:
    """
    Return what a bot posts as HTML, and whom it mentions.

    A mention whose text is not in the message, or that is of nobody `known` (name
    by id), is ignored, as Teams does.
    """
    text = str(activity.get("text") or "")
    mentions: list[Mention] = []
    for entity in activity.get("entities") or []:
        mentioned = entity.get("mentioned") or {}
        told, person = str(entity.get("text") or ""), str(mentioned.get("id", ""))
        if entity.get("type") != "mention" or person not in known:
            continue
        if not told or told not in text:
            continue
        text = text.replace(told, f"\ue000{len(mentions)}\ue001", 1)
        name = str(mentioned.get("name") or known[person])
        mentions.append({"id": person, "name": entities.unescape(name)})
    return _placed(_formatted(text, activity.get("textFormat")), mentions), mentions


def mention_span(number: int, name: str) -> str:
    return (
        '<span itemscope itemtype="http://schema.skype.com/Mention" '
        f'itemid="{number}">{entities.escape(name, quote=False)}</span>'
    )


@lru_cache(4096)
def told_text(html: str, *, escaped: bool = False) -> str:
    """Return the text of an activity: no markup, but mentions as <at>Name</at>."""
    reader = _Reader(escaped=escaped)
    reader.feed(html)
    reader.close()
    return reader.text()


def told_entities(mentions: Sequence[Mention]) -> list[dict[str, Any]]:
    return [
        {
            "type": "mention",
            "text": f"<at>{entities.escape(one['name'], quote=False)}</at>",
            "mentioned": {
                key: one[key] for key in ("id", "name", "type") if one.get(key)
            },
        }
        for one in mentions
    ]


def graph_html(html: str) -> str:
    """Return the HTML as Graph shows it, with its own tag for mentions."""
    return _SPAN.sub(r'<at id="\1">\2</at>', html)


def _held(text: str, mentions: Sequence[Mention]) -> str:
    for number, one in enumerate(mentions):
        for form in (f"<at>{one['name']}</at>", f"@{one['name']}"):
            if form in text:
                text = text.replace(form, f"\ue000{number}\ue001", 1)
                break
    return text


def _placed(html: str, mentions: Sequence[Mention]) -> str:
    def span(match: re.Match[str]) -> str:
        number = int(match[1])
        if number >= len(mentions):
            return match[0]
        return mention_span(number, mentions[number]["name"])

    return _HELD.sub(span, html)


def _paragraphs(text: str) -> str:
    if not text:
        return ""
    escaped = entities.escape(text, quote=False)
    return "".join(
        f"<p>{part.replace(chr(10), '<br>') or '&nbsp;'}</p>"
        for part in escaped.split("\n\n")
    )


def _in_block(html: str) -> str:
    return html if _STARTS_WITH_BLOCK.match(html) else f"<p>{html}</p>"


def _after_opening(html: str, piece: str) -> str:
    at = html.index(">") + 1 if html.startswith(("<p", "<div")) else 0
    return html[:at] + piece + html[at:] if at else f"<p>{piece}</p>{html}"


def _formatted(text: str, text_format: object) -> str:
    if text_format == "xml":
        return _AT.sub("", text)
    if text_format == "plain":
        return _paragraphs(text)
    html = _paragraphs(_AT.sub("", text))
    for pattern, replacement in _MARKDOWN:
        html = pattern.sub(replacement, html)
    return html


class _Reader(HTMLParser):
    """Collects the text, line by line."""

    def __init__(self, *, escaped: bool) -> None:
        super().__init__(convert_charrefs=True)
        self._escaped = escaped
        self._parts: list[str] = []
        self._spans: list[bool] = []
        self._pre = 0

    def text(self) -> str:
        return "".join(self._parts)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = {name: value or "" for name, value in attrs}
        if tag == "br":
            self._parts.append("\n")
        elif tag in {"img", "emoji"}:
            self._parts.append(named.get("alt", "") if _is_emoji(tag, named) else "")
        elif tag == "span":
            self._spans.append("schema.skype.com/Mention" in named.get("itemtype", ""))
            self._parts.append("<at>" if self._spans[-1] else "")
        elif tag == "pre":
            self._pre += 1

    def handle_endtag(self, tag: str) -> None:
        if tag == "span" and self._spans:
            self._parts.append("</at>" if self._spans.pop() else "")
        elif tag in _BLOCKS:
            self._pre -= tag == "pre" and self._pre > 0
            self._end_line()

    def handle_data(self, data: str) -> None:
        if not self._pre:
            data = _SPACES.sub(" ", data)
            if self._at_line_start():
                data = data.lstrip(" ")
        mentioned = any(self._spans)
        quote = self._escaped or mentioned
        self._parts.append(entities.escape(data, quote=False) if quote else data)

    def _end_line(self) -> None:
        if not self._at_line_start():
            self._parts.append("\n")

    def _at_line_start(self) -> bool:
        for part in reversed(self._parts):
            if part:
                return part.endswith("\n")
        return True


def _is_emoji(tag: str, named: Mapping[str, str]) -> bool:
    return tag == "emoji" or "schema.skype.com/Emoji" in named.get("itemtype", "")
