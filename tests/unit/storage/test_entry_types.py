"""The log's entry types are all in one table, and nothing else is ever written."""

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import chain
from pathlib import Path

import pytest

from bridge.lifecycle import DETAIL, Change
from bridge.messages import EventKind
from storage.compliance.events import ENTRY_TYPES, entry_type
from tests.events import message

ROOT = Path(__file__).parents[3]
WRITERS = ("bots", "bridge", "connectors", "policy", "storage")
# Rights, a package and Slack's own names look like types, and are none.
NO_TYPES = {
    "bridge.delete",
    "bridge.edit",
    "bridge.file",
    "bridge.post",
    "bridge.react",
    "bridge.unlink",
    "checkpoint.note",
    "message.channels",
    "message.groups",
    "message.im",
    "message.mpim",
    "policy.dlp",
    "processing.json",
    "processing.md",
    "search.db",
}
# What other parts of ATOM will write; some of them are read already.
PLANNED: set[str] = set()
ACTIONS = ("bridge/access.py", "policy/cedar/")
FAMILIES = {each.partition(".")[0] for each in ENTRY_TYPES if "." in each}
SHAPE = re.compile(rf"({'|'.join(sorted(FAMILIES))})\.[a-z_]+")


@cache
def nodes() -> Mapping[Path, Sequence[ast.AST]]:
    """Return what each file is made of: reading all of them takes seconds."""
    return {
        path: [*ast.walk(ast.parse(path.read_text()))]
        for folder in WRITERS
        for path in (ROOT / folder).rglob("*.py")
    }


def literals() -> Iterator[tuple[str, str]]:
    for path, found in nodes().items():
        if "sandbox" in path.parts:
            continue
        for node in found:
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value, str(path.relative_to(ROOT))


def written() -> Iterator[str]:
    """Yield the words given for `etype`, whatever their shape is."""
    for node in chain.from_iterable(nodes().values()):
        match node:
            case ast.keyword(arg="etype", value=ast.Constant(value=word)):
                yield str(word)
            case ast.Call(func=ast.Name(id="Act"), args=[_, ast.Constant(word), *_]):
                yield str(word)


def test_every_word_that_looks_like_a_type_is_in_the_table() -> None:
    unknown = {
        (word, path)
        for word, path in literals()
        if SHAPE.fullmatch(word) and word not in {*ENTRY_TYPES, *NO_TYPES}
        if not path.startswith(ACTIONS)  # what policies call it is spelled alike
    }

    assert unknown == set()


def test_every_type_that_is_given_is_in_the_table() -> None:
    assert {*written()} - {*ENTRY_TYPES} == set()


def test_every_type_is_written_by_something_or_planned() -> None:
    table = "storage/compliance/events.py"
    used = {word for word, path in literals() if path != table}
    told = {entry_type(message(kind=kind)) for kind in EventKind}
    told |= {
        entry_type(message(kind=EventKind.CHANNEL_CHANGE, detail=((DETAIL, change),)))
        for change in Change
    }

    assert {*ENTRY_TYPES} - used - told == PLANNED


@pytest.mark.parametrize("kind", [*EventKind])
def test_whatever_happens_on_a_platform_has_a_type(kind: EventKind) -> None:
    assert entry_type(message(kind=kind)) in ENTRY_TYPES


@pytest.mark.parametrize(
    ("change", "etype"),
    [
        (Change.CREATED, "conv.create"),
        (Change.RENAMED, "conv.rename"),
        (Change.ARCHIVED, "conv.archive"),
        (Change.UNARCHIVED, "conv.unarchive"),
        (Change.DELETED, "conv.delete"),
        (Change.SHARED, "conv.visibility"),
        (Change.MOVED, "conv.change"),
    ],
)
def test_what_happens_to_a_channel_is_told_by_its_type(
    change: Change, etype: str
) -> None:
    event = message(kind=EventKind.CHANNEL_CHANGE, detail=((DETAIL, change),))

    assert entry_type(event) == etype


def test_every_type_is_explained_in_a_sentence() -> None:
    assert all(len(said.split()) > 2 for said in ENTRY_TYPES.values())
    assert all(len(etype) <= 40 for etype in ENTRY_TYPES)


def test_the_demo_page_has_words_for_every_type() -> None:
    page = (ROOT / "bots/sandbox/page/static/log.js").read_text()
    verbs = page.partition("const VERBS = {")[2].partition("};")[0]

    named = set(re.findall(r'^  "?([a-z_.]+)"?:', verbs, re.MULTILINE))

    assert named == set(ENTRY_TYPES)
