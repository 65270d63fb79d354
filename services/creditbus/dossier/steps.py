"""What a batch of records and ticks does to a partition: the order of things, without any I/O.

1. time and rules move when a tick or an edition comes by, in log order
2. before a record is applied, its subject's deadlines up to the business time fire
3. other deadlines fire after the batch, a bounded number at a time
4. each touched subject gets one dossier message
5. a record that cannot be applied waits, with everything behind it, in its subject's queue (queue.py)

What a subject becomes depends on its own records and on the ticks before them, never on where a batch ends: a
deadline that fires late fires as of its due time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice, pairwise

from creditbus.core.alerts import quarantine_alert, tell_grade
from creditbus.core.breaker import HOLD, SourceOrder, obey
from creditbus.core.context import Context, Emission, RecordsAt, no_log
from creditbus.core.dossier import (
    apply_record,
    change_id_of,
    expire_due,
    is_due,
    needs_rescore,
    next_due_ms,
    next_release_ms,
    release_held,
    rescore,
)
from creditbus.core.effects import end_all_effects
from creditbus.core.errors import BusError, StopError
from creditbus.core.hashing import output_id
from creditbus.core.identity import Forgotten
from creditbus.core.loading import hold_on
from creditbus.core.processing import StateReader
from creditbus.core.quarantine import PARK, Parked, PoisonError, QuarantineOrder, Unreadable, reason_of
from creditbus.core.records import Alert, Change, CreditRecord
from creditbus.core.rules import Rules
from creditbus.core.state import DELETED, Summary
from creditbus.core.subject import DROPPED, PARKED, Applied, Expired, Facts
from creditbus.dossier.queue import Poison, emptied, enqueue, note, release
from creditbus.dossier.view import PERSON_PREFIX, PartitionView, SubjectState, keys_of

ENGINE = 1
"""Version of these decisions; an EditionInForce names the one it needs."""
_LARGEST_ADVANCE_MS = 10 * 60_000
_LARGEST_LEAD_MS = 2 * 60_000
_OFFICERS_OF_A_JUMP = 2
_TIMERS_A_ROUND = 500
_EDITIONS_KEPT = 20
"""So many editions are remembered for deadlines that fire late."""


@dataclass(frozen=True, slots=True)
class Tick:
    """Time passes (design.md 11.3)."""

    at_ms: int
    appended_at_ms: int


@dataclass(frozen=True, slots=True)
class Jump:
    """Time leaps over a standstill, as two officers approved (design.md 11.3)."""

    at_ms: int
    appended_at_ms: int
    approved_by: frozenset[str]


@dataclass(frozen=True, slots=True)
class Edition:
    """Rules take effect (design.md 11.2)."""

    hash: str
    engine: int


_PART = 64
"""So many entries are read and decided at a time: what is decided is still in the processor's caches."""

Entry = CreditRecord | Tick | Jump | Edition | QuarantineOrder | SourceOrder | Forgotten | Unreadable
Logged = tuple[Entry, bytes, int]
"""An entry, the bytes of its message, and its offset, by which a record can be read again."""


@dataclass(slots=True)
class Decided:
    """What a batch leads to."""

    emissions: list[Emission] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    applied: list[Change] = field(default_factory=list)
    """Those of the changes that tell of a record that was applied."""
    dropped: dict[str, int] = field(default_factory=dict)
    parked: list[Parked] = field(default_factory=list)
    """What came into quarantine, and what left it."""
    notes: list[QuarantineOrder] = field(default_factory=list)
    """For the log: which records could not be applied, so that a replay by another program parks them too."""
    moved: list[CreditRecord] = field(default_factory=list)
    """For the log: copies of records for the key that their subject has now."""
    forgotten: list[Forgotten] = field(default_factory=list)
    """Persons whose state is deleted, for whoever keeps rows about them."""
    fired: int = 0
    unfinished: bool = False

    def drop(self, reason: str) -> None:
        """One more entry that changes nothing, and rightly so."""
        self.dropped[reason] = self.dropped.get(reason, 0) + 1


@dataclass(frozen=True, slots=True)
class Lookups:
    """What the decisions ask of the outside, as functions without effects."""

    rules_of: Callable[[str], Rules]
    """Rules of an edition by hash; raises StopError when it is not to be had."""
    facts_of: Callable[[CreditRecord], Facts]
    read: Callable[[bytes], CreditRecord]
    """A record from the bytes of its message; raises ValueError when it cannot be read."""
    records_at: RecordsAt = no_log
    """Records of the partition's log by their offsets; raises StopError where the log is not at hand."""
    parked: frozenset[str] = frozenset()
    """Records that were parked when they were live, by id: a replay parks them too, whatever it could do by now."""


def decide_or_park(state: StateReader, log: Iterable[Logged], lookups: Lookups) -> tuple[PartitionView, Decided]:
    """Decide about a batch of one partition; changes stay in the view until they are written.

    A record that fails half-way leaves half a change behind, so the batch is decided anew with that record parked;
    the common batch pays nothing for it. log: the batch, which may be read through several times.
    """
    poison = Poison(lookups.parked)
    while True:
        batch = _Batch(PartitionView(state), lookups, poison, is_wary=not poison.is_empty)
        try:
            return batch.view, batch.decide(iter(log))
        except PoisonError as error:
            poison.add(error, batch.attempt)


@dataclass(slots=True)
class _Batch:
    """One attempt at a batch."""

    view: PartitionView
    lookups: Lookups
    poison: Poison
    decided: Decided = field(default_factory=Decided)
    attempt: str = ""
    """The order that redrives records at this moment; "" for records that arrive."""
    now: Context | None = None
    """Rules and time as the log has them here; None where a control record may have changed them."""
    is_wary: bool = False
    """Whether some records are known not to be applicable."""

    def decide(self, log: Iterator[Logged]) -> Decided:
        """Everything in log order, then the deadlines."""
        while part := list(islice(log, _PART)):
            self._decide_part(part)
        _fire_timers(self.view, self.lookups, self.decided)
        return self.decided

    def _decide_part(self, part: Sequence[Logged]) -> None:
        view = self.view
        view.prefetch(keys_of([entry for entry, _, _ in part if isinstance(entry, CreditRecord)]))
        for entry, value, view.place in part:
            if isinstance(entry, CreditRecord):
                self._take(view.subject(entry.subject_key), entry, value)
            elif isinstance(entry, Unreadable):
                self._park(view.subject(entry.subject_key), entry, value)
            else:
                self._obey(entry)
                self.now = None

    def _take(self, subject: SubjectState, record: CreditRecord, value: bytes) -> None:
        if subject.is_forgotten:
            self.decided.drop("forgotten")
        elif subject.summary.is_parked or (self.is_wary and self.poison.reason(record.record_id) is not None):
            self._park(subject, record, value)
        else:
            self._apply(subject, record)

    def _obey(self, order: Tick | Jump | Edition | QuarantineOrder | SourceOrder | Forgotten) -> None:
        """A control record of the log."""
        view = self.view
        if isinstance(order, Tick | Jump):
            _advance(view, order, self.decided)
        elif isinstance(order, Edition):
            _adopt(view, order, self.lookups)
        elif isinstance(order, SourceOrder):
            obey(view.meta.turns, order, view.meta.tick_ms)
        elif isinstance(order, Forgotten):
            self._forget(view.subject(order.subject_key), order)
        else:
            self._go_on_with_queue(order)

    def _apply(self, subject: SubjectState, record: CreditRecord) -> None:
        try:
            self._apply_now(subject, record, self._context())
        except BusError:
            raise
        except Exception as error:
            raise PoisonError(record.record_id, reason_of(error)) from error

    def _apply_now(self, subject: SubjectState, record: CreditRecord, ctx: Context) -> None:
        view, decided, summary = self.view, self.decided, subject.summary
        if subject.is_new and not summary.kind:
            summary.kind = record.subject_kind
        if summary.timer or ctx.turns:
            _expire(subject, view, self.lookups, decided)
        before = summary.score, summary.grade
        grade_was = before[1]
        results = apply_record(subject, record, ctx)
        summary = subject.summary  # a change of its key may have begun a new one
        if needs_rescore(summary, ctx.today):
            subject.scored = rescore(summary, ctx)
        subject.touch(ctx.now_ms, next_due_ms(summary), ctx.rules.edition)
        for result in results:
            change = _change(summary, result, before, ctx)
            decided.applied.append(change)
            decided.changes.append(change)
            before = summary.score, summary.grade
        if summary.grade != grade_was:
            tell_grade(summary, grade_was, record.record_id, record.record_id, ctx)
        if record.load_id is not None and hold_on(record, ctx.turns) is not None:
            ctx.emissions = [one for one in ctx.emissions if not isinstance(one, Alert)]
        if ctx.emissions or ctx.ended or ctx.moves:
            self._take_over(subject, record, ctx)

    def _take_over(self, subject: SubjectState, record: CreditRecord, ctx: Context) -> None:
        """What a record led to besides its own change; the context is empty for the next one."""
        decided = self.decided
        decided.emissions += ctx.emissions
        decided.changes += [_ended(subject, record, one, ctx) for one in ctx.ended]
        decided.moved += ctx.moves
        ctx.emissions.clear()
        ctx.ended.clear()
        ctx.moves.clear()

    def _context(self) -> Context:
        if self.now is None:
            meta, lookups = self.view.meta, self.lookups
            if not meta.edition:
                raise StopError(
                    "a record came before any edition of the catalogue was in force: run `creditbus deploy`"
                )
            self.now = Context(
                lookups.rules_of(meta.edition),
                meta.tick_ms,
                meta.turns,
                records_at=lookups.records_at,
                facts_of=lookups.facts_of,
            )
        return self.now

    def _park(self, subject: SubjectState, item: CreditRecord | Unreadable, value: bytes) -> None:
        meta, summary = self.view.meta, subject.summary
        if isinstance(item, CreditRecord) and not summary.kind:
            summary.kind = item.subject_kind
        parked = enqueue(subject, item, value, self.poison, (meta.tick_ms, meta.edition, meta.engine))
        self.decided.parked.append(parked)
        if parked.is_cause:
            self._note(subject, note(parked.subject_key, parked.record_id, parked.reason))
        subject.touch(meta.tick_ms, summary.timer, meta.edition)
        if isinstance(item, CreditRecord):
            self._tell(subject, Applied(item, PARKED))

    def _note(self, subject: SubjectState, note: QuarantineOrder) -> None:
        """For the log, and for whoever has to mend it."""
        self.decided.notes.append(note)
        meta, about = self.view.meta, note.record_id or ""
        rules = self.lookups.rules_of(meta.edition) if meta.edition else None
        alert = quarantine_alert(subject.summary, rules, meta.tick_ms, about, note.order_id) if rules else None
        if alert is not None:
            self.decided.emissions.append(alert)

    def _go_on_with_queue(self, order: QuarantineOrder) -> None:
        if order.action == PARK:
            return  # the program's own note; it has done so
        subject = self.view.subject(order.subject_key)
        if not subject.summary.is_parked:
            self.decided.drop("nothing-parked")
            return
        self.attempt = order.order_id
        released = release(subject, order, self.lookups.read, self.poison, partial(self._redrive, subject))
        self.attempt = ""
        self.decided.parked.extend(released.left)
        if released.stopped_by is not None:
            self.decided.notes.append(released.stopped_by)
        subject.touch(self.view.meta.tick_ms, subject.summary.timer, self.view.meta.edition)
        for record in released.dropped:
            self._tell(subject, Applied(record, DROPPED))

    def _forget(self, subject: SubjectState, order: Forgotten) -> None:
        """Withdraw what subscribers were told of the person, then delete everything that is known of it."""
        if not order.subject_key.startswith(PERSON_PREFIX) or subject.is_forgotten:
            self.decided.drop("nothing-to-forget")
            return
        if not subject.is_new:
            ctx = self._context()
            end_all_effects(subject.summary, ("FORGOTTEN", order.control_id), ctx)
            self.decided.emissions.extend(ctx.emissions)
            ctx.emissions.clear()
            self.decided.parked.extend(emptied(subject))
        subject.forget(self.view.meta.tick_ms, self.view.meta.edition)
        self.decided.forgotten.append(order)

    def _redrive(self, subject: SubjectState, record: CreditRecord, place: int) -> None:
        with subject.standing_at(place):
            self._apply(subject, record)

    def _tell(self, subject: SubjectState, applied: Applied) -> None:
        """History of an event that had no effect."""
        change = _change(subject.summary, applied, _standing(subject), self._context())
        self.decided.changes.append(change)


def _advance(view: PartitionView, tick: Tick | Jump, decided: Decided) -> None:
    """A tick moves the partition's time, unless it is old, too far ahead of its broker, or a jump without approval.

    Deadlines fire each as of its own time, so a jump leads where the ticks that it leaves out would have led.
    """
    last = view.meta.tick_ms
    may_leap = isinstance(tick, Jump) and len(tick.approved_by) >= _OFFICERS_OF_A_JUMP
    if tick.at_ms <= last:
        reason = "older-tick"
    elif tick.at_ms > tick.appended_at_ms + _LARGEST_LEAD_MS:
        reason = "tick-from-the-future"
    elif last and tick.at_ms - last > _LARGEST_ADVANCE_MS and not may_leap:
        reason = "clock-jump"
    else:
        view.meta.tick_ms = tick.at_ms
        return
    decided.drop(reason)


def _adopt(view: PartitionView, edition: Edition, lookups: Lookups) -> None:
    if edition.engine != ENGINE:
        raise StopError(
            f"the log asks for engine {edition.engine}, this program is engine {ENGINE}: install the matching release"
        )
    lookups.rules_of(edition.hash)  # stops here, before any record of that edition, when it is missing
    meta = view.meta
    if edition.hash != meta.edition:
        if not meta.editions and meta.edition:
            meta.editions.append((0, meta.edition))  # a partition of before they were remembered
        meta.editions.append((meta.tick_ms, edition.hash))
        del meta.editions[:-_EDITIONS_KEPT]
    meta.edition, meta.engine = edition.hash, edition.engine


def _fire_timers(view: PartitionView, lookups: Lookups, decided: Decided) -> None:
    now_ms = view.meta.tick_ms
    if not now_ms or not view.meta.edition:
        return
    due = view.due_subjects(now_ms, _TIMERS_A_ROUND)
    for due_ms, key in due:
        subject = view.subject(key)
        if subject.summary.timer == due_ms:
            _expire(subject, view, lookups, decided)
    released = _released_subjects(view)
    for key in released:
        _expire(view.subject(key), view, lookups, decided)
    decided.unfinished = _TIMERS_A_ROUND in (len(due), len(released)) or any(
        _next_ms(subject.summary, view) is not None
        for subject in view.changed_subjects()
        if subject.summary.timer or view.meta.turns
    )


def _released_subjects(view: PartitionView) -> list[str]:
    """Some subjects whose listings waited for a release that has come; listings of later holds wait on."""
    found: list[str] = []
    for turns in view.meta.turns.values():
        for hold, _ in pairwise(turns):
            if hold.action == HOLD and len(found) < _TIMERS_A_ROUND:
                found += view.waiting_subjects(hold.control_id, _TIMERS_A_ROUND - len(found))
    return found


def _expire(subject: SubjectState, view: PartitionView, lookups: Lookups, decided: Decided) -> None:
    """Fire the subject's deadlines and releases that have come, one after the other, each as of its own time."""
    while (at_ms := _next_ms(subject.summary, view)) is not None:
        ctx = Context(lookups.rules_of(view.meta.edition_at(at_ms)), at_ms, view.meta.turns)
        before = _standing(subject)
        grade_was = before[1]
        is_timer = is_due(subject.summary, at_ms)
        is_load = not is_timer and any(one.load for one in subject.summary.on_hold)
        expired = expire_due(subject, ctx) if is_timer else release_held(subject, ctx)
        subject.scored = rescore(subject.summary, ctx)
        subject.touch(ctx.now_ms, next_due_ms(subject.summary), ctx.rules.edition)
        for one in expired:
            decided.changes.append(_expiry(subject, one, before, ctx))
            before = _standing(subject)
        if expired and not is_load:
            tell_grade(subject.summary, grade_was, expired[0].record_id, expired[0].timer_id, ctx)
        decided.emissions.extend(ctx.emissions)
        decided.fired += len(expired)


def _next_ms(summary: Summary, view: PartitionView) -> int | None:
    """Business time of the subject's next deadline or release that has come; a deadline goes first."""
    meta = view.meta
    due = summary.timer if is_due(summary, meta.tick_ms) else None
    release = next_release_ms(summary, meta.turns) if meta.turns else None
    if due is None or release is None:
        return release if due is None else due
    return min(due, release)


_Standing = tuple[int | None, str | None]


def _standing(subject: SubjectState) -> _Standing:
    return subject.summary.score, subject.summary.grade


def _change(summary: Summary, applied: Applied, before: _Standing, ctx: Context) -> Change:
    record = applied.record
    return Change(  # in the order of its fields: by name it would take five times as long, for each record
        change_id_of(applied),
        record.record_id,
        record.event_key,
        record.sender,
        record.event_id,
        record.subject_key,
        record.kind,
        applied.outcome,
        "RECORD",
        summary.version,
        before[0],
        summary.score,
        before[1],
        summary.grade,
        summary.is_listed,
        ctx.now_ms,
        ctx.rules.edition,
        summary.receipt,
    )


def _expiry(subject: SubjectState, expired: Expired, before: _Standing, ctx: Context) -> Change:
    change_id = output_id(expired.timer_id, f"change {expired.outcome}")
    about = (expired.record_id, expired.kind, expired.outcome)
    return change_of_no_event(subject, (change_id, "TIMER"), about, before, ctx, expired.event_key)


def _ended(subject: SubjectState, cause: CreditRecord, ended: tuple[str, str, str], ctx: Context) -> Change:
    """A record that another one repaired, revoked, corrected or withdrew: it is shared and used no more."""
    change_id = output_id(cause.effect_id, f"ended {ended[0]}")
    event_key = cause.event_key if ended[2] == DELETED else None
    return change_of_no_event(subject, (change_id, "ENDED"), ended, _standing(subject), ctx, event_key)


def change_of_no_event(
    subject: SubjectState,
    why: tuple[str, str],
    about: tuple[str | None, str, str],
    before: _Standing,
    ctx: Context,
    event_key: str | None = None,
) -> Change:
    """What came to a subject otherwise than by a record of its own.

    why: id and cause of the change; about: record, kind and outcome; event_key: of what is deleted.
    """
    summary = subject.summary
    return Change(
        change_id=why[0],
        record_id=about[0],
        event_key=event_key,
        sender="",
        event_id="",
        subject_key=summary.subject_key,
        kind=about[1],
        outcome=about[2],
        cause=why[1],
        version=summary.version,
        score_before=before[0],
        score_after=summary.score,
        grade_before=before[1],
        grade_after=summary.grade,
        listed=summary.is_listed,
        as_of=ctx.now_ms,
        edition=ctx.rules.edition,
        receipt_hash=summary.receipt,
    )
