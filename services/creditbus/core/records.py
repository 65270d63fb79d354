"""Values on the log: the canonical record and everything that the dossier emits.

Fields are those of ``schemas/avro/records``; dates are days since 1970-01-01 and times milliseconds since
1970 (as Avro stores them), so that no conversion stands on the hot path.
"""

from __future__ import annotations

from datetime import date, timedelta, timezone
from functools import lru_cache

import msgspec

from creditbus.core.hashing import output_id

_EPOCH = date(1970, 1, 1)
_DAY_MS = 86_400_000
BEIJING = timezone(timedelta(hours=8))
"""China Standard Time has been UTC+8 without daylight saving since 1992; business days are counted in it."""

_BEIJING_OFFSET_MS = 8 * 3_600_000


def day_of(day: date) -> int:
    """Days since 1970-01-01."""
    return (day - _EPOCH).days


@lru_cache(maxsize=65_536)
def date_of(day: int) -> date:
    """The date of a day number."""
    return _EPOCH + timedelta(days=day)


def business_day(at_ms: int) -> int:
    """The Beijing calendar day of an instant."""
    return (at_ms + _BEIJING_OFFSET_MS) // _DAY_MS


def start_of_day_ms(day: int) -> int:
    """The instant at which a Beijing calendar day begins."""
    return day * _DAY_MS - _BEIJING_OFFSET_MS


class CreditRecord(msgspec.Struct, frozen=True, gc=False):
    """A canonical record (公共信用记录): one decided fact about one subject, or the withdrawal of one."""

    record_id: str
    revision: int
    op: str
    kind: str
    subject_key: str
    subject_kind: str
    subject_name: str
    identifier: str
    identifier_flags: list[str]
    sender: str
    event_id: str
    event_key: str
    natural_key: str
    target_key: str | None
    corrects_key: str | None
    item: str
    authority: str
    region: str
    document_number: str
    item_number: str
    decided_on: int
    reported_at: int
    recorded_at: int
    load_id: str | None
    fictitious: bool
    body: bytes
    body_schema: str
    sealed: bytes | None
    document_title: str = ""
    """Empty for natural persons."""
    bases: list[str] = []
    """Code of each instrument that the decision rests on, then the article."""
    linked_key: str | None = None
    """Key that an IdentityLink says the subject has now."""
    corrected: list[str] = []
    """Authority, document number, item number and kind of the fact that it corrects, where it corrects one."""
    rekeyed_from: list[str] = []
    """Of a copy: the keys under which the record stood before, the first one first."""
    rekeyed_by: str = ""
    """Of a copy: record of the link that it follows."""

    @property
    def effect_id(self) -> str:
        """What ids of its effects derive from: a copy's effects are not those of the record itself."""
        return self.record_id if not self.rekeyed_by else output_id(self.record_id, f"rekeyed {self.rekeyed_by}")


class ListingChange(msgspec.Struct, frozen=True, gc=False):
    """A subject came onto a list or left it."""

    change_id: str
    listing_id: str
    subject_key: str
    subject_kind: str
    subject_name: str
    identifier: str
    list: str
    state: str
    cause: str
    record_id: str
    cause_id: str
    authority: str
    region: str
    document_number: str
    basis: list[str]  # type: ignore[valid-type]
    effective_on: int
    until: int | None
    fictitious: bool
    at: int
    text_zh: str
    text_en: str
    source: str = ""
    """Department that sent the decision."""


class MeasureOrder(msgspec.Struct, frozen=True, gc=False):
    """An order to apply a measure, or its lift."""

    order_id: str
    message_id: str
    action: str
    family: str
    measure: str
    binding: str
    subject_key: str
    subject_kind: str
    subject_name: str
    identifier: str
    list: str
    listing_id: str
    record_id: str
    cause: str
    cause_id: str
    basis: list[str]  # type: ignore[valid-type]
    executor: str
    region: str
    effective_on: int
    until: int | None
    fictitious: bool
    at: int
    text_zh: str
    text_en: str
    scope: list[str] = []  # type: ignore[valid-type]
    """What of the measure is ordered, by code; none: all of it."""


class Alert(msgspec.Struct, frozen=True, gc=False):
    """Something that somebody must know at once."""

    alert_id: str
    kind: str
    subject_key: str
    subject_kind: str
    subject_name: str
    identifier: str
    region: str
    lists: list[str]
    record_id: str
    cause_id: str
    at: int
    fictitious: bool
    text_zh: str
    text_en: str


class Change(msgspec.Struct, frozen=True, gc=False):
    """What one record or timer did to a dossier; never compacted, so history can be told from it."""

    change_id: str
    record_id: str | None
    event_key: str | None
    sender: str
    event_id: str
    subject_key: str
    kind: str
    outcome: str
    cause: str
    version: int
    score_before: int | None
    score_after: int | None
    grade_before: str | None
    grade_after: str | None
    listed: bool
    as_of: int
    edition: str
    receipt_hash: str
