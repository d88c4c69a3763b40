"""Whole documents through each platform's form and back."""

import json
import re
from html import unescape

from hypothesis import given
from lxml import html

from bots.sandbox.slack.blocks import check_blocks
from bots.slack import rich_text
from bots.teams import html_in, html_out
from bridge.document import (
    NOBODY,
    Document,
    Image,
    Inline,
    Names,
    Paragraph,
    Text,
    from_json,
    to_json,
)
from bridge.leaves import flat, words
from tests.documents import documents, names, tag_soup

_CAROL = {"type": "mention", "text": "<at>x</at>", "mentioned": {"id": "29:carol"}}


@given(documents, names)
def test_html_keeps_the_words(document: Document, known: Names) -> None:
    text, entities = html_out.render(document, known)

    read, files = html_in.parse_html(text, entities)

    pictures = [leaf for leaf in _leaves(document) if isinstance(leaf, Image)]
    assert _told(read, NOBODY) == _told(document, known)
    assert len(files) == len(pictures)


def test_a_picture_named_like_an_emoji_stays_a_picture() -> None:
    document = Document((Paragraph((Image("https://e.com/i.png", ":smile:"),)),))

    read, files = html_in.parse_html(*html_out.render(document, NOBODY))

    assert _told(read, NOBODY) == ""
    assert len(files) == 1


@given(documents, names)
def test_html_calls_exactly_those_whom_its_entities_name(
    document: Document, known: Names
) -> None:
    text, entities = html_out.render(document, known)

    root = html.fragment_fromstring(text or " ", create_parent="div")
    shown = [each.text_content() for each in root.iter("at")]
    assert {entity["mentioned"]["id"] for entity in entities} <= {"29:alice"}
    assert [entity["mentioned"]["name"] for entity in entities] == shown
    assert [unescape(entity["text"]) for entity in entities] == [
        f"<at>{name}</at>" for name in shown
    ]


@given(documents, names)
def test_blocks_keep_the_words(document: Document, known: Names) -> None:
    text, blocks = rich_text.render(document, known)

    read = rich_text.parse_message({"blocks": blocks})

    alice = Names(people={"29:alice": known.people["U01ALICE"]})
    json.dumps([text, blocks], ensure_ascii=False).encode()
    assert _told(read, alice) == _told(document, known, pictures=True)


@given(documents, names)
def test_text_beside_blocks_calls_only_who_is_mentioned(
    document: Document, known: Names
) -> None:
    text, _ = rich_text.render(document, known)

    targets = re.findall("<([^>]*)>", text)
    assert all(re.match("@29:alice$|https://|mailto:|tel:", each) for each in targets)


@given(documents, names)
def test_blocks_are_such_as_slack_accepts(document: Document, known: Names) -> None:
    _, blocks = rich_text.render(document, known)

    check_blocks(blocks)


@given(tag_soup)
def test_tag_soup_is_read_and_can_be_shown_everywhere(soup: str) -> None:
    document, _ = html_in.parse_html(soup, [_CAROL])

    text, blocks = rich_text.render(document, NOBODY)

    check_blocks(blocks)
    text.encode()
    assert from_json(to_json(document)) == document


def _told(document: Document, names: Names, *, pictures: bool = False) -> str:
    """The letters of what a reader sees; lines and columns are another test's."""
    shown = (
        words(leaf, names)
        for leaf in _leaves(document)
        if pictures or not isinstance(leaf, Image)
    )
    return "".join(filter(str.isalnum, "".join(shown)))


def _leaves(document: Document) -> list[Inline]:
    return list(flat(document.blocks, Text("")))
