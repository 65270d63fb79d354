"""Whatever fits the contract, and whatever is left of it after damage: one record or one rejection with its reasons."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avro_values import values_of
from creditbus.bus.avro import encode
from creditbus.core.forms import compile_reader
from creditbus.core.framing import frame
from creditbus.core.outcome import Fault
from intake_harness import SENDERS, Intake, Result, example, schemas, stamped

KINDS = sorted(schemas().events)


@lru_cache
def an_intake() -> Intake:
    """One for all: it keeps nothing between messages."""
    return Intake()


def judged(kind: str, value: dict[str, Any]) -> Result:
    """What becomes of a value of an event's type, put on the topic as it is."""
    intake, schema = an_intake(), schemas().events[kind]
    raw = frame(intake.registry.id_of("", schema), encode(schema, value))
    return intake.judge(stamped(raw, SENDERS.get(kind, "150000-scjg")))


def well_formed(kind: str) -> dict[str, Any]:
    """The example of a kind as its Avro value."""
    found: list[Fault] = []
    fields = {name: value for name, value in example(kind).items() if name != "kind"}
    value: Any = compile_reader(schemas().events[kind].definition)(fields, "", found)
    assert not found
    return dict(value)


def ended_once(result: Result) -> bool:
    """One record, or two where a correction moves a fact away from somebody; or one rejection with its reasons."""
    if result.rejections:
        (rejection,) = result.rejections
        return not result.records and bool(rejection["codes"]) and len(rejection["codes"]) == len(rejection["fields"])
    return len(result.records) in (1, 2)


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
@settings(max_examples=10)
def test_any_value_of_any_kind_ends_as_a_record_or_as_reasons(kind: str, data: st.DataObject) -> None:
    """Half of the time all of it is made up, half of the time some facts of a good event are."""
    made_up = data.draw(values_of(schemas().events[kind].definition))
    value = well_formed(kind)
    changed = data.draw(st.sets(st.sampled_from(sorted(value["facts"])), max_size=4))
    facts = {**value["facts"], **{name: made_up["facts"][name] for name in changed}}
    assert ended_once(judged(kind, {**value, "facts": facts}))
    assert ended_once(judged(kind, made_up))


@pytest.mark.parametrize("kind", KINDS)
@given(place=st.integers(0, 10_000), noise=st.binary(min_size=1, max_size=8))
@settings(max_examples=10)
def test_damaged_bytes_of_any_kind_end_as_a_record_or_as_reasons(kind: str, place: int, noise: bytes) -> None:
    intake = an_intake()
    good = intake.message(example(kind)).value() or b""
    at = 5 + place % (len(good) - 5)
    damaged = good[:at] + noise + good[at + len(noise) :]
    assert ended_once(intake.judge(stamped(damaged, SENDERS.get(kind, "150000-scjg"))))


def test_what_is_said_to_end_twice_is_seen() -> None:
    assert not ended_once(Result(records=[{}], rejections=[{"codes": ["x"], "fields": ["y"]}]))
    assert not ended_once(Result(rejections=[{"codes": [], "fields": []}]))
    assert not ended_once(Result())
