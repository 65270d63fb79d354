"""Evidence: what was accepted is proven by it, and nothing else is."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from creditbus.bus.signing import KeyPair, is_signed, sign
from creditbus.core.evidence import Accepted, accepted_batch, is_accepted, value_in

KEY = b"g" * 32
VALUES = st.lists(st.binary(max_size=12), min_size=1, max_size=30, unique=True)
AT = "2026-11-24T12:00:00.000+08:00"


def accepted(values: list[bytes]) -> Accepted:
    return accepted_batch("150100-scjg", values, AT)


@given(VALUES)
def test_each_event_is_proven_by_its_entry_also_when_both_went_through_json(values: list[bytes]) -> None:
    made = accepted(values)
    signature = sign(made.batch, KEY)
    batch: dict[str, Any] = json.loads(json.dumps(made.batch))
    entries: list[dict[str, Any]] = json.loads(json.dumps(made.entries))
    assert is_signed(batch, signature, KeyPair.from_bytes(KEY).public.hex())
    assert all(is_accepted(entry, batch) for entry in entries)
    assert [value_in(entry) for entry in entries] == values


@given(VALUES, st.data())
def test_no_other_value_place_or_batch_is_proven(values: list[bytes], draw: st.DataObject) -> None:
    made = accepted(values)
    entry = draw.draw(st.sampled_from(made.entries))
    other = draw.draw(st.integers(0, len(values)).filter(lambda index: index != entry["index"]))
    wrong = [
        ({**entry, "value": b64encode(value_in(entry) + b"x").decode()}, made.batch),
        ({**entry, "index": other}, made.batch),
        ({**entry, "path": entry["path"] + "00" * 32}, made.batch),
        *((entry, {**made.batch, name: value}) for name, value in (("sender", "x"), ("root", "00"), ("statement", ""))),
        (entry, {**made.batch, "count": len(values) + 5}),
    ]
    held = [is_accepted(*one) for one in wrong]
    assert not any(held[:-1])
    assert not is_signed({**made.batch, "received_at": "earlier"}, sign(made.batch, KEY))
    assert not is_signed({**made.batch, "count": len(values) + 5}, sign(made.batch, KEY))
