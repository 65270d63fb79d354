"""State of one subject: a summary that stays small, and rows by natural key and by event.

The summary holds only what still has an effect (entries that count, listings, open orders), so the cost of a
record does not grow with the subject's history; what happened to each fact and event stands in its own row.
Days are numbers (records.py).
"""

from __future__ import annotations

import msgspec

ACTIVE = "ACTIVE"
SUPERSEDED = "SUPERSEDED"
WITHDRAWN = "WITHDRAWN"
REPAIRED = "REPAIRED"
REVOKED = "REVOKED"
EXPIRED = "EXPIRED"
STOPPED = "STOPPED"
"""Its publication ended by a decision about a dispute."""
ROLLED_BACK = "ROLLED_BACK"
"""It never took effect, since its source was rolled back; a new revision may."""
WAITING = "WAITING"
"""It is told, but waits for the fact that it is about, and has no effect meanwhile."""
DELETED = "DELETED"
"""Its time is over (保存期限): nothing but this mark is left of it."""
FINAL = frozenset({REPAIRED, REVOKED, STOPPED, DELETED})
"""States in which a fact stays, whatever later revision of it comes."""
CORRECTED = "CORRECTED"
"""What became of a record whose fact a later revision tells; the fact's row is SUPERSEDED."""
ENDED_AS = (REPAIRED, REVOKED, STOPPED, EXPIRED, ROLLED_BACK, CORRECTED, WITHDRAWN, DELETED)
"""Outcomes of records that are no longer shared or used."""


class Entry(msgspec.Struct, array_like=True):
    """A record that counts in the score, with the rule that made it count."""

    record_id: str
    natural_key: str
    kind: str
    authority: str
    document_number: str
    rule: str
    reason: str
    dimension: str
    points: int
    decays: bool
    since: int
    until: int | None
    """Last day on which it counts; None = until something ends it."""
    disputed: bool = False
    ends_by: str = ""
    """The rule that makes its last day."""
    repair_from: int | None = None
    """First day on which its repair may be asked for."""
    is_shielded: bool = False
    """A plan approved by a court is carried out: it does not count meanwhile."""
    lacks_notice: bool = False
    """The notice how to repair did not come with the decision (两书同达)."""


class OrderState(msgspec.Struct, array_like=True):
    """An order that is in effect, or lifted but not acknowledged by everyone who applied it."""

    order_id: str
    family: str
    measure: str
    binding: str
    executor: str
    basis: list[str]
    acknowledged: list[str]
    """Departments that said they apply it."""
    declined: list[str] = []
    """Departments that said it does not apply to them."""
    scope: list[str] = []
    """What of the measure is ordered, by code; none: all of it."""


class ListingState(msgspec.Struct, array_like=True):
    """A list that the subject is on, or an order of a court against it."""

    listing_id: str
    list_code: str
    severe: bool
    reason: str
    natural_key: str
    record_id: str
    authority: str
    region: str
    document_number: str
    basis: list[str]
    effective_on: int
    until: int | None
    """Last day on the list; None = until the authority removes it."""
    fictitious: bool
    disputed: bool
    orders: list[OrderState]
    is_suspended: bool = False
    """A dispute was not decided in time: subscribers have stopped until it is."""
    source: str = ""
    """Department that sent the decision."""
    waits_until_ms: int = 0
    """Its source is watched: it takes effect then, unless its source is held by that time."""
    hold_id: str = ""
    """Its source is held: the hold whose release it waits for."""
    refused: list[tuple[str, str]] = []
    """Measures that do not follow, as (code, condition that is not met)."""
    ground: str = ""
    repair_from: int | None = None
    """First day on which its removal may be asked for; None = no rule says so."""
    is_shielded: bool = False
    """A plan approved by a court is carried out (重整、和解计划): nothing is applied meanwhile."""
    is_order: bool = False
    """No list, but an order of a court (限制消费令)."""
    lacks_notice: bool = False
    """The notice how to repair did not come with the decision (两书同达)."""
    load: str = ""
    """It came with an initial load, which is the source that is held (loading.py)."""

    @property
    def held_by(self) -> str:
        """The source whose hold it waits for."""
        return self.load or self.source

    @property
    def is_waiting(self) -> bool:
        """Decided, without any effect yet (core/breaker.py)."""
        return bool(self.waits_until_ms or self.hold_id)


class IncentiveState(msgspec.Struct, array_like=True):
    """What an honour or a grade brings (守信激励)."""

    natural_key: str
    record_id: str
    deserved_by: str
    """Code of the honour, or scheme and grade."""
    region: str
    document_number: str
    since: int
    until: int | None
    """Last day; None = until something ends it."""
    fictitious: bool
    orders: list[OrderState]
    is_offered: bool = False
    """False while the subject is on a list of severe dishonesty."""
    disputed: bool = False
    load: str = ""
    hold_id: str = ""
    """It came with an initial load, and is not offered before that is released."""

    @property
    def held_by(self) -> str:
        """The source whose hold it waits for."""
        return self.load


class ProcedureState(msgspec.Struct, array_like=True):
    """What has happened of the procedure of a listing (列入程序), as events told it."""

    list_code: str
    notice_number: str
    steps: dict[str, tuple[int, str]] = {}
    """Day and natural key by step: notice, heard, served."""
    is_objection_accepted: bool = False
    """The authority agreed with the subject's statement: nothing may follow."""
    is_waiting: bool = False
    """A decision waits for steps that are missing."""
    noticed: list[str] = []
    """Codes of the measures that the notice told of; none: all of the catalogue's."""


class TermState(msgspec.Struct, array_like=True):
    """A term within which somebody has to act (terms.py)."""

    term: str
    key: str
    """Natural key of the fact that it is about, or id of the lifted order."""
    opened_by: str
    """Natural key of the fact that asks for the act; "" for a lift."""
    record_id: str
    region: str
    document_number: str
    fictitious: bool
    since: int
    until: int | None = None
    """Last day; None = all lengths are over, or there is none."""
    reminders: int = 0
    """How often it was missed."""
    list_code: str = ""
    waiting: list[str] = []
    """Departments that have to act, where several do."""
    measure: str = ""
    """Code of the lifted measure."""
    near_on: int | None = None
    """Day on which the office is reminded that the last day is near; None = it has been, or is not."""
    unanswered: list[str] = []
    """Of those who have to say that they stopped, who had not answered the order."""
    target_kind: str = ""
    """Kind of what is to be repaired."""
    given: list[str] = []
    """Conditions of repair that the application says to be met (repair.py)."""
    load: str = ""
    hold_id: str = ""
    """It came with an initial load: nobody is reminded before that is released."""

    @property
    def held_by(self) -> str:
        """The source whose hold it waits for."""
        return self.load


class Answer(msgspec.Struct, array_like=True):
    """An answer about a fact in effect, with the terms that it closed: they run on when it is taken back."""

    term: str
    key: str
    """Natural key of the fact that it is about."""
    decided_on: int
    given_by: str
    """Natural key of the record that answers."""
    closed: list[TermState] = []
    """In the order of who asked; none as long as the question has not come."""


class TicketState(msgspec.Struct, array_like=True):
    """A ticket about an organ (督办单), with its stages (tickets.py)."""

    key: str
    """Natural key of its opening."""
    record_id: str
    region: str
    document_number: str
    fictitious: bool
    stages: list[tuple[int, int, str, int]] = []
    """(day, number of the stage, natural key, last day that it sets or 0), in order."""


class Link(msgspec.Struct, array_like=True, order=True, frozen=True):
    """A decision that two keys are one subject (rekeying.py)."""

    decided_on: int
    record_id: str
    natural_key: str
    key: str
    """The other key: the one that the subject has now, or the one that leads here."""


class Laid(msgspec.Struct, array_like=True):
    """What a closed dossier had in effect when it was closed, to go on from when its link ends."""

    entries: list[Entry] = []
    listings: list[ListingState] = []
    incentives: list[IncentiveState] = []
    terms: list[TermState] = []
    procedures: list[ProcedureState] = []
    held: list[str] = []
    answers: list[tuple[str, str, int]] = []
    rated_on: dict[str, int] = {}
    tickets: list[TicketState] = []
    given: list[Answer] = []


class Summary(msgspec.Struct, array_like=True):
    """What is true of the subject now."""

    subject_key: str
    kind: str
    name: str
    identifier: str
    region: str
    version: int = 0
    """Records applied so far."""
    counts: dict[str, int] = {}
    """Records in effect by kind."""
    entries: list[Entry] = []
    listings: list[ListingState] = []
    held: list[str] = []
    """Natural keys that a held record waits for."""
    aliases: list[tuple[str, str]] = []
    """Other identifiers, as (scheme, value)."""
    score: int | None = None
    grade: str | None = None
    scored_on: int = -1
    """Day for which the score was computed."""
    receipt: str = ""
    timer: int = 0
    """When its next deadline is due, in milliseconds since 1970; 0 = none."""
    fictitious: bool = False
    parked_from: int = 0
    """Sequence of the first record that waits in quarantine."""
    parked_to: int = 0
    """Sequence that the next one gets; equal to ``parked_from`` when none waits."""
    procedures: list[ProcedureState] = []
    terms: list[TermState] = []
    """Terms that run or are missed."""
    answers: list[tuple[str, str, int]] = []
    """Of orders: who stopped before it told that it had begun, as (term, order and department, day)."""
    incentives: list[IncentiveState] = []
    rated_on: dict[str, int] = {}
    """Day of the newest rating by scheme."""
    kept: list[tuple[int, str, bool]] = []
    """Facts that are deleted when their last day is over, in its order (retention.py): (last day, natural key,
    whether the decision was taken back)."""
    tickets: list[TicketState] = []
    """Of an organ: what it was told to mend."""
    links: list[Link] = []
    """Links of this subject to the key that it has now."""
    linked: list[Link] = []
    """Links of other keys that lead here, one a key."""
    redirect: str = ""
    """The key that the subject has now; the dossier is closed as long as there is one."""
    closed_by: str = ""
    """Record of the link that closed it."""
    laid: Laid | None = None
    is_lent: bool = False
    """Its name is that of a key that leads here, as long as it has none of its own."""
    given: list[Answer] = []
    """Answers to disputes, repairs and plans about facts that are in effect (terms.py)."""

    def count(self, kind: str) -> None:
        """One more record of a kind is in effect."""
        self.counts[kind] = self.counts.get(kind, 0) + 1

    def uncount(self, kind: str) -> None:
        """One record of a kind is no longer in effect."""
        left = self.counts.get(kind, 0) - 1
        if left > 0:
            self.counts[kind] = left
        else:
            self.counts.pop(kind, None)

    @property
    def repairable(self) -> list[ListingState | Entry]:
        """What a repair may be asked for; a fact that lists and counts has its listing first."""
        return [*self.listings, *self.entries]

    @property
    def in_effect(self) -> list[Entry | ListingState | IncentiveState]:
        """Everything that has an effect, may have a last day and may be disputed."""
        return [*self.entries, *self.listings, *self.incentives]

    @property
    def on_hold(self) -> list[ListingState | IncentiveState | TermState]:
        """Everything that waits until its source is released."""
        everything: list[ListingState | IncentiveState | TermState] = [*self.listings, *self.incentives, *self.terms]
        return [one for one in everything if one.hold_id]

    @property
    def running(self) -> list[TermState]:
        """Terms that wait for no release."""
        return [one for one in self.terms if not one.hold_id]

    @property
    def in_force(self) -> list[ListingState]:
        """Listings that have taken effect."""
        return [listing for listing in self.listings if not listing.is_waiting] if self.listings else []

    @property
    def is_listed(self) -> bool:
        """Whether it is on any list; a court's order is none."""
        return bool(self.listings) and any(not (one.is_order or one.is_waiting) for one in self.listings)

    @property
    def is_parked(self) -> bool:
        """Whether records of the subject wait in quarantine, so that later ones must wait behind them."""
        return self.parked_to > self.parked_from

    @property
    def is_severely_listed(self) -> bool:
        """Whether it is on a list of severely dishonest subjects (严重失信主体名单)."""
        return bool(self.listings) and any(one.severe and not one.is_waiting for one in self.listings)

    @property
    def is_grade_capped(self) -> bool:
        """Whether a severe list whose effects are not suspended keeps the grade down."""
        return bool(self.listings) and any(one.severe and not one.is_suspended for one in self.in_force)


class Row(msgspec.Struct, array_like=True, gc=False):
    """What became of one fact (natural key)."""

    record_id: str
    revision: int
    event_key: str
    kind: str
    state: str
    moved_to: str = ""
    """Natural key under which a correction tells the fact; "" when it stands here."""


class EventRow(msgspec.Struct, array_like=True, gc=False):
    """What became of one event: its highest revision and where that stands."""

    revision: int
    record_id: str
    natural_key: str
    place: int = -1
    """Offset of its record in the subject's partition of the log: read again when the subject's key changes."""
