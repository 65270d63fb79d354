"""Evidence of what a gateway accepted: for each event its bytes and its place in a batch, whose root the gateway signs.

The department keeps it; years later it proves, to whoever trusts the gateway's public key and without asking the bus,
that these bytes were accepted from this department at this time. Nothing of it is stored by the bus.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from creditbus.core.batches import batch_of, event_leaf
from creditbus.core.merkle import Place, root_from

_STATEMENT = "creditbus: batch of events accepted by a gateway, 1"
"""Says what is signed, so that no other signature of the key passes for it."""

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Accepted:
    """A batch that was accepted."""

    batch: Json
    """What the gateway signs."""
    entries: tuple[Json, ...]
    """Of each event, in order."""


def accepted_batch(sender: str, values: Sequence[bytes], received_at: str) -> Accepted:
    """The evidence of events that the brokers have. Raises ValueError for none. received_at: ISO 8601 with zone."""
    tree = batch_of(sender, values)
    batch = {
        "statement": _STATEMENT,
        "sender": sender,
        "received_at": received_at,
        "count": len(values),
        "root": tree.root.hex(),
    }
    entries = [
        {"index": index, "path": path.hex(), "value": b64encode(value).decode()}
        for index, (value, path) in enumerate(zip(values, tree.paths, strict=True))
    ]
    return Accepted(batch, tuple(entries))


def value_in(entry: Json) -> bytes:
    """The bytes of the event that an entry is of. Raises ValueError, KeyError or TypeError for what is none."""
    return b64decode(entry["value"], validate=True)


def is_accepted(entry: Json, batch: Json) -> bool:
    """Whether an entry belongs to a batch; whether the batch is signed is another question.

    Raises ValueError, KeyError, TypeError or AttributeError for what is no entry or no batch.
    """
    leaf, path = event_leaf(batch["sender"], value_in(entry)), bytes.fromhex(entry["path"])
    root = root_from(leaf, Place(int(entry["index"]), int(batch["count"])), path)
    return batch["statement"] == _STATEMENT and root is not None and root.hex() == batch["root"]
