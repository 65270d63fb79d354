"""Checks of an event against the contract and the catalogue: one table, each check reports all that it finds."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise

from creditbus.core.events import NATURAL_PERSON, Event
from creditbus.core.identifiers import Scheme, current_region, grade, is_blocked, lies_in
from creditbus.core.loading import load_source
from creditbus.core.outcome import Fault, Reason
from creditbus.core.records import business_day, date_of, day_of
from creditbus.core.rules import Rules
from creditbus.core.text import SHORTEST_CITIZEN_NUMBER, find_citizen_numbers

_EVENT_ID = re.compile(r"[0-9A-Fa-f]{8}-?(?:[0-9A-Fa-f]{4}-?){3}[0-9A-Fa-f]{12}|[0-9A-HJKMNP-TV-Za-hjkmnp-tv-z]{26}")
_REVISION_LIMIT = 10_000
_LONG_TERM = day_of(date(2099, 12, 31))
_FIRST_DAY = date(1949, 10, 1)
_FIRST_DAY_NUMBER = day_of(_FIRST_DAY)
_CLOCK_SKEW_DAYS = 1
"""A sender's calendar may be ahead of ours around midnight."""


def _nobody(_key: str) -> None:
    """No other number is known."""


def _no_load(_source: str, _at_ms: int) -> bool:
    """No initial load is open."""
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Checking:
    """What events are checked against."""

    rules: Rules
    code_lists: Mapping[str, tuple[tuple[str, frozenset[str]], ...]]
    """What ``code_lists_by_kind`` says of the rules."""
    now_ms: int
    leads_to: Callable[[str], str | None] = _nobody
    """Subject that another number of an organisation leads to, by the key of its row in ``credit.identities``."""
    is_loading: Callable[[str, int], bool] = _no_load
    """Whether an initial load takes an event that came at a time, by the source that it is (core/loading.py)."""
    today: int = field(init=False)
    """The business day."""
    today_date: date = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "today", business_day(self.now_ms))
        object.__setattr__(self, "today_date", date_of(self.today))


Check = Callable[[Event, Checking, list[Fault]], None]
"""A check adds what it finds."""


def fault(code: Reason, field: str, value: object, checking: Checking, allowed: Iterable[str] = ()) -> Fault:
    """A fault with the texts of the catalogue; ``value`` is shown, so it must not be personal data."""
    words = checking.rules.reasons[code]
    shown = str(value)
    facts = {
        "field": field,
        "value": shown if len(shown) <= 60 else shown[:57] + "...",
        "allowed": ", ".join(sorted(allowed)[:12]),
    }
    return Fault(
        code=code,
        field=field,
        problem_zh=words.text.zh.format_map(facts),
        problem_en=words.text.en.format_map(facts),
        remedy_zh=words.remedy.zh.format_map(facts),
        remedy_en=words.remedy.en.format_map(facts),
    )


def check_event_id(event: Event, checking: Checking, found: list[Fault]) -> None:
    """A UUID or ULID, so that it is unique without asking anybody."""
    if _EVENT_ID.fullmatch(event.head.event_id) is None:
        found.append(fault(Reason.MALFORMED_EVENT_ID, "event_id", event.head.event_id[:40], checking))


def check_revision(event: Event, checking: Checking, found: list[Fault]) -> None:
    """Revisions count from one."""
    if not 1 <= event.head.revision <= _REVISION_LIMIT:
        found.append(fault(Reason.BAD_REVISION, "revision", event.head.revision, checking))


def check_load(event: Event, checking: Checking, found: list[Fault]) -> None:
    """An initial load is one that officers opened for this department, and that it had not closed."""
    load_id = event.head.load_id
    if load_id is not None and not checking.is_loading(load_source(event.sender, load_id), event.came_at_ms):
        found.append(fault(Reason.LOAD_NOT_OPEN, "load_id", load_id, checking))


def check_sender(event: Event, checking: Checking, found: list[Fault]) -> None:
    """The department is in the catalogue today and may use the item."""
    department = checking.rules.departments.get(event.sender)
    if department is None or not department.span.covers(checking.today_date):
        found.append(fault(Reason.UNKNOWN_DEPARTMENT, "sender", event.sender, checking))
    elif department.items and event.head.item not in department.items:
        found.append(fault(Reason.ITEM_NOT_ALLOWED, "item", event.head.item, checking, department.items))


def check_authority(event: Event, checking: Checking, found: list[Fault]) -> None:
    """The deciding authority is named by a valid unified code (统一社会信用代码)."""
    rules = checking.rules
    if is_blocked(grade(Scheme.USCC, event.head.authority, rules.regions, rules.authority_types)):
        found.append(fault(Reason.UNKNOWN_AUTHORITY, "authority", event.head.authority, checking))


def check_region(event: Event, checking: Checking, found: list[Fault]) -> None:
    """A region of the catalogue that there was on the day of the decision; look-ups roll retired codes forward."""
    region, regions = event.head.region, checking.rules.regions
    span = regions.spans.get(region)
    if span is None:
        found.append(fault(Reason.UNKNOWN_REGION, "region", region, checking))
        return
    if span.valid_to is None and (span.valid_from is None or span.valid_from <= _FIRST_DAY):
        return  # nearly every event
    day = decided_day(event, checking)
    if span.valid_from is not None and day < span.valid_from:
        found.append(fault(Reason.REGION_NOT_VALID, "region", region, checking, [region[:4] + "00"]))
    if span.valid_to is not None and day >= span.valid_to:
        found.append(fault(Reason.REGION_NOT_VALID, "region", region, checking, [current_region(regions, region)]))


def check_item(event: Event, checking: Checking, found: list[Fault]) -> None:
    """A catalogue item that takes this kind of event and of subject (closed world, domain.md 3.1)."""
    item = checking.rules.items.get(event.head.item)
    if item is None:
        found.append(fault(Reason.UNKNOWN_ITEM, "item", event.head.item, checking, checking.rules.items))
        return
    if event.kind not in item.kinds:
        found.append(fault(Reason.ITEM_NOT_ALLOWED, "item", event.head.item, checking, item.kinds))
    if item.subject_kinds and event.head.subject.kind not in item.subject_kinds:
        found.append(fault(Reason.UNKNOWN_CODE, "subject.kind", event.head.subject.kind, checking, item.subject_kinds))
    if item.providers:
        _only_of(item.providers, "item", event.head.item, event, checking, found)
    for name, values in item.takes:
        if event.facts.get(name) not in values:
            found.append(fault(Reason.ITEM_NOT_ALLOWED, f"facts.{name}", event.facts.get(name), checking, values))


def _only_of(
    domains: Iterable[str], field: str, value: object, event: Event, checking: Checking, found: list[Fault]
) -> None:
    """A fault when the sender's domain is none of these; no domains: every department may."""
    department = checking.rules.departments.get(event.sender)
    if domains and department is not None and department.domain not in domains:
        found.append(fault(Reason.ITEM_NOT_ALLOWED, field, value, checking, domains))


def check_document(event: Event, checking: Checking, found: list[Fault]) -> None:
    """A decision without a number can neither be found nor taken back."""
    if not event.head.document.number.strip():
        found.append(fault(Reason.MISSING_DOCUMENT_NUMBER, "document.number", "", checking))


def check_dates(event: Event, checking: Checking, found: list[Fault]) -> None:
    """Decided before served before reported, none in the future, all within living memory."""
    document, today = event.head.document, checking.today + _CLOCK_SKEW_DAYS
    reported = business_day(event.head.reported_at)
    if document.decided_on < _FIRST_DAY_NUMBER:
        found.append(fault(Reason.IMPOSSIBLE_DATE, "document.decided_on", _shown(document.decided_on), checking))
    if document.decided_on > today:
        found.append(fault(Reason.FUTURE_DATE, "document.decided_on", _shown(document.decided_on), checking))
    if reported > today:
        found.append(fault(Reason.FUTURE_DATE, "reported_at", _shown(reported), checking))
    elif reported + _CLOCK_SKEW_DAYS < document.decided_on:
        found.append(fault(Reason.IMPOSSIBLE_DATE, "reported_at", _shown(reported), checking))
    if document.served_on is not None and document.served_on < document.decided_on:
        found.append(fault(Reason.IMPOSSIBLE_DATE, "document.served_on", _shown(document.served_on), checking))


_PERIODS = (("valid_from", "valid_until"), ("granted_on", "valid_until"), ("executed_from", "executed_until"))
_PAST = frozenset({"established_on", "filed_on", "published_on", "granted_on", "performed_on", "revoked_on", "done_on",
                   "notice_on", "heard_on", "conduct_on", "served_on", "happened_on", "final_on",
                   "repair_notice_on"})  # fmt: skip


def check_fact_dates(event: Event, checking: Checking, found: list[Fault]) -> None:
    """Periods end after they begin; what is said to have happened has happened."""
    facts, today = event.facts, checking.today + _CLOCK_SKEW_DAYS
    for first, last in _PERIODS:
        begin, end = facts.get(first), facts.get(last)
        if isinstance(begin, int) and isinstance(end, int) and end < begin:
            found.append(fault(Reason.IMPOSSIBLE_DATE, f"facts.{last}", _shown(end), checking))
    for name in _PAST & facts.keys():
        day = facts[name]
        if isinstance(day, int) and day > today:
            found.append(fault(Reason.FUTURE_DATE, f"facts.{name}", _shown(day), checking))
    notice = facts.get("repair_notice_on")
    if isinstance(notice, int) and notice < event.head.document.decided_on:
        found.append(fault(Reason.IMPOSSIBLE_DATE, "facts.repair_notice_on", _shown(notice), checking))
    until = facts.get("valid_until")
    if isinstance(until, int) and until > _LONG_TERM:
        found.append(fault(Reason.IMPOSSIBLE_DATE, "facts.valid_until", _shown(until), checking))


def check_bases(event: Event, checking: Checking, found: list[Fault]) -> None:
    """Adverse items rest on a catalogued instrument that was in force on the day of the decision."""
    decided_on = decided_day(event, checking)
    for index, basis in enumerate(event.head.bases):
        instrument = checking.rules.instruments.get(basis.instrument)
        if instrument is None or not instrument.span.covers(decided_on):
            found.append(fault(Reason.UNKNOWN_BASIS, f"bases[{index}].instrument", basis.instrument, checking))
    item = checking.rules.items.get(event.head.item)
    if item is not None and item.needs_basis:
        if not all(is_consent(basis.instrument, checking.rules) for basis in event.head.bases):
            return
        found.append(fault(Reason.UNKNOWN_BASIS, "bases", "", checking))


def is_consent(instrument: str, rules: Rules) -> bool:
    """Whether a basis is a subject's consent, which lets be recorded what needs it but founds no decision."""
    row = rules.instruments.get(instrument)
    return row is not None and row.level == "CONSENT"


def check_local(event: Event, checking: Checking, found: list[Fault]) -> None:
    """What supplements the catalogue of a region is for that region's departments and decisions (domain.md 3.1)."""
    rules, department = checking.rules, checking.rules.departments.get(event.sender)
    item, listed = rules.items.get(event.head.item), rules.lists.get(str(event.facts.get("list")))
    local = [("item", item.code, item.region)] if item is not None and item.region else []
    if listed is not None and listed.region:
        local.append(("facts.list", listed.code, listed.region))
    for index, basis in enumerate(event.head.bases):
        instrument = rules.instruments.get(basis.instrument)
        if instrument is not None and instrument.region:
            local.append((f"bases[{index}].instrument", instrument.code, instrument.region))
    for name, value, region in local:
        places = (event.head.region, department.region if department is not None else event.head.region)
        if not all(lies_in(rules.regions, place, region) for place in places):
            found.append(fault(Reason.NOT_IN_REGION, name, value, checking, [region]))


def check_codes(event: Event, checking: Checking, found: list[Fault]) -> None:
    """Every coded fact has a value of its list."""
    for name, allowed in checking.code_lists.get(event.kind, ()):
        value = event.facts.get(name)
        values = value if isinstance(value, list) else [value]
        for one in values:
            if one is not None and one not in allowed:
                found.append(fault(Reason.UNKNOWN_CODE, f"facts.{name}", one, checking, allowed))


def check_grade(event: Event, checking: Checking, found: list[Fault]) -> None:
    """A grade belongs to the scheme that it names, and a department of that scheme gives it."""
    raters = checking.rules.raters.get(str(event.facts["scheme"]), ())
    _only_of(raters, "facts.scheme", event.facts["scheme"], event, checking, found)
    allowed = checking.rules.code_lists.get(f"Rating.grade:{event.facts['scheme']}")
    if allowed is not None and event.facts["grade"] not in allowed:
        found.append(fault(Reason.UNKNOWN_CODE, "facts.grade", event.facts["grade"], checking, allowed))


def check_list(event: Event, checking: Checking, found: list[Fault]) -> None:
    """Only a list of the catalogue, decided by a department that may decide it; a delisting names what it ends."""
    rule = checking.rules.lists.get(str(event.facts["list"]))
    if rule is None:
        found.append(fault(Reason.UNKNOWN_CODE, "facts.list", event.facts["list"], checking, checking.rules.lists))
        return
    _only_of(rule.authorities_domains, "facts.list", event.facts["list"], event, checking, found)
    bases = {basis.instrument for basis in event.head.bases}
    if event.facts.get("action") == "LIST" and bases.isdisjoint(rule.basis):
        found.append(fault(Reason.LIST_BASIS, "bases", ", ".join(sorted(bases)), checking, rule.basis))
    if event.facts.get("action") == "DELIST" and event.target is None:
        found.append(fault(Reason.BAD_TARGET, "facts.target", "", checking))


def check_related(event: Event, checking: Checking, found: list[Fault]) -> None:
    """A responsible person has a decision of its own, which names that about the organisation."""
    if event.facts.get("role") and event.facts.get("related_decision") is None:
        found.append(fault(Reason.MISSING_CONDITION, "facts.related_decision", "", checking))


def check_order(event: Event, checking: Checking, found: list[Fault]) -> None:
    """A court's order (限制消费令) rests on what lets the court make it."""
    if event.facts["stage"] != "ISSUED":
        return
    allowed = {code for rule in checking.rules.lists.values() if event.kind in rule.entry_kinds for code in rule.basis}
    bases = {basis.instrument for basis in event.head.bases}
    if allowed and bases.isdisjoint(allowed):
        found.append(fault(Reason.LIST_BASIS, "bases", ", ".join(sorted(bases)), checking, allowed))


def check_extension(event: Event, checking: Checking, found: list[Fault]) -> None:
    """A longer term has its ground, and no other length than its list allows."""
    months, ground = event.facts.get("extension_months"), event.facts.get("extension_ground")
    if isinstance(months, int):
        lists = checking.rules.lists.values()
        allowed = [one.extension_months for one in lists if event.kind in one.entry_kinds and one.extension_months]
        if not any(least <= months <= most for least, most in allowed):
            told = [f"{least}–{most}" for least, most in allowed]
            found.append(fault(Reason.BAD_TERM, "facts.extension_months", months, checking, told))
    if (months is None) != (ground is None):
        missing = "extension_ground" if ground is None else "extension_months"
        found.append(fault(Reason.MISSING_CONDITION, f"facts.{missing}", "", checking))


_STEPS = ("facts.notice_on", "facts.heard_on", "document.decided_on", "facts.served_on")


def check_list_steps(event: Event, checking: Checking, found: list[Fault]) -> None:
    """Nobody is listed without a notice; what a decision attests of its procedure is in order (domain.md 0.1-4)."""
    if event.facts["action"] != "LIST":
        return
    rule = checking.rules.lists.get(str(event.facts["list"]))
    if rule is not None and "notice" in rule.steps and not str(event.facts.get("notice_number") or "").strip():
        found.append(fault(Reason.MISSING_STEP, "facts.notice_number", "", checking))
    days = [event.facts.get(name.partition(".")[2]) for name in _STEPS]
    days[2] = event.head.document.decided_on
    told = [(name, day) for name, day in zip(_STEPS, days, strict=True) if isinstance(day, int)]
    for (_, before), (name, day) in pairwise(told):
        if day < before:
            found.append(fault(Reason.IMPOSSIBLE_DATE, name, _shown(day), checking))


def check_answer(event: Event, checking: Checking, found: list[Fault]) -> None:
    """An organ answers for itself and for nobody else, and nobody opens a ticket about itself (督办)."""
    department = checking.rules.departments.get(event.sender)
    about = {one.value for one in event.head.subject.identifiers}
    if department is None or not department.authorities:
        return
    if (event.facts["stage"] == "ANSWERED") is about.isdisjoint(department.authorities):
        found.append(fault(Reason.NOT_ITS_TICKET, "sender", event.sender, checking))


def check_measures(event: Event, checking: Checking, found: list[Fault]) -> None:
    """Measures that a decision or a notice names are in the catalogue."""
    named = event.facts.get("measures")
    if isinstance(named, list):
        known = {measure.code for measure in checking.rules.measures}
        for code in named:
            if code not in known:
                found.append(fault(Reason.UNKNOWN_CODE, "facts.measures", code, checking, known))


def check_subscriber(event: Event, checking: Checking, found: list[Fault]) -> None:
    """An answer to an order comes from who carries it out."""
    rules = checking.rules
    if not rules.subscribers:
        return
    family, kind, today = str(event.facts["family"]), event.head.subject.kind, checking.today_date
    mine = [row for row in rules.subscribers if row.department == event.sender and row.span.since <= today]
    if not any(row.carries_out(family, kind) for row in mine):
        families = {one for row in mine for one in row.families}
        found.append(fault(Reason.NOT_A_SUBSCRIBER, "facts.family", family, checking, families or ["–"]))


def check_required(event: Event, checking: Checking, found: list[Fault]) -> None:
    """A decision rests on its conditions: a repair on performance and commitment, an answer on its outcome."""
    for rule in checking.rules.required.get(event.kind, ()):
        if event.facts.get(rule.field) == rule.value:
            value = event.facts.get(rule.needs)
            if value is None or value == "":
                found.append(fault(Reason.MISSING_CONDITION, f"facts.{rule.needs}", "", checking))


def check_amounts(event: Event, checking: Checking, found: list[Fault]) -> None:
    """Money is not negative."""
    for name, value in event.facts.items():
        if isinstance(value, int) and value < 0 and name.endswith("_fen"):
            found.append(fault(Reason.BAD_AMOUNT, f"facts.{name}", value, checking))


def check_target(event: Event, checking: Checking, found: list[Fault]) -> None:
    """What an event refers to is named by kind, authority and document number."""
    target = event.target
    if target is not None and not (target.kind and target.authority and target.document_number.strip()):
        found.append(fault(Reason.BAD_TARGET, "facts.target", target.document_number, checking))


def check_free_text(event: Event, checking: Checking, found: list[Fault]) -> None:
    """No identity number of a person in a text, a title or a document number; the number itself is not shown."""
    document, subject = event.head.document, event.head.subject
    texts = {
        "document.number": document.number,
        "document.title": document.title,
        "document.item_number": document.item_number,
    }
    if subject.kind != NATURAL_PERSON:
        texts["subject.name"] = subject.name
    long = [value for value in texts.values() if len(value) >= SHORTEST_CITIZEN_NUMBER]
    for value in event.facts.values():
        if isinstance(value, str) and len(value) >= SHORTEST_CITIZEN_NUMBER:
            long.append(value)
    if not find_citizen_numbers(_APART.join(long)):
        return  # one search of everything, since hardly any event has a number in a text
    texts |= {f"facts.{name}": value for name, value in event.facts.items() if isinstance(value, str)}
    for place, value in texts.items():
        if find_citizen_numbers(value):
            found.append(fault(Reason.PERSONAL_DATA, place, "******", checking))


_APART = "；；"
"""Between texts that are searched at once: no number goes across it."""

CHECKS: Sequence[Check] = (
    check_event_id,
    check_revision,
    check_load,
    check_sender,
    check_authority,
    check_region,
    check_item,
    check_document,
    check_dates,
    check_fact_dates,
    check_bases,
    check_local,
    check_codes,
    check_extension,
    check_measures,
    check_required,
    check_amounts,
    check_target,
    check_free_text,
)
"""For every kind of event."""

CHECKS_OF_KINDS: Mapping[str, Sequence[Check]] = {
    "Rating": (check_grade,),
    "ListStep": (check_list,),
    "ListDecision": (check_list, check_list_steps, check_related),
    "RestrictionOrder": (check_order, check_related),
    "SupervisionTicket": (check_answer,),
    "MeasureAcknowledgement": (check_subscriber,),
}


def faults_of(event: Event, checking: Checking) -> list[Fault]:
    """Every fault that any check finds."""
    found: list[Fault] = []
    for check in CHECKS:
        check(event, checking, found)
    for check in CHECKS_OF_KINDS.get(event.kind, ()):
        check(event, checking, found)
    return found


def code_lists_by_kind(rules: Rules) -> Mapping[str, tuple[tuple[str, frozenset[str]], ...]]:
    """(field, allowed values) of each kind, from names such as "Penalty.severity"; computed once an edition."""
    found: dict[str, list[tuple[str, frozenset[str]]]] = {}
    for name, values in rules.code_lists.items():
        kind, _, field = name.partition(".")
        if ":" not in name:
            found.setdefault(kind, []).append((field, values))
    return {kind: tuple(fields) for kind, fields in found.items()}


def decided_day(event: Event, checking: Checking) -> date:
    """The day of the decision, for rules that hold on it; of an impossible one, a fault, the nearest possible day."""
    return date_of(min(max(event.head.document.decided_on, _FIRST_DAY_NUMBER), checking.today + _CLOCK_SKEW_DAYS))


def _shown(day: int) -> str:
    """A day as text, whatever number came."""
    try:
        return date_of(day).isoformat()
    except OverflowError:
        return str(day)
