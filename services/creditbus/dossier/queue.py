"""The subject's queue of records that wait (quarantine): put in, redriven, dropped. Pure, like steps.py."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from creditbus.core.errors import StopError
from creditbus.core.quarantine import DROP, PARK, Parked, ParkedRow, PoisonError, QuarantineOrder, Unreadable, park_id
from creditbus.core.records import CreditRecord
from creditbus.dossier.view import SubjectState

MOST_CAUSES_A_BATCH = 20
"""So many different records that cannot be applied within one batch are no fault of the records."""


class Poison:
    """Which records of a batch cannot be applied, found one by one while the batch is decided again and again.

    A record may fail when it arrives and again when it is redriven; each attempt is noted by itself.
    """

    def __init__(self, known: frozenset[str] = frozenset()) -> None:
        """known: ids of the notes of a live run that a replay has to follow."""
        self._known = known
        self._reasons: dict[str, str] = {}

    def reason(self, record_id: str, attempt: str = "") -> str | None:
        """Why it cannot be applied; None when it can, as far as is known."""
        note = park_id(record_id, attempt)
        found = self._reasons.get(note)
        return found if found is not None or note not in self._known else "could not be applied when it was live"

    def add(self, error: PoisonError, attempt: str = "") -> None:
        """One more. Raises StopError when there are so many that the fault must be elsewhere."""
        self._reasons[park_id(error.record_id, attempt)] = error.reason
        if len(self._reasons) > MOST_CAUSES_A_BATCH:
            raise StopError(
                f"{len(self._reasons)} records of one batch cannot be applied ({error.reason}): this is a fault of the "
                "program or of the edition, not of the records; nothing was parked; install a release that is mended"
            )

    @property
    def is_empty(self) -> bool:
        """Whether every record can be applied, as far as is known: nothing needs to be asked."""
        return not self._reasons and not self._known


def enqueue(
    subject: SubjectState, item: CreditRecord | Unreadable, value: bytes, poison: Poison, when: tuple[int, str, int]
) -> Parked:
    """Put a record at the end of its subject's queue. when: (business time, edition, engine)."""
    summary = subject.summary
    sequence = summary.parked_to
    subject.set_parked(sequence, ParkedRow(item.record_id, summary.kind, value, subject.place))
    summary.parked_to = sequence + 1
    reason = item.reason if isinstance(item, Unreadable) else poison.reason(item.record_id)
    return Parked(
        subject_key=summary.subject_key,
        subject_kind=summary.kind,
        sequence=sequence,
        record_id=item.record_id,
        kind="" if isinstance(item, Unreadable) else item.kind,
        sender="" if isinstance(item, Unreadable) else item.sender,
        event_id="" if isinstance(item, Unreadable) else item.event_id,
        is_cause=reason is not None,
        reason=reason or "waits behind another record of its subject",
        parked_at=when[0],
        edition=when[1],
        engine=when[2],
        value=value,
    )


@dataclass(slots=True)
class Released:
    """How far a queue went on."""

    left: list[Parked] = field(default_factory=list)
    dropped: list[CreditRecord] = field(default_factory=list)
    stopped_by: QuarantineOrder | None = None
    """The note about the record that could not be applied this time either."""


def release(
    subject: SubjectState,
    order: QuarantineOrder,
    read: Callable[[bytes], CreditRecord],
    poison: Poison,
    apply: Callable[[CreditRecord, int], None],
) -> Released:
    """Let the queue go on from its head, until it is empty or the next record cannot be applied.

    read: a record from the message's bytes; apply: applies it, with its place in the log. Raises PoisonError
    for a record whose failure was not known.
    """
    summary, released = subject.summary, Released()
    for sequence in range(summary.parked_from, summary.parked_to):
        row = subject.parked(sequence)
        assert row is not None, "queues have no gaps"
        is_dropped = order.action == DROP and row.record_id == order.record_id
        reason = poison.reason(row.record_id, order.order_id)
        if reason is not None and not is_dropped:
            released.stopped_by = note(summary.subject_key, row.record_id, reason, order.order_id)
            break
        record = _read(row, read, is_dropped)
        if not is_dropped:
            assert record is not None
            apply(record, row.place)
        elif record is not None:
            released.dropped.append(record)
        subject.set_parked(sequence, None)
        summary.parked_from = sequence + 1
        released.left.append(_gone(subject, sequence, row))
    return released


def emptied(subject: SubjectState) -> list[Parked]:
    """What leaves the queue when the subject is forgotten: all of it."""
    summary = subject.summary
    rows = [(number, subject.parked(number)) for number in range(summary.parked_from, summary.parked_to)]
    return [_gone(subject, number, row) for number, row in rows if row is not None]


def note(subject_key: str, record_id: str, reason: str, attempt: str = "") -> QuarantineOrder:
    """The program's own note on the log that a record could not be applied."""
    return QuarantineOrder(park_id(record_id, attempt), PARK, subject_key, record_id, reason)


def _read(row: ParkedRow, read: Callable[[bytes], CreditRecord], is_dropped: bool) -> CreditRecord | None:
    try:
        return read(row.value)
    except ValueError as error:
        if is_dropped:
            return None
        raise PoisonError(row.record_id, f"unreadable: {type(error).__name__}") from error


def _gone(subject: SubjectState, sequence: int, row: ParkedRow) -> Parked:
    key = subject.summary.subject_key
    return Parked(subject_key=key, subject_kind=row.subject_kind, sequence=sequence, record_id=row.record_id)
