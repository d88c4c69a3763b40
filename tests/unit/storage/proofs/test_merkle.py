"""Proofs and tiles agree with the published vectors and with the RFC's definition."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.compliance.proofs.merkle import (
    ProofRefused,
    verify_consistency,
    verify_inclusion,
)
from storage.compliance.proofs.tiles import (
    Tile,
    Tiles,
    consistency_lines,
    edge,
    grown,
    inclusion_lines,
    needed,
    path,
    root_line,
)
from storage.compliance.tree import Frontier, leaf_hash

VECTORS = json.loads(
    (Path(__file__).parents[3] / "fixtures/merkle_vectors.json").read_text()
)
BIG = VECTORS["big_tree"]
DECIMAL = [leaf_hash(str(i).encode()) for i in range(1000)]
SMALL = [leaf_hash(bytes.fromhex(leaf)) for leaf in VECTORS["leaves"]]


def hashes(texts: list[str]) -> list[bytes]:
    return [bytes.fromhex(text) for text in texts]


def tiles_of(leaves: list[bytes]) -> Tiles:
    return Tiles(grown(0, {}, leaves))


@pytest.mark.parametrize("case", VECTORS["inclusion"] + BIG["inclusion"])
def test_published_inclusion_proofs_hold_and_come_from_tiles(
    case: dict[str, Any],
) -> None:
    leaf, root, proof = case["leaf_hash"], case["root"], hashes(case["proof"])
    leaves = SMALL if SMALL[case["index"] % 8].hex() == leaf else DECIMAL

    verify_inclusion(
        case["index"], case["size"], bytes.fromhex(leaf), proof, bytes.fromhex(root)
    )

    lines = inclusion_lines(case["index"], case["size"])
    assert tiles_of(leaves).proof(lines) == proof


@pytest.mark.parametrize("case", VECTORS["consistency"] + BIG["consistency"])
def test_published_consistency_proofs_hold_and_come_from_tiles(
    case: dict[str, Any],
) -> None:
    sizes, proof = (case["size1"], case["size2"]), hashes(case["proof"])
    roots = (bytes.fromhex(case["root1"]), bytes.fromhex(case["root2"]))
    leaves = SMALL if roots[0] == Frontier().extend(SMALL[: sizes[0]]).root() else None

    verify_consistency(sizes, roots, proof)

    made = tiles_of(leaves or DECIMAL).proof(consistency_lines(*sizes))
    assert made == proof


def of_kind(kind: str) -> list[dict[str, Any]]:
    return [case for case in VECTORS["negative"] if case["kind"] == kind]


@pytest.mark.parametrize("case", of_kind("inclusion"), ids=lambda case: case["desc"])
def test_published_bad_inclusion_proofs_are_refused(case: dict[str, Any]) -> None:
    leaf, root = bytes.fromhex(case["leaf_hash"]), bytes.fromhex(case["root"])

    with pytest.raises(ProofRefused):
        verify_inclusion(case["index"], case["size"], leaf, hashes(case["proof"]), root)


@pytest.mark.parametrize("case", of_kind("consistency"), ids=lambda case: case["desc"])
def test_published_bad_consistency_proofs_are_refused(case: dict[str, Any]) -> None:
    roots = (bytes.fromhex(case["root1"]), bytes.fromhex(case["root2"]))

    with pytest.raises(ProofRefused):
        verify_consistency((case["size1"], case["size2"]), roots, hashes(case["proof"]))


@pytest.mark.parametrize(
    "case", of_kind("tampered_history"), ids=lambda case: case["desc"]
)
def test_no_proof_joins_a_changed_history(case: dict[str, Any]) -> None:
    sizes = (case["old_size"], case["new_size"])
    roots = bytes.fromhex(case["old_root"]), bytes.fromhex(case["new_root"])
    honest = tiles_of([*DECIMAL, leaf_hash(b"1000")])
    lines = consistency_lines(*sizes) if sizes[0] <= sizes[1] else []

    with pytest.raises(ProofRefused):
        verify_consistency(sizes, roots, honest.proof(lines))


@pytest.mark.parametrize("case", BIG["roots"])
def test_published_roots_and_edges_are_reached(case: dict[str, Any]) -> None:
    size = case["size"]
    frontier = Frontier().extend(DECIMAL[:size])

    assert frontier.root().hex() == case["root"]
    assert [h.hex() for h in frontier.edge] == case["compact_range"]
    assert tiles_of(DECIMAL).fold(root_line(size)).hex() == case["root"]


def test_published_tiles_are_made() -> None:
    made = grown(0, {}, DECIMAL)
    by_path = {path(tile, len(data) // 32): data for tile, data in made.items()}

    for case in BIG["tiles"]:
        if "entries" in case["path"]:
            entries = [str(i).encode() for i in range(256)]
            data = b"".join(len(e).to_bytes(2, "big") + e for e in entries)
            assert path(Tile(-1, 0)) == case["path"]
        else:
            data = by_path[case["path"]]
        assert len(data) == case["len"]
        assert sha256(data).hexdigest() == case["sha256"]


@pytest.mark.parametrize("case", BIG["tile_path_encoding"])
def test_tiles_have_their_published_paths(case: dict[str, Any]) -> None:
    assert path(Tile(0, case["n"])) == f"tile/0/{case['path']}"


def test_a_size_is_not_authenticated_by_a_proof() -> None:
    case = VECTORS["size_is_not_bound_by_inclusion_proof"]
    rest = (
        bytes.fromhex(case["leaf_hash"]),
        hashes(case["proof"]),
        bytes.fromhex(case["root"]),
    )

    for size in (case["true_size"], case["also_accepted_size"]):
        verify_inclusion(case["index"], size, *rest)


def test_what_follows_an_empty_tree_proves_nothing() -> None:
    empty = Frontier().root()

    with pytest.raises(ProofRefused):
        verify_consistency((0, 1), (empty, DECIMAL[0]), [])
    with pytest.raises(ProofRefused):
        verify_consistency((0, 0), (empty, empty), [])


def test_a_proof_in_ten_million_leaves_takes_six_tiles() -> None:
    size = 10_000_000
    most = max(
        len(needed(inclusion_lines(index, size)))
        for index in (0, 1, 4_999_999, 8_388_607, 8_388_608, 9_999_935, 9_999_999)
    )

    assert most <= 6
    assert len(needed(consistency_lines(7_654_321, size))) <= 6


@given(st.lists(st.integers(0, 300), min_size=1, max_size=6), st.data())
@settings(max_examples=60, deadline=None)
def test_tiles_grow_the_same_in_any_steps(
    steps: list[int], data: st.DataObject
) -> None:
    total = min(sum(steps), 1000)
    grew: dict[Tile, bytes] = {}
    size = 0
    for step in steps:
        end = min(size + step, total)
        edges = {tile: grew[tile] for tile, _ in edge(size)}
        grew |= grown(size, edges, DECIMAL[size:end])
        size = end

    assert grew == grown(0, {}, DECIMAL[:total])
    if total:
        index = data.draw(st.integers(0, total - 1))
        root = Frontier().extend(DECIMAL[:total]).root()
        made = Tiles(grew).proof(inclusion_lines(index, total))
        verify_inclusion(index, total, DECIMAL[index], made, root)
        old = data.draw(st.integers(1, total))
        proof = Tiles(grew).proof(consistency_lines(old, total))
        old_root = Frontier().extend(DECIMAL[:old]).root()
        verify_consistency((old, total), (old_root, root), proof)


@given(st.integers(0, 999), st.integers(0, 9), st.integers(0, 255))
@settings(max_examples=50, deadline=None)
def test_a_flipped_bit_anywhere_in_a_proof_is_found(
    index: int, line: int, bit: int
) -> None:
    tiles, root = tiles_of(DECIMAL), Frontier().extend(DECIMAL).root()
    proof = tiles.proof(inclusion_lines(index, 1000))
    at = line % len(proof)
    changed = int.from_bytes(proof[at], "big") ^ (1 << bit)
    proof[at] = changed.to_bytes(32, "big")

    with pytest.raises(ProofRefused):
        verify_inclusion(index, 1000, DECIMAL[index], proof, root)


@pytest.mark.parametrize("size", [255, 256, 257, 65_535, 65_536, 65_537])
def test_the_last_leaf_is_proved_where_tiles_begin_and_end(size: int) -> None:
    leaves = [i.to_bytes(32, "big") for i in range(size)]
    tiles = tiles_of(leaves)

    proof = tiles.proof(inclusion_lines(size - 1, size))

    root = tiles.fold(root_line(size))
    assert root == Frontier().extend(leaves).root()
    verify_inclusion(size - 1, size, leaves[-1], proof, root)
