"""Messages that a reader cannot use: told of by place, reason and digest, never by content.

Passing over such a message loses nothing: it stays on its topic, and can be loaded once it can be read.
"""

from __future__ import annotations

from hashlib import sha256

import msgspec

from creditbus.core.hashing import digest


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """One message that was passed over; the attributes are the fields of the Avro type of that name."""

    dead_letter_id: str
    reader: str
    topic: str
    partition: int
    offset: int
    size: int
    digest: str
    reason: str
    at: int
    """Milliseconds since 1970."""

    @property
    def key(self) -> bytes:
        """Key of the message on ``credit.deadletters``."""
        return f"{self.reader}|{self.topic}|{self.partition}|{self.offset}".encode()


def dead_letter(reader: str, place: tuple[str, int, int], value: bytes, reason: str, at_ms: int) -> DeadLetter:
    """What is told of a message. place: topic, partition, offset; value: its bytes as they are on the topic."""
    topic, partition, offset = place
    return DeadLetter(
        dead_letter_id=digest("dead letter", reader, topic, str(partition), str(offset)),
        reader=reader,
        topic=topic,
        partition=partition,
        offset=offset,
        size=len(value),
        digest=sha256(value).hexdigest(),
        reason=reason,
        at=at_ms,
    )
