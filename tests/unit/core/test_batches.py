"""Signed batches: every event of one is proven by its headers, and nothing else is."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creditbus.bus.signing import KeyPair, verifies
from creditbus.core.batches import (
    MOST_EVENTS,
    batch_of,
    direct_statement,
    headers_of,
    is_in_batch,
    key_id,
    proof_in,
)

PAIR = KeyPair.from_bytes(b"d" * 32)
OTHER = KeyPair.from_bytes(b"e" * 32)
SENDER = "150100-scjg"
VALUES = st.lists(st.binary(max_size=12), min_size=1, max_size=40)


def sent(values: list[bytes]) -> list[dict[str, bytes]]:
    """Headers of each event of a batch of the department."""
    tree = batch_of(SENDER, values)
    signature = PAIR.sign(direct_statement(tree.root, SENDER, len(values)))
    return [dict(one) for one in headers_of(SENDER, PAIR.kid, tree, signature)]


def is_proven(headers: Mapping[str, bytes], value: bytes, sender: str = SENDER, public: bytes = PAIR.public) -> bool:
    """As intake asks: a proof in its form, the event in its tree, the root signed."""
    proof = proof_in(headers)
    if proof is None or not is_in_batch(sender, value, proof):
        return False
    return verifies(public, proof.signature, direct_statement(proof.root, sender, proof.place.count))


@given(VALUES)
def test_every_event_of_a_batch_is_proven(values: list[bytes]) -> None:
    headers = sent(values)
    assert all(is_proven(one, value) for one, value in zip(headers, values, strict=True))
    assert {one["kid"] for one in headers} == {key_id(PAIR.public).encode()}


@given(VALUES, st.data())
def test_a_change_of_any_bit_of_event_or_proof_proves_nothing(values: list[bytes], draw: st.DataObject) -> None:
    index = draw.draw(st.integers(0, len(values) - 1))
    headers, value = sent(values)[index], values[index]
    name = draw.draw(st.sampled_from([one for one in ("sig", "root", "path") if headers[one]]))
    bit = draw.draw(st.integers(0, len(headers[name]) * 8 - 1))
    changed = bytearray(headers[name])
    changed[bit // 8] ^= 1 << bit % 8
    assert not is_proven({**headers, name: bytes(changed)}, value)
    assert not is_proven(headers, value + b"\x00")
    assert not is_proven({**headers, "leaf": f"{index}/{len(values) + 1}".encode()}, value)
    assert not is_proven(headers, value, sender=f"{SENDER}x")
    assert not is_proven(headers, value, public=OTHER.public)


@given(st.lists(st.binary(max_size=12), min_size=2, max_size=40, unique=True), st.data())
def test_the_proof_of_one_event_does_not_fit_another(values: list[bytes], draw: st.DataObject) -> None:
    one, other = draw.draw(st.permutations(range(len(values))))[:2]
    headers = sent(values)
    assert not is_proven(headers[one], values[other])
    assert not is_proven({**headers[one], "path": headers[other]["path"]}, values[one]) or (
        headers[one]["path"] == headers[other]["path"]
    )
    assert not is_proven({**headers[one], "leaf": headers[other]["leaf"]}, values[one])


@given(st.dictionaries(st.sampled_from(["sig", "root", "leaf", "path"]), st.binary(max_size=100)))
def test_headers_of_any_bytes_prove_nothing_and_raise_nothing(headers: dict[str, bytes]) -> None:
    assert not is_proven(headers, b"event")


@pytest.mark.parametrize("leaf", [b"", b"0", b"1/1", b"0/0", b"-1/2", b"0/100000", b"00/1", b"0/1\n", b"0/10001"])
def test_a_place_that_is_none_proves_nothing(leaf: bytes) -> None:
    (headers,) = sent([b"event"])
    assert not is_proven({**headers, "leaf": leaf}, b"event")


def test_a_signature_for_something_else_does_not_sign_a_batch() -> None:
    (headers,) = sent([b"event"])
    assert not is_proven({**headers, "sig": PAIR.sign(headers["root"])}, b"event")
    assert not is_proven({**headers, "sig": PAIR.sign(direct_statement(headers["root"], "other", 1))}, b"event")
    assert not is_proven({**headers, "sig": PAIR.sign(direct_statement(headers["root"], SENDER, 2))}, b"event")


def test_a_batch_is_bounded() -> None:
    with pytest.raises(ValueError, match=str(MOST_EVENTS)):
        batch_of(SENDER, [b""] * (MOST_EVENTS + 1))


def test_a_pair_does_not_show_its_secret() -> None:
    assert "private" not in repr(PAIR)
