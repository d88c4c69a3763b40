"""
Checking inclusion and consistency proofs, RFC 9162 sections 2.1.3.2 and 2.1.4.2.

An inclusion proof does not authenticate the tree's size: size and root must come from
one signed checkpoint, never from whoever shows the proof.
"""

from collections.abc import Sequence

from bridge.errors import AtomError
from storage.compliance.tree import HASH_BYTES, node_hash


class ProofRefused(AtomError):
    """A proof does not prove what it is said to prove."""


def verify_inclusion(
    index: int, size: int, leaf: bytes, path: Sequence[bytes], root: bytes
) -> None:
    """Raise `ProofRefused` unless leaf `index` of the tree has the hash `leaf`."""
    _whole(leaf, root, *path)
    if not 0 <= index < size:
        raise ProofRefused(f"a tree of {size} has no leaf {index}")
    at, last, node = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            raise ProofRefused("the inclusion proof is too long")
        if at & 1 or at == last:
            node = node_hash(sibling, node)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            node = node_hash(node, sibling)
        at, last = at >> 1, last >> 1
    if last != 0:
        raise ProofRefused("the inclusion proof is too short")
    if node != root:
        raise ProofRefused("the inclusion proof leads to another root")


def verify_consistency(
    sizes: tuple[int, int], roots: tuple[bytes, bytes], path: Sequence[bytes]
) -> None:
    """
    Raise `ProofRefused` unless the second tree begins with all of the first.

    A first tree of size 0 is refused: it begins every tree, so it proves nothing.
    """
    old, new = sizes
    _whole(*roots, *path)
    if not 0 < old <= new:
        raise ProofRefused(f"a tree of {new} cannot follow one of {old}")
    if old == new:
        if path or roots[0] != roots[1]:
            raise ProofRefused("two trees of one size have different roots")
        return
    nodes = list(path)
    if old & (old - 1) == 0:
        nodes.insert(0, roots[0])
    if not nodes:
        raise ProofRefused("the consistency proof is empty")
    if _climbed(old - 1, new - 1, nodes) != roots:
        raise ProofRefused("the later tree does not begin with the earlier one")


def _climbed(at: int, last: int, nodes: Sequence[bytes]) -> tuple[bytes, bytes]:
    """Return both roots that `nodes` lead to, from the last leaves of both trees."""
    while at & 1:
        at, last = at >> 1, last >> 1
    first = second = nodes[0]
    for node in nodes[1:]:
        if last == 0:
            raise ProofRefused("the consistency proof is too long")
        if at & 1 or at == last:
            first, second = node_hash(node, first), node_hash(node, second)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            second = node_hash(second, node)
        at, last = at >> 1, last >> 1
    if last != 0:
        raise ProofRefused("the consistency proof is too short")
    return first, second


def _whole(*hashes: bytes) -> None:
    if any(len(each) != HASH_BYTES for each in hashes):
        raise ProofRefused(f"a hash is not {HASH_BYTES} bytes long")
