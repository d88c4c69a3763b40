"""What a post looks like in Teams."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.teams.content import comparable, content, file_line, header, plain_name
from bridge.delivery import Post
from bridge.document import Document, Mention, Paragraph, Text
from bridge.files import Fate, FileLine
from bridge.messages import Person, Platform
from tests.events import ALICE, FALCON, words
from tests.teams_world import FALCON as TEAMS_FALCON


def test_author_stands_on_top_with_the_platform_they_speak_from() -> None:
    assert header(ALICE, FALCON) == "<p><strong>Alice Wong</strong> (Slack)</p>"


def test_picture_is_shown_if_it_comes_over_an_encrypted_address() -> None:
    picture = 'https://avatars.example/a.png?s=72&x="><b>'
    shown = header(Person(Platform.SLACK, "U1", "A", picture), FALCON)
    hidden = header(Person(Platform.SLACK, "U1", "A", "javascript:alert(1)"), FALCON)

    assert '<img src="https://avatars.example/a.png?s=72&amp;x=&quot;&gt;' in shown
    assert "<img" not in hidden


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("</strong><at>CEO</at>", "</strong><at>CEO</at>"),
        ("Al\u202eecnad\u202c", "Alecnad"),
        ("\u2067Mallory\u2069", "Mallory"),
        ("A\nB\tC\x00", "A B C"),
        ("  spaced   out ", "spaced out"),
        ("👩‍💻 Dev", "👩‍💻 Dev"),
        ("x" * 200, "x" * 80),
        ("\u202e\u200f", ""),
    ],
)
def test_name_cannot_pass_for_another(name: str, shown: str) -> None:
    assert plain_name(name) == shown


@given(st.text(max_size=60))
def test_no_name_brings_markup_of_its_own(name: str) -> None:
    made = header(Person(Platform.SLACK, "U1", name), FALCON)

    assert re.findall(r"<[^>]*>", made) == ["<p>", "<strong>", "</strong>", "</p>"]
    assert made.encode()


def test_mentioned_people_are_called_by_name_and_nobody_is_pinged() -> None:
    document = Document((Paragraph((Text("ask "), Mention("U02BOB"))),))
    bob = Person(Platform.SLACK, "U02BOB", "Bob Stone")
    post = Post("m", FALCON, TEAMS_FALCON, "", ALICE, document, {"U02BOB": bob})

    html, entities = content(post, document)

    assert "Bob Stone" in html
    assert entities == []


def test_note_stands_below() -> None:
    post = Post("m", FALCON, TEAMS_FALCON, "", ALICE, words("hi"), note="a <note>")

    html, _ = content(post, post.document)

    assert html.endswith("<p><em>a &lt;note&gt;</em></p>")


@pytest.mark.parametrize(
    "stored",
    [
        "<p><strong>Alice</strong> (Slack)</p><p>it's ok 😀</p>",
        "<div><div>\n<p><b>Alice</b>&nbsp;(Slack)</p>\r\n<p>it&#39;s  ok 😀</p></div></div>",
        '<p>Alice (Slack)</p><p>it\'s ok <emoji id="smile" alt="😀"></emoji></p>',
        '<p><img src="x" alt="">Alice (Slack)</p><p>it\'s&#160;ok 😀\ufe0f\u200b</p>',
    ],
)
def test_what_teams_rewrites_compares_equal(stored: str) -> None:
    said = "<p><strong>Alice</strong> (Slack)</p><p>it&#x27;s ok 😀</p>"

    assert comparable(stored) == comparable(said)


def test_other_words_compare_different() -> None:
    assert comparable("<p>yes</p>") != comparable("<p>no</p>")


@given(st.text(max_size=200))
def test_whatever_teams_stored_can_be_compared(html: str) -> None:
    assert isinstance(comparable(html), str)


@pytest.mark.parametrize(
    ("workspace", "shown"),
    [
        ("Globex", "(Slack, Globex)"),
        (" \u202e<b>\n", "(Slack, &lt;b&gt;)"),
        ("\u202e", "(Slack)"),
        ("x" * 90, f"(Slack, {'x' * 30})"),
    ],
)
def test_the_header_says_which_workspace_if_there_are_several(
    workspace: str, shown: str
) -> None:
    assert header(ALICE, FALCON, workspace).endswith(f"</strong> {shown}</p>")


def test_a_files_line_leads_to_the_original_and_brings_no_markup() -> None:
    line = FileLine(
        "<b>\u202ecat.png", 2_000, Fate.LINKED, Platform.SLACK, "https://x/?a&b"
    )

    shown = file_line(line)

    assert shown == (
        '📎 <a href="https://x/?a&amp;b">&lt;b&gt;cat.png (2 kB)</a>: open it in Slack'
    )


def test_a_files_line_leads_nowhere_unsafe() -> None:
    line = FileLine("a", 0, Fate.LINKED, Platform.SLACK, "javascript:alert(1)")

    assert file_line(line) == "📎 a: open it in Slack"


def test_a_message_of_files_alone_has_their_lines() -> None:
    line = FileLine("cat.png", 0, Fate.COMING, Platform.SLACK)
    post = Post("m", FALCON, TEAMS_FALCON, "", ALICE, Document(), files=(line,))

    html, _ = content(post, Document())

    assert html.endswith("<p>📎 cat.png: on its way</p>")
