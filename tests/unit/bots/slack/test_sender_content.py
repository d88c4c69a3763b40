"""What a copy in Slack shows, before it is sent."""

import json
from dataclasses import replace

import pytest

from bots.slack.sender import SlackSender, content, display_name, marker
from bridge.delivery import Post
from bridge.document import Document, Paragraph, Text
from bridge.files import Fate, FileLine
from bridge.messages import Channel, Person, PersonKind, Platform

FALCON = Channel(Platform.SLACK, "T01ACME", "C02FALCON")
PROJECT = Channel(Platform.TEAMS, "19:acme@thread.tacv2", "19:falcon@thread.tacv2")


@pytest.fixture
def sender() -> SlackSender:
    """A sender that is asked for weights only, and calls nobody for those."""
    return SlackSender(clients=None)  # type: ignore[arg-type]


def post(text: str = "hello", name: str = "Carol Díaz", note: str = "") -> Post:
    return Post(
        marker="acme.7.0",
        source=PROJECT,
        target=FALCON,
        thread="",
        author=Person(Platform.TEAMS, "29:carol", name),
        document=Document((Paragraph((Text(text),)),) if text else ()),
        note=note,
    )


def test_copy_carries_its_authors_name_and_where_it_is_from() -> None:
    assert display_name(post()) == "Carol Díaz (Teams)"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("", "Somebody (Teams)"),
        ("  a \n b ", "a b (Teams)"),
        ("\u202eevil\0\ud800", "evil (Teams)"),
        ("Ann 👩‍💻", "Ann 👩‍💻 (Teams)"),
    ],
)
def test_names_cannot_turn_or_hide_text(name: str, shown: str) -> None:
    assert display_name(post(name=name)) == shown


def test_a_note_leads_to_where_it_speaks_of() -> None:
    noted = replace(post(), note="in reply to <it>", address="https://x.example/1")

    [*_, context] = content(noted)["blocks"]

    [element] = context["elements"]
    assert element["text"] == "<https://x.example/1|in reply to &lt;it&gt;>"


def test_apps_are_told_from_people() -> None:
    app = Person(Platform.TEAMS, "28:app", "Standup", kind=PersonKind.BOT)

    assert display_name(replace(post(), author=app)) == "Standup (Teams, app)"


def test_long_names_keep_where_they_are_from() -> None:
    shown = display_name(post(name="x" * 500))

    assert len(shown) == 80
    assert shown.endswith(" (Teams)")


def test_marker_names_the_delivery() -> None:
    bridged = replace(post(), hops=("L9", "L1"), origin="teams:T/C#1")

    assert marker(bridged) == {
        "event_type": "atom_bridge",
        "event_payload": {
            "op": "acme.7.0",
            "src": "teams",
            "hops": ["L9", "L1"],
            "origin": "teams:T/C#1",
        },
    }


def test_what_fits_is_shown_in_blocks() -> None:
    shown = content(post())

    assert shown["text"] == "hello"
    assert "hello" in json.dumps(shown["blocks"])


def test_what_does_not_fit_into_blocks_is_text() -> None:
    shown = content(post("word " * 5_000))

    assert shown["blocks"] == []
    assert 3_900 < len(shown["text"]) <= 4_000
    assert shown["text"].endswith("[cut: the rest is in Teams]")


def test_weight_is_that_of_text_or_of_blocks_whichever_is_more(
    sender: SlackSender,
) -> None:
    lines = tuple(Paragraph((Text(str(n)),)) for n in range(40))

    assert sender.weight(post("x" * 1_000)) == 1_000
    assert sender.weight(post("&" * 1_000)) == 5_000
    assert sender.weight(replace(post(), document=Document(lines))) < 200


@pytest.mark.parametrize("filler", ["&", "<"])
def test_cutting_spares_entities(filler: str) -> None:
    shown = content(post(filler * 14_000))["text"]

    assert shown.partition(" … ")[0].endswith(";")


def test_empty_message_still_shows_something() -> None:
    assert content(post(""))["text"] == "(nothing to show)"


def test_note_is_shown_and_is_no_markup() -> None:
    shown = content(post(note="about <!channel>"))

    assert "<!channel>" not in shown["text"]
    assert shown["blocks"][-1]["elements"][0]["type"] == "plain_text"


@pytest.mark.parametrize(
    ("workspace", "shown"),
    [
        ("Globex", "Carol Díaz (Teams, Globex)"),
        ("\u202e", "Carol Díaz (Teams)"),
        ("x" * 90, f"Carol Díaz (Teams, {'x' * 30})"),
    ],
)
def test_the_name_says_which_workspace_if_there_are_several(
    workspace: str, shown: str
) -> None:
    assert display_name(replace(post(), workspace=workspace)) == shown


def test_files_have_lines_whose_names_lead_to_the_originals() -> None:
    line = FileLine("<a|b>.png", 2_000, Fate.LINKED, Platform.TEAMS, "https://x/?a&b")
    filed = replace(post(), files=(line,))

    made = content(filed)

    said = ":paperclip: <https://x/?a&amp;b|&lt;a¦b&gt;.png (2 kB)>: open it in Teams"
    assert made["text"] == f"hello\n{said}"
    assert made["blocks"][-1]["elements"][0]["text"] == said


def test_a_message_of_files_alone_has_their_lines() -> None:
    line = FileLine("cat.png", 0, Fate.COMING, Platform.TEAMS)

    made = content(replace(post(text=""), files=(line,)))

    assert made == {"text": ":paperclip: cat.png: on its way", "blocks": []}
