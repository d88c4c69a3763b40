"""Documents as values, and as what the log keeps."""

import json
from typing import Any

import pytest
from hypothesis import given

from bridge.document import (
    Audience,
    Broadcast,
    Cell,
    Document,
    Item,
    Listing,
    Moment,
    Paragraph,
    Quote,
    Row,
    Rule,
    Style,
    Table,
    Text,
    from_json,
    to_json,
)
from bridge.errors import BadInput
from tests.documents import documents, json_values


@given(documents)
def test_document_comes_back_from_json_unchanged(document: Document) -> None:
    stored = json.dumps(to_json(document))

    assert from_json(json.loads(stored)) == document


@given(documents)
def test_document_can_be_a_key(document: Document) -> None:
    assert {document: 1}[from_json(to_json(document))] == 1


def test_json_holds_strings_and_integers_only() -> None:
    document = Document((Paragraph((Text("hi"),)),))

    assert to_json(document) == {
        "blocks": [{"type": "paragraph", "content": [{"type": "text", "text": "hi"}]}]
    }


def test_every_kind_of_block_and_leaf_comes_back_from_json_unchanged() -> None:
    leaves = (
        Text("a", (Style.BOLD,)),
        Broadcast(Audience.HERE),
        Moment(1392734382),
    )
    document = Document(
        (
            Quote((Rule(),)),
            Listing((Item((Paragraph(leaves),)),), ordered=True, start=3),
            Table((Row((Cell(leaves, "right"),)),)),
        )
    )

    assert from_json(to_json(document)) == document


@given(json_values)
def test_foreign_json_is_refused_or_is_a_document(value: Any) -> None:
    try:
        document = from_json(value)
    except BadInput:
        return

    assert isinstance(document, Document)


@pytest.mark.parametrize(
    "value",
    [
        None,
        {"blocks": [{"type": "nonsense"}]},
        {"blocks": [{"type": "paragraph", "content": [{"type": "text"}]}]},
        {"blocks": [{"type": "paragraph", "content": [{"type": "text", "text": 1}]}]},
        {"blocks": [{"type": "list", "start": "1"}]},
        {"blocks": [{"type": "rule", "surprise": ""}]},
    ],
)
def test_malformed_json_is_refused(value: Any) -> None:
    with pytest.raises(BadInput):
        from_json(value)


def test_json_nested_without_end_is_refused() -> None:
    value: dict[str, Any] = {"type": "quote"}
    for _ in range(5000):
        value = {"type": "quote", "blocks": [value]}

    with pytest.raises(BadInput):
        from_json({"blocks": [value]})
