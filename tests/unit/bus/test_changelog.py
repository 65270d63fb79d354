"""A changelog gives the state back, whatever of it compaction has taken away."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from creditbus.bus.changelog import SOURCE_KEY, Change, changes_of, messages_of

KEYS = st.sampled_from([f"k{number}".encode() for number in range(12)])
VALUES = st.binary(max_size=4)
BATCHES = st.lists(st.dictionaries(KEYS, VALUES, max_size=6), max_size=12)
DELETABLE = b"k0"


def log_of(batches: list[dict[bytes, bytes]]) -> tuple[list[Change], dict[bytes, bytes]]:
    """The messages that a loop would write, and the state that they stand for; one key comes and goes."""
    state: dict[bytes, bytes] = {}
    log: list[Change] = []
    for batch in batches:
        changes: dict[bytes, bytes | None] = dict(batch)
        if DELETABLE in state:
            changes[DELETABLE] = None
        log += messages_of(changes, {key for key in batch if key not in state and key != DELETABLE})
        for key, value in changes.items():
            if value is None:
                del state[key]
            else:
                state[key] = value
    return log, state


def restored(log: list[Change]) -> dict[bytes, bytes]:
    state: dict[bytes, bytes | None] = {}
    for key, value in log:
        state.update(changes_of(key, value))
    return {key: value for key, value in state.items() if value is not None}


@given(BATCHES)
def test_the_log_gives_the_state(batches: list[dict[bytes, bytes]]) -> None:
    log, state = log_of(batches)
    assert restored(log) == state


@given(BATCHES, st.data())
def test_compaction_up_to_any_place_changes_nothing(batches: list[dict[bytes, bytes]], data: st.DataObject) -> None:
    log, state = log_of(batches)
    place = data.draw(st.integers(0, len(log)))
    last = {key: number for number, (key, _) in enumerate(log)}
    # Kafka keeps the last message of a key; a deletion older than its retention goes too
    kept = [(key, value) for n, (key, value) in enumerate(log[:place]) if last[key] == n and value is not None]
    assert restored([*kept, *log[place:]]) == state


def test_large_batches_become_several_bundles_that_brokers_take() -> None:
    state: dict[bytes, bytes | None] = {f"{number:064}".encode(): b"v" * 100 for number in range(10_000)}
    log = list(messages_of(state, set(state)))
    assert 3 < len(log) < 20
    assert all(len(value or b"") < 1_000_000 and key != SOURCE_KEY for key, value in log)
    assert restored(log) == state
