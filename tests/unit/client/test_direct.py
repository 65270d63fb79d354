"""What a department writes to Kafka itself is what intake takes from it."""

from __future__ import annotations

import uuid
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creditbus.bus.avro import encode
from creditbus.bus.signing import KeyPair
from creditbus.client.direct import read_pair, signed_messages
from creditbus.core.errors import SettingsError
from creditbus.core.forms import compile_reader
from creditbus.core.framing import frame
from creditbus.core.rules import Span
from creditbus.core.sending import LARGEST_EVENT_BYTES, Codec, Judged, Sender, judge
from creditbus.core.signers import SigningKey
from creditbus.lab.sandbox import MemoryMessage
from creditbus.lab.signingkeys import make_pair
from intake_harness import Intake, example, rules, schemas

SENDER = Sender(department="150100-scjg", domain="sandbox", roles=frozenset({"producer"}))
PAIR = KeyPair.from_bytes(b"d" * 32)
KEY = SigningKey(
    kid=PAIR.kid,
    public=PAIR.public,
    department=SENDER.department,
    span=Span(since=date(2026, 1, 1)),
    revoked_on=None,
    roles=SENDER.roles,
)


def judged(intake: Intake, **changes: Any) -> Judged:
    """An event of the department's own, as its producer judges it."""
    schema = schemas().events["Penalty"]
    schema_id = intake.registry.id_of("", schema)
    codec = Codec(read=compile_reader(schema.definition), write=lambda value: frame(schema_id, encode(schema, value)))
    own = {"authority": min(rules().departments[SENDER.department].authorities), "event_id": str(uuid.uuid4())}
    return judge(example("Penalty", **own, **changes), SENDER, {"Penalty": codec}, LARGEST_EVENT_BYTES)


@given(st.integers(1, 40))
def test_every_event_of_a_batch_of_any_size_is_proven_to_intake(count: int) -> None:
    """Only its topic is another here: the sandbox's."""
    intake = Intake(registered={KEY.kid: KEY}.get)
    messages = signed_messages([judged(intake) for _ in range(count)], SENDER, PAIR)
    assert {one.topic for one in messages} == {"credit.events.sandbox"}
    result = intake.judge(*(MemoryMessage(n, one.key, one.value, one.headers) for n, one in enumerate(messages)))
    assert result.records == []
    assert [rejection["codes"] for rejection in result.rejections] == [["misplaced"]] * count


def test_nothing_is_signed_where_nothing_is_well_formed() -> None:
    assert signed_messages([], SENDER, PAIR) == []


def test_the_key_is_that_of_the_file(tmp_path: Path) -> None:
    made = make_pair(tmp_path / "own.key")
    assert read_pair(tmp_path / "own.key").kid == made.kid


@pytest.mark.parametrize("text", [None, "", "secret", "00" * 31, "00" * 33])
def test_a_file_that_holds_no_key_is_named_and_not_shown(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "own.key").write_text(text)
    with pytest.raises(SettingsError, match="keys create") as told:
        read_pair(tmp_path / "own.key")
    assert not text or text not in str(told.value)
