"""The job: payments come in, doubles are dropped, each subject's count and sum are kept, each change is told.

Input: key = subject, value = Avro {event_id: string, amount: long, text: string}, about 230 bytes; 50,000 subjects,
one in twenty sent twice. State, durable and with a changelog: every event id that was seen, and count and sum of each
subject. Output: for every accepted record the subject's count and sum as text. Exactly once.
"""

from __future__ import annotations

import io
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass

from fastavro import parse_schema, schemaless_writer

SCHEMA = {
    "type": "record",
    "name": "Payment",
    "namespace": "creditbus.bench",
    "fields": [
        {"name": "event_id", "type": "string"},
        {"name": "amount", "type": "long"},
        {"name": "text", "type": "string"},
    ],
}
PARSED = parse_schema(SCHEMA)
SCHEMA_TEXT = json.dumps(SCHEMA)
PARTITIONS = 4
SUBJECTS = 50_000
_DOUBLES = 0.05
_TEXT = "x" * 180


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What is sent, and what has to come of it."""

    records: int
    accepted: int
    totals: dict[bytes, tuple[int, int]]
    """Count and sum by subject."""

    @property
    def topic(self) -> str:
        """Where it is sent."""
        return f"payments-{self.records}"


def messages(records: int, seed: int = 1) -> Iterator[tuple[bytes, bytes, int]]:
    """(subject, payload, amount); an amount of -1 marks a double of the message before."""
    chance = random.Random(seed)
    number = 0
    while number < records:
        subject = f"subject-{chance.randrange(SUBJECTS):05}".encode()
        amount = chance.randrange(1, 1_000_000)
        buffer = io.BytesIO()
        schemaless_writer(
            buffer, PARSED, {"event_id": f"{chance.getrandbits(128):032x}", "amount": amount, "text": _TEXT}
        )
        payload = buffer.getvalue()
        yield subject, payload, amount
        number += 1
        if number < records and chance.random() < _DOUBLES:
            yield subject, payload, -1
            number += 1


def load_of(records: int) -> Load:
    """The reference."""
    totals: dict[bytes, tuple[int, int]] = {}
    accepted = 0
    for subject, _, amount in messages(records):
        if amount >= 0:
            count, total = totals.get(subject, (0, 0))
            totals[subject] = count + 1, total + amount
            accepted += 1
    return Load(records=records, accepted=accepted, totals=totals)
