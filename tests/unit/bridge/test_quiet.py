"""A quiet document says the same words, and calls nobody."""

from hypothesis import given

from bridge.document import Document, Mention, Names, Paragraph, PersonName, Text
from bridge.mentions import leaves, mentioned
from bridge.plain import plain_text
from bridge.quiet import quiet
from tests.documents import documents

NAMES = {"U1": "Bob Stone"}


@given(documents)
def test_nobody_is_called_any_more_and_the_rest_stays(document: Document) -> None:
    silent = quiet(document, NAMES)

    assert mentioned(silent) == frozenset()
    calling = {"Mention", "GroupMention", "ChannelMention", "Broadcast"}
    assert not {type(leaf).__name__ for leaf in leaves(silent)} & calling
    kept = [leaf for leaf in leaves(document) if type(leaf).__name__ not in calling]
    assert [leaf for leaf in leaves(silent) if leaf in kept] != [] or kept == []
    assert quiet(silent, {}) == silent


def test_people_are_named_as_they_are_known() -> None:
    said = Document((Paragraph((Mention("U1"), Text(" and "), Mention("U2", "Al"))),))

    assert plain_text(quiet(said, NAMES)) == "@Bob Stone and @Al"
    assert plain_text(said, Names({"U1": PersonName("Bob Stone")})) != ""
