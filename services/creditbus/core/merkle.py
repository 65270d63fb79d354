"""Merkle trees over the leaves of a batch, so that one signature proves each of them.

Source: RFC 9162, 2.1 (RFC 6962 has the same tree). Leaves and inner nodes are hashed with different first bytes, so
that neither passes for the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

import msgspec

HASH_BYTES = 32


class Place(msgspec.Struct, frozen=True, gc=False):
    """Where a leaf stands in its tree."""

    index: int
    """From 0."""
    count: int
    """Leaves of the tree."""


@dataclass(frozen=True, slots=True)
class Tree:
    """The root of some leaves, and the path of each."""

    root: bytes
    paths: tuple[bytes, ...]
    """For each leaf the hashes beside its way to the root, from the bottom up, one behind the other."""


def leaf_hash(data: bytes) -> bytes:
    """Hash of a leaf."""
    return sha256(b"\x00" + data).digest()


def _node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def tree_of(leaves: Sequence[bytes]) -> Tree:
    """The tree over the hashes of leaves. Raises ValueError where there are none."""
    if not leaves:
        raise ValueError("a tree has at least one leaf")
    paths = [b""] * len(leaves)
    level = list(leaves)
    for height in range((len(leaves) - 1).bit_length()):
        for index in range(len(leaves)):
            beside = (index >> height) ^ 1
            if beside < len(level):
                paths[index] += level[beside]
        level = _level_above(level)
    return Tree(level[0], tuple(paths))


def _level_above(level: Sequence[bytes]) -> list[bytes]:
    """A last node without a neighbour goes up as it is."""
    above = [_node_hash(level[index], level[index + 1]) for index in range(0, len(level) - 1, 2)]
    return above if len(level) % 2 == 0 else [*above, level[-1]]


def root_from(leaf: bytes, place: Place, path: bytes) -> bytes | None:
    """The root that a leaf's hash and its path lead to; None when the path is not as long as the place asks for."""
    index, width = place.index, place.count
    if not 0 <= index < width:
        return None
    node, begin = leaf, 0
    while width > 1:
        if (index ^ 1) < width:
            beside = path[begin : begin + HASH_BYTES]
            node = _node_hash(beside, node) if index & 1 else _node_hash(node, beside)
            begin += HASH_BYTES
        index, width = index >> 1, (width + 1) >> 1
    return node if begin == len(path) else None
