"""Batches of events under one signature: what is signed, and the headers that carry each event's share of it.

To verify a signature for each event would cap a core at 8,000 events a second (design.md 11.13). A leaf covers sender
and event, the path its place among the others; the signed statement covers root, sender and how many leaves there are.

header   what it holds
sender   code of the department
kid      key id of the department's registered key
sig      the signature over the statement, 64 bytes
root     root of the batch, 32 bytes
leaf     place in the batch, as text: 17/500 is the eighteenth of 500
path     the hashes beside the way from the leaf to the root, 32 bytes each, from the bottom up
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from hashlib import sha256

import msgspec

from creditbus.core.merkle import Place, Tree, leaf_hash, root_from, tree_of

MOST_EVENTS = 10_000
"""Largest batch: a path is fourteen hashes at most."""
SIGNATURE_BYTES = 64
PUBLIC_KEY_BYTES = 32
_DIRECT = b"creditbus: batch of events sent by a department, 1\x00"
_PLACE = re.compile(rb"(0|[1-9][0-9]{0,4})/([1-9][0-9]{0,4})")

Headers = tuple[tuple[str, bytes], ...]


class Proof(msgspec.Struct, frozen=True, gc=False):
    """What an event's headers say of its batch."""

    root: bytes
    signature: bytes
    place: Place
    path: bytes


def key_id(public_key: bytes) -> str:
    """What an Ed25519 key is called: it follows from the key, so that one id never stands for two."""
    return sha256(public_key).hexdigest()[:16]


def event_leaf(sender: str, value: bytes) -> bytes:
    """The leaf of an event: who sends it, and the bytes of the message."""
    return leaf_hash(sender.encode() + b"\x00" + value)


def direct_statement(root: bytes, sender: str, count: int) -> bytes:
    """What a department signs for a batch that it writes to Kafka itself."""
    return _DIRECT + root + count.to_bytes(4, "big") + sender.encode()


def batch_of(sender: str, values: Sequence[bytes]) -> Tree:
    """The tree over a batch of events. Raises ValueError for none, or for more than MOST_EVENTS."""
    if len(values) > MOST_EVENTS:
        raise ValueError(f"a batch has at most {MOST_EVENTS} events")
    return tree_of([event_leaf(sender, value) for value in values])


def headers_of(sender: str, kid: str, tree: Tree, signature: bytes) -> list[Headers]:
    """The headers of each event of a batch, in order."""
    same = (("sender", sender.encode()), ("kid", kid.encode()), ("sig", signature), ("root", tree.root))
    count = len(tree.paths)
    return [(*same, ("leaf", f"{i}/{count}".encode()), ("path", path)) for i, path in enumerate(tree.paths)]


def proof_in(headers: Mapping[str, bytes]) -> Proof | None:
    """The proof that headers carry; None when there is none, or it is not in its form."""
    place = _PLACE.fullmatch(headers.get("leaf") or b"")
    signature = headers.get("sig") or b""
    if place is None or len(signature) != SIGNATURE_BYTES or int(place[2]) > MOST_EVENTS:
        return None
    where = Place(int(place[1]), int(place[2]))
    return Proof(headers.get("root") or b"", signature, where, headers.get("path") or b"")


def is_in_batch(sender: str, value: bytes, proof: Proof) -> bool:
    """Whether the event stands at its place in the tree of that root. Who signed the root is another question."""
    return root_from(event_leaf(sender, value), proof.place, proof.path) == proof.root
