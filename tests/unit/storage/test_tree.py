"""The tree agrees with RFC 6962 and with the published vectors."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.compliance.keys import commitment
from storage.compliance.tree import Frontier, leaf_hash, node_hash

VECTORS = json.loads(
    (Path(__file__).parents[2] / "fixtures/merkle_vectors.json").read_text()
)
LEAVES = [bytes.fromhex(leaf) for leaf in VECTORS["leaves"]]


def root_by_definition(hashes: Sequence[bytes]) -> bytes:
    """RFC 6962 section 2.1, word for word."""
    if not hashes:
        return Frontier().root()
    if len(hashes) == 1:
        return hashes[0]
    split = 1 << (len(hashes) - 1).bit_length() - 1
    return node_hash(
        root_by_definition(hashes[:split]), root_by_definition(hashes[split:])
    )


@pytest.mark.parametrize("size", range(len(LEAVES) + 1))
def test_published_roots_are_reached(size: int) -> None:
    frontier = Frontier().extend([leaf_hash(leaf) for leaf in LEAVES[:size]])

    assert frontier.root().hex() == VECTORS["roots"][size]


def test_leaf_and_node_prefixes_keep_them_apart() -> None:
    for case in VECTORS["primitives"]:
        if case["op"] == "leaf":
            assert leaf_hash(bytes.fromhex(case["in"])).hex() == case["out"]
        elif case["op"] == "node":
            pair = (bytes.fromhex(case["left"]), bytes.fromhex(case["right"]))
            assert node_hash(*pair).hex() == case["out"]


def test_the_worked_example_has_its_commitment_and_leaf_hash() -> None:
    example = VECTORS["atom_leaf_example"]

    committed = commitment(
        bytes.fromhex(example["nonce"]), example["content_utf8"].encode()
    )

    assert committed.hex() == example["content_commitment"]
    assert leaf_hash(example["leaf_utf8"].encode()).hex() == example["leaf_hash"]


@given(st.lists(st.binary(max_size=40), max_size=70))
def test_the_frontier_agrees_with_the_definition(leaves: list[bytes]) -> None:
    hashes = [leaf_hash(leaf) for leaf in leaves]

    frontier = Frontier().extend(hashes)

    assert frontier.root() == root_by_definition(hashes)
    assert Frontier.unpack(frontier.size, frontier.pack()) == frontier


def test_a_frontier_of_another_size_is_refused() -> None:
    packed = Frontier().extend([leaf_hash(b"a"), leaf_hash(b"b")]).pack()

    with pytest.raises(ValueError, match="another edge"):
        Frontier.unpack(3, packed)
