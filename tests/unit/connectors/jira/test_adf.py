"""Text becomes a document of Jira's, and a document becomes text."""

from hypothesis import given
from hypothesis import strategies as st

from connectors.jira.adf import document, plain

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["type", "text", "content", "attrs", "marks", "url"]), inner
        )
    ),
    max_leaves=20,
)
WORDS = st.text(
    st.characters(categories=["L", "N", "P", "S"], exclude_characters="\\"), min_size=1
)


@given(st.lists(st.lists(WORDS, min_size=1, max_size=3), min_size=1, max_size=4))
def test_text_comes_back_as_it_was(paragraphs: list[list[str]]) -> None:
    text = "\n\n".join("\n".join(lines) for lines in paragraphs)

    assert plain(document(text)) == text


@given(JSON)
def test_no_document_is_too_odd(value: object) -> None:
    assert isinstance(plain(value), str)


@given(st.text())
def test_nothing_that_jira_refuses_is_in_a_document(text: str) -> None:
    made = document(text)

    assert (made["type"], made["version"]) == ("doc", 1)
    for paragraph in made["content"]:
        assert paragraph["content"]
        for node in paragraph["content"]:
            assert node["type"] == "hardBreak" or node["text"]
            assert "\x00" not in node.get("text", "")
            node.get("text", "").encode()


def test_addresses_are_links_and_markup_is_text() -> None:
    [paragraph] = document("*see* https://acme.example/a?b=c. {noformat}")["content"]

    assert [each["text"] for each in paragraph["content"]] == [
        "*see* ",
        "https://acme.example/a?b=c",
        ". {noformat}",
    ]
    assert paragraph["content"][1]["marks"][0]["attrs"] == {
        "href": "https://acme.example/a?b=c"
    }


def test_lists_mentions_and_files_are_named() -> None:
    def text(words: str) -> dict[str, object]:
        return {"type": "paragraph", "content": [{"type": "text", "text": words}]}

    told = {
        "type": "doc",
        "content": [
            {"type": "heading", "content": [{"type": "text", "text": "Steps"}]},
            {
                "type": "bulletList",
                "content": [
                    {"type": "listItem", "content": [text("One")]},
                    {"type": "listItem", "content": [text("Two")]},
                ],
            },
            {
                "type": "paragraph",
                "content": [
                    {"type": "mention", "attrs": {"text": "@Bob"}},
                    {"type": "hardBreak"},
                    {"type": "inlineCard", "attrs": {"url": "https://x.example"}},
                ],
            },
            {"type": "mediaSingle", "content": [{"type": "media", "attrs": {}}]},
        ],
    }

    assert plain(told).split("\n") == [
        "Steps",
        "",
        "• One",
        "",
        "• Two",
        "",
        "@Bob",
        "https://x.example",
        "",
        "[file]",
    ]
