"""
Read what a card says: its words, without how they look.

Bots and connectors in Teams speak in cards: Adaptive Cards, hero and thumbnail cards,
and the older connector cards. What can be clicked stays where it is.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from bots.teams.wire import mapping, mappings, text_of
from bridge.document import Block, Image, Paragraph, Style, Styles, Text
from bridge.leaves import merged
from bridge.text import clean, one_line, safe_url

_ADAPTIVE = "application/vnd.microsoft.card.adaptive"
_CONNECTOR = "application/vnd.microsoft.teams.card.o365connector"
_CARDS = "application/vnd.microsoft."
_DEEPEST = 12
_MOST = 500  # blocks
_INSIDE = ("body", "items", "columns", "rows", "cells", "card", "images")


def card_blocks(activity: Mapping[str, Any]) -> list[Block]:
    """Return what an activity's cards say, one after another."""
    found = [
        block
        for attachment in mappings(activity.get("attachments"))
        if text_of(attachment.get("contentType")).startswith(_CARDS)
        for block in _card(attachment)
    ]
    return found[:_MOST]


def _card(attachment: Mapping[str, Any]) -> Iterator[Block]:
    """Graph gives a card as JSON in a string, the connector as it is."""
    content = attachment.get("content")
    if isinstance(content, str):
        try:
            content = json.loads(content)
        except (ValueError, RecursionError):
            return
    card = mapping(content)
    match text_of(attachment.get("contentType")):
        case kind if kind == _ADAPTIVE:
            said = [*_element(card, _DEEPEST)]
            yield from said or _words(card.get("fallbackText"))
        case kind if kind == _CONNECTOR:
            yield from _connector(card)
        case _:
            yield from _words(card.get("title"), (Style.BOLD,))
            yield from _words(card.get("subtitle"))
            yield from _words(card.get("text"))


def _element(element: Mapping[str, Any], depth: int) -> Iterator[Block]:
    if depth == 0 or element.get("isVisible") is False:
        return
    match text_of(element.get("type")):
        case "TextBlock":
            bold = text_of(element.get("weight")).lower() == "bolder"
            yield from _words(element.get("text"), (Style.BOLD,) if bold else ())
        case "RichTextBlock":
            yield from _words("".join(_runs(element)))
        case "FactSet":
            for fact in mappings(element.get("facts")):
                yield from _fact(text_of(fact.get("title")), text_of(fact.get("value")))
        case "Image":
            if url := safe_url(text_of(element.get("url"))):
                alt = one_line(text_of(element.get("altText")))
                yield Paragraph((Image(url, alt),))
        case "ActionSet":
            return
        case _:
            for name in _INSIDE:
                yield from _inside(element.get(name), depth - 1)


def _inside(value: Any, depth: int) -> Iterator[Block]:
    if isinstance(value, Mapping):
        yield from _element(value, depth)
    for element in mappings(value):
        yield from _element(element, depth)


def _runs(element: Mapping[str, Any]) -> Iterator[str]:
    inlines = element.get("inlines")
    for inline in inlines if isinstance(inlines, list) else ():
        yield (
            inline if isinstance(inline, str) else text_of(mapping(inline).get("text"))
        )


def _connector(card: Mapping[str, Any]) -> Iterator[Block]:
    yield from _words(card.get("title") or card.get("summary"), (Style.BOLD,))
    yield from _words(card.get("text"))
    for section in mappings(card.get("sections")):
        for name in ("title", "activityTitle"):
            yield from _words(section.get(name), (Style.BOLD,))
        for name in ("activitySubtitle", "activityText", "text"):
            yield from _words(section.get(name))
        for fact in mappings(section.get("facts")):
            yield from _fact(text_of(fact.get("name")), text_of(fact.get("value")))


def _fact(title: str, value: str) -> Iterator[Block]:
    label = one_line(title).rstrip(":")
    leaves = [Text(f"{label}: ", (Style.BOLD,))] if label else []
    if content := merged((*leaves, Text(clean(value)))):
        yield Paragraph(content)


def _words(text: Any, styles: Styles = ()) -> Iterator[Block]:
    if said := clean(text_of(text)).strip():
        yield Paragraph((Text(said, styles),))
