"""Merkle trees: the published vectors, and that nothing but the leaf at its place leads to the root."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creditbus.core.merkle import HASH_BYTES, Place, leaf_hash, root_from, tree_of

VECTORS = [bytes.fromhex(one) for one in (
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
)]  # fmt: skip
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
"""Of the reference implementation of RFC 6962, for the first one, two, … of these leaves."""
PATH_OF_THE_SIXTH_OF_EIGHT = [
    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
]
LEAVES = st.lists(st.binary(max_size=8), min_size=1, max_size=70)


@pytest.mark.parametrize("count", range(1, 9))
def test_the_roots_are_those_of_the_standard_s_reference(count: int) -> None:
    tree = tree_of([leaf_hash(one) for one in VECTORS[:count]])
    assert tree.root.hex() == ROOTS[count - 1]


def test_a_path_is_that_of_the_standard_s_reference() -> None:
    tree = tree_of([leaf_hash(one) for one in VECTORS])
    assert tree.paths[5].hex() == "".join(PATH_OF_THE_SIXTH_OF_EIGHT)


@given(LEAVES)
def test_every_path_leads_to_the_root(data: list[bytes]) -> None:
    leaves = [leaf_hash(one) for one in data]
    tree = tree_of(leaves)
    for index, (leaf, path) in enumerate(zip(leaves, tree.paths, strict=True)):
        assert root_from(leaf, Place(index, len(leaves)), path) == tree.root


@given(LEAVES, st.data())
def test_no_other_leaf_place_or_path_leads_to_the_root(data: list[bytes], draw: st.DataObject) -> None:
    leaves = [leaf_hash(number.to_bytes(2, "big") + one) for number, one in enumerate(data)]
    tree, count = tree_of(leaves), len(leaves)
    index = draw.draw(st.integers(0, count - 1))
    leaf, path = leaves[index], tree.paths[index]
    elsewhere = draw.draw(st.integers(-2, count + 2).filter(lambda other: other != index))
    bit = draw.draw(st.integers(0, len(path) * 8 - 1)) if path else None
    wrong = [
        root_from(leaf_hash(leaf), Place(index, count), path),
        root_from(leaf, Place(elsewhere, count), path),
        root_from(leaf, Place(index, count), path + bytes(HASH_BYTES)),
        root_from(leaf, Place(index, count), path[:-1]) if path else None,
        root_from(leaf, Place(index, count), _flipped(path, bit)) if bit is not None else None,
    ]
    assert tree.root not in wrong


@given(LEAVES, st.data())
def test_another_order_or_another_number_of_leaves_is_another_root(data: list[bytes], draw: st.DataObject) -> None:
    leaves = [leaf_hash(number.to_bytes(2, "big") + one) for number, one in enumerate(data)]
    other = draw.draw(st.permutations(leaves))
    root = tree_of(leaves).root
    assert (tree_of(other).root == root) is (other == leaves)
    assert tree_of([*leaves, leaves[-1]]).root != root


def test_an_inner_node_does_not_pass_for_a_leaf() -> None:
    leaves = [leaf_hash(one) for one in VECTORS[:4]]
    halves = [tree_of(leaves[:2]).root, tree_of(leaves[2:]).root]
    assert tree_of([leaf_hash(halves[0]), leaf_hash(halves[1])]).root != tree_of(leaves).root
    assert leaf_hash(leaves[0] + leaves[1]) != halves[0]


def test_there_is_no_tree_without_leaves() -> None:
    with pytest.raises(ValueError, match="at least one"):
        tree_of([])


def _flipped(path: bytes, bit: int) -> bytes:
    changed = bytearray(path)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)
