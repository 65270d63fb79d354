"""When brokers count as gone: not when they close what is idle, and not when one of several is down."""

from __future__ import annotations

import pytest
from confluent_kafka import KafkaError

from creditbus.bus.kafka import when_away

IDLE, UNREACHABLE, OTHER = KafkaError._ALL_BROKERS_DOWN, KafkaError._TRANSPORT, KafkaError._TIMED_OUT


@pytest.mark.parametrize(
    ("codes", "is_lost"),
    [
        ([], False),
        ([IDLE, IDLE], False),
        ([UNREACHABLE, UNREACHABLE, OTHER], False),
        ([IDLE, UNREACHABLE], True),
        ([UNREACHABLE, OTHER, IDLE], True),
    ],
)
def test_brokers_are_gone_when_none_is_left_and_connecting_failed(codes: list[int], is_lost: bool) -> None:
    told: list[bool] = []
    note = when_away(lambda: told.append(True))
    for code in codes:
        note(KafkaError(code))
    assert bool(told) is is_lost
