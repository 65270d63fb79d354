"""Room for what is on its way is held from admission on, so that requests that wait their turn are counted too."""

from __future__ import annotations

import pytest

from creditbus.bus.publisher import Publisher, PublishPolicy


def publisher() -> Publisher:
    return Publisher("127.0.0.1:1", PublishPolicy(max_messages=100, max_bytes=1_000))


def test_room_is_held_until_the_request_ends() -> None:
    gate = publisher()
    with gate.admitted(60, 10) as first, gate.admitted(60, 10) as second, gate.admitted(40, 10) as third:
        assert (first, second, third) == (True, False, True)
    assert (gate.in_flight_messages, gate.in_flight_bytes) == (0, 0)
    with gate.admitted(60, 10) as again:
        assert again


def test_bytes_count_as_messages_do() -> None:
    gate = publisher()
    with gate.admitted(1, 900) as first, gate.admitted(1, 200) as second:
        assert (first, second) == (True, False)


def test_one_request_alone_is_always_admitted() -> None:
    with publisher().admitted(5_000, 10**9) as alone:
        assert alone


def test_what_fails_gives_its_room_back() -> None:
    gate = publisher()
    with pytest.raises(ValueError, match="refused"), gate.admitted(100, 1):
        raise ValueError("refused")
    with gate.admitted(100, 1) as again:
        assert again
