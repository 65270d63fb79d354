"""A seeded stream of events: good ones, duplicates, corrections, late reports, bad input.

The same seed, days and number of subjects give the same events, ids included. What each must become is known from the
start.
"""

from __future__ import annotations

import random
import uuid
from collections import deque
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any

from creditbus.catalogue.editions import authority_code
from creditbus.catalogue.loader import load
from creditbus.core.identifiers import synthetic_citizen, synthetic_uscc
from creditbus.lab.simulator.kinds import KINDS

Event = dict[str, Any]
_PLATFORM, _TAX, _REGISTRAR = "150000-xxzx", "150000-swj", "150000-scjg"
_ITEMS = {
    "Repair": "P02-REPAIR",
    "Dispute": "P01-DISPUTE",
    "Revocation": "P03-REVOCATION",
    "ListStep": "C06-LISTS",
    "SupervisionTicket": "P07-TICKET",
    "IdentityLink": "C01-IDENTITY",
    "IdentitySplit": "C01-IDENTITY",
}
_PREFIXES = {
    "Repair": "修字",
    "Dispute": "异字",
    "Revocation": "撤字",
    "RestrictionOrder": "解字",
    "IdentitySplit": "撤联字",
}
_SUPERVISED = ("150100-scjg", "150200-sthj", "150000-jtt", "150000-zjt")
_ANSWERED = 0.9
_CASE = ("case_number", "court")
_STEPS_A_TURN = 0.2
"""Chance that an event is the next step of a procedure that has begun."""
_SEQUENCES = 850_000_000
_CODES = 800_000
"""Sequences of codes of a seed: firms have the first ones, codes that firms get later are the last ones."""
_MERGED = 0.4
"""Share of links that lead to another firm of the story; the others lead to a new code of the same firm."""
_CITIES = ("150102", "150105", "150202", "150204", "150602", "150402", "150802", "152502")
_NAMES = ("青城", "敕勒川", "阴山", "河套", "锡林", "乌兰", "大青山", "居延")
_TRADES = ("商贸", "建材", "乳业", "运输", "餐饮", "农牧业", "能源", "医药")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mix:
    """How much of the stream is not a plain new event; parts of one."""

    bad: float = 0.03
    duplicates: float = 0.03
    corrections: float = 0.02
    late: float = 0.05
    repairs: float = 0.02
    disputes: float = 0.01
    """Filed, or decided where one is open."""
    revocations: float = 0.002
    procedures: float = 0.0005
    """Listings whose steps are told one by one, in any order."""
    tickets: float = 0.0005
    """Tickets about departments, with their answers and checks."""
    links: float = 0.0005
    """Firms that get another code or merge into another firm; some go on being told of under the old code."""
    splits: float = 0.0002
    """Links that are taken back."""


@dataclass(frozen=True, slots=True)
class Sent:
    """An event, who sends it, and what it must become."""

    department: str
    event: Event
    expected: str
    """RECORDED, REJECTED or DUPLICATE."""


@dataclass(slots=True)
class Story:
    """The stream of one seed."""

    seed: int
    subjects: int
    day: date
    """The last day of the stream."""
    mix: Mix = field(default_factory=Mix)
    days: int = 1
    """So many days, up to the last one; events are spread over them evenly."""
    _today: date = field(init=False)
    _disputed: list[Sent] = field(default_factory=list)
    _soon: deque[Sent] = field(default_factory=deque)
    """Further steps of procedures that have begun."""
    _linked: list[Sent] = field(default_factory=list)
    """Links in effect."""
    _past: list[Sent] = field(default_factory=list)
    _chance: random.Random = field(init=False)
    _number: int = 0

    def __post_init__(self) -> None:
        self._chance = random.Random(self.seed)  # noqa: S311 - reproducible, nothing secret
        self._today = self.day

    def events(self, count: int) -> Iterator[Sent]:
        """The first so many events."""
        for number in range(count):
            self._today = self.day - timedelta(days=self.days - 1 - number * self.days // count)
            sent = self._next()
            is_link = sent.event["kind"] in ("IdentityLink", "IdentitySplit")
            if sent.expected == "RECORDED" and not is_link and len(self._past) < 5_000:
                self._past.append(sent)
            yield sent

    def _next(self) -> Sent:
        chance, mix = self._chance, self.mix
        if self._soon and chance.random() < _STEPS_A_TURN:
            return self._soon.popleft()
        draw = chance.random()
        if draw < mix.procedures:
            return self._procedure()
        draw -= mix.procedures
        if draw < mix.tickets:
            return self._ticket()
        draw -= mix.tickets
        if self._past:
            for share, again in (
                (mix.duplicates, self._duplicate),
                (mix.corrections, self._correction),
                (mix.repairs, self._repair),
                (mix.disputes, self._dispute),
                (mix.revocations, self._revocation),
                (mix.links, self._link),
                (mix.splits, self._split),
            ):
                if draw < share:
                    return again(chance.choice(self._past))
                draw -= share
        sent = self._new()
        return self._spoilt(sent) if draw < mix.bad else sent

    def _new(self) -> Sent:
        chance = self._chance
        kind = chance.choices(list(KINDS), [one.weight for one in KINDS.values()])[0]
        row = KINDS[kind]
        department = chance.choice(row.departments)
        decided = self._today - timedelta(days=chance.randrange(20, 60) if chance.random() < self.mix.late else 3)
        self._number += 1
        event = self._event(kind, department, decided, f"{row.prefix}〔{decided.year}〕{self.seed}-{self._number}号")
        event["facts"] = row.facts(chance, decided)
        event["bases"] = [{"instrument": row.basis}] if row.basis else []
        event["subject"] = self._subject(kind)
        return Sent(department, event, "RECORDED")

    def _event(self, kind: str, department: str, decided: date, number: str) -> Event:
        region = department[:6]
        return {
            "kind": kind,
            "event_id": self._event_id(),
            "revision": 1,
            "item": KINDS[kind].item if kind in KINDS else _ITEMS[kind],
            "authority": authority_code(region, 16),
            "region": region,
            "reported_at": datetime.combine(self._today, time(1), UTC).isoformat(),
            "fictitious": True,
            "document": {"number": number, "decided_on": decided.isoformat()},
            "bases": [],
        }

    def _event_id(self) -> str:
        """Of all that the facts follow from: the same seed on other days, or of other firms, tells other facts."""
        told = f"{self.day} {self._today} {self.subjects} {self._chance.getrandbits(128)}"
        return str(uuid.uuid5(uuid.NAMESPACE_OID, told))

    def _subject(self, kind: str) -> Event:
        """A subject; few get much: the square of a uniform draw favours low numbers."""
        number = int(self._chance.random() ** 2 * self.subjects)
        sequence = (self.seed % 1000) * _CODES + number
        if kind == "DepartmentReview":
            code = _organ(self._chance.choice(_SUPERVISED))
            return {"kind": "ORGAN", "name": "虚构机关", "identifiers": [{"scheme": "USCC", "value": code}]}
        city = _CITIES[number % len(_CITIES)]
        name = f"{_NAMES[number % 8]}{_TRADES[number // 8 % 8]}"
        if kind == "Practitioner" or (kind in ("CourtEnforcement", "RestrictionOrder") and number % 3 == 0):
            birth = date(1960, 1, 1) + timedelta(days=number % 14_000)
            return {
                "kind": "NATURAL_PERSON",
                "name": f"虚构{_NAMES[number % 8][0]}某",
                "identifiers": [{"scheme": "CITIZEN", "value": synthetic_citizen(city, birth)}],
            }
        trader = number % 10 == 9 and kind in ("Permit", "Registration", "Penalty")
        return {
            "kind": "SOLE_TRADER" if trader else "LEGAL_PERSON",
            "name": f"{name}{'商行' if trader else '有限公司'}（虚构{number}）",
            "identifiers": [
                {"scheme": "USCC", "value": synthetic_uscc("92" if trader else "91", city, sequence % _SEQUENCES)}
            ],
        }

    def _duplicate(self, past: Sent) -> Sent:
        """The same event again, or the same fact under another id."""
        event = past.event
        if self._chance.random() < 0.5:
            event = {**event, "event_id": self._event_id()}
        return Sent(past.department, event, "DUPLICATE")

    def _correction(self, past: Sent) -> Sent:
        """A higher revision of the same event."""
        return Sent(past.department, {**past.event, "revision": self._chance.randrange(2, 50)}, "CORRECTION")

    def _repair(self, past: Sent) -> Sent:
        """A granted repair of an earlier record; the courts lift their orders instead."""
        if past.event["kind"] == "RestrictionOrder":
            return self._lifted(past)
        commitment = f"信用承诺{self.seed}-{self._number}（虚构）"
        facts = {"stage": "GRANTED", "performed_on": self._today.isoformat(), "commitment": commitment}
        return self._about("Repair", past, past.department, facts)

    def _lifted(self, past: Sent) -> Sent:
        """The court lifts an order that limits consumption."""
        order = past.event["facts"]
        facts = {"stage": "LIFTED", "reason": "已履行完毕（虚构）"}
        sent = self._about("RestrictionOrder", past, past.department, facts | {k: order[k] for k in _CASE})
        sent.event["bases"] = past.event["bases"]
        return sent

    def _dispute(self, past: Sent) -> Sent:
        """Somebody disputes an earlier record, or the office decides about an open dispute."""
        if self._disputed and self._chance.random() < 0.5:
            about = self._disputed.pop(self._chance.randrange(len(self._disputed)))
            outcome = self._chance.choices(["REJECTED", "CORRECTED", "UPHELD"], [6, 2, 2])[0]
            return self._about("Dispute", about, _PLATFORM, {"stage": "DECIDED", "outcome": outcome})
        self._disputed.append(past)
        return self._about("Dispute", past, _PLATFORM, {"stage": "FILED", "statement": "内容有误（虚构）"})

    def _revocation(self, past: Sent) -> Sent:
        """The authority withdraws an earlier decision."""
        facts = {"reason": "适用依据错误（虚构）", "revoked_on": self._today.isoformat()}
        return self._about("Revocation", past, past.department, facts)

    def _link(self, past: Sent) -> Sent:
        """The firm of an earlier event has another code, or was merged into another firm."""
        subject = past.event["subject"]
        if subject["kind"] != "LEGAL_PERSON":
            return self._new()
        self._number += 1
        event = self._event("IdentityLink", _REGISTRAR, self._today, f"联字{self.seed}-{self._number}号")
        is_merged = self._chance.random() < _MERGED
        other = self._subject("Filing") if is_merged else {}
        if not is_merged or other["identifiers"] == subject["identifiers"]:
            other = {"identifiers": [{"scheme": "USCC", "value": self._new_code()}]}
        reason = "MERGER" if is_merged else self._chance.choice(["CODE_CHANGE", "CODE_CORRECTION"])
        event["subject"] = subject
        event["facts"] = {
            "successor": other["identifiers"][0],
            "reason": reason,
            "effective_on": self._today.isoformat(),
        }
        self._linked.append(Sent(_REGISTRAR, event, "RECORDED"))
        return self._linked[-1]

    def _split(self, _past: Sent) -> Sent:
        """The registration authority takes a link back."""
        if not self._linked:
            return self._new()
        link = self._linked.pop(self._chance.randrange(len(self._linked)))
        facts = {"reason": "登记有误（虚构）", "split_on": self._today.isoformat()}
        return self._about("IdentitySplit", link, _REGISTRAR, facts)

    def _new_code(self) -> str:
        """A code that no firm of the story had before."""
        sequence = (self.seed % 1000) * _CODES + _CODES - 1 - self._number
        return synthetic_uscc("91", self._chance.choice(_CITIES), sequence % _SEQUENCES)

    def _about(self, kind: str, past: Sent, department: str, facts: Event) -> Sent:
        self._number += 1
        event = self._event(kind, department, self._today, f"{_PREFIXES[kind]}{self.seed}-{self._number}号")
        event["subject"] = past.event["subject"]
        target = {
            "kind": past.event["kind"],
            "authority": past.event["authority"],
            "document_number": past.event["document"]["number"],
        }
        event["facts"] = {"target": target, **facts}
        return Sent(department, event, "RECORDED")

    def _procedure(self) -> Sent:
        """A listing of the tax office: notice, statement, decision and service, each told by itself, in any order."""
        self._number += 1
        subject, notice = self._subject("ListDecision"), f"税告字{self.seed}-{self._number}号"
        decided = self._today - timedelta(days=10)
        steps = [("NOTICE", -40), ("STATEMENT", -20), ("SERVICE", 3)]
        sent = [self._step(subject, notice, step, decided + timedelta(days=days)) for step, days in steps]
        event = self._event("ListDecision", _TAX, decided, f"税列字{self.seed}-{self._number}号")
        facts = {"list": "L02", "action": "LIST", "ground": "偷税（虚构）", "effective_on": decided.isoformat()}
        event |= {"subject": subject, "facts": {**facts, "notice_number": notice}, "bases": [{"instrument": "SWZJ-54"}]}
        sent.append(Sent(_TAX, event, "RECORDED"))
        self._chance.shuffle(sent)
        self._soon.extend(sent[1:])
        return sent[0]

    def _step(self, subject: Event, notice: str, step: str, day: date) -> Sent:
        event = self._event("ListStep", _TAX, day, f"{notice}-{step}")
        outcome = "REJECTED" if step == "STATEMENT" else None
        facts = {
            "list": "L02",
            "step": step,
            "notice_number": notice,
            "happened_on": day.isoformat(),
            "outcome": outcome,
        }
        event |= {"subject": subject, "facts": facts, "bases": [{"instrument": "SWZJ-54"}]}
        return Sent(_TAX, event, "RECORDED")

    def _ticket(self) -> Sent:
        """A ticket about a department that sent late; most answer it, and what they say is checked."""
        self._number += 1
        department, number = self._chance.choice(_SUPERVISED), f"督字{self.seed}-{self._number}号"
        opened = self._today - timedelta(days=20)
        sent = [self._stage(department, number, "OPENED", opened, _PLATFORM)]
        if self._chance.random() < _ANSWERED:
            sent.append(self._stage(department, number, "ANSWERED", opened + timedelta(days=9), department))
            sent.append(self._stage(department, number, "CLOSED", opened + timedelta(days=14), _PLATFORM))
        self._soon.extend(sent[1:])
        return sent[0]

    def _stage(self, department: str, number: str, stage: str, day: date, sender: str) -> Sent:
        """A stage of a ticket."""
        is_first = stage == "OPENED"
        event = self._event("SupervisionTicket", sender, day, number if is_first else f"{number}-{stage}")
        event["item"] = "P08-TICKET-ANSWER" if stage == "ANSWERED" else "P07-TICKET"
        code = _organ(department)
        event["authority"] = _organ(sender)
        event["subject"] = {
            "kind": "ORGAN",
            "name": "虚构机关",
            "identifiers": [{"scheme": "USCC", "value": code}],
        }
        target = {"kind": "SupervisionTicket", "authority": _organ(_PLATFORM), "document_number": number}
        event["facts"] = {
            "stage": stage,
            "category": "LATE",
            "target": None if is_first else target,
            "requirement": "说明迟报原因并补报（虚构）" if is_first else None,
            "answer": "已补报（虚构）" if stage == "ANSWERED" else None,
        }
        return Sent(sender, event, "RECORDED")

    def _spoilt(self, sent: Sent) -> Sent:
        """A copy with one thing wrong."""
        event = deepcopy(sent.event)
        self._chance.choice(SPOILERS)(event)
        return Sent(sent.department, event, "REJECTED")


@lru_cache
def _organ(department: str) -> str:
    """Unified code of a department of the catalogue."""
    row = next(one for one in load().departments if one.code == department)
    return authority_code(row.region, row.sequence)


def _bad_identifier(event: Event) -> None:
    identifier = event["subject"]["identifiers"][0]
    wrong = "0" if identifier["value"][-1] != "0" else "1"
    identifier["value"] = identifier["value"][:-1] + wrong


def _future_date(event: Event) -> None:
    event["document"]["decided_on"] = "2098-01-01"


def _unknown_region(event: Event) -> None:
    event["region"] = "159999"


def _no_document_number(event: Event) -> None:
    event["document"]["number"] = " "


def _unknown_item(event: Event) -> None:
    event["item"] = "C99-NOTHING"


def _number_in_text(event: Event) -> None:
    event["document"]["title"] = f"关于{synthetic_citizen('150102', date(1980, 5, 1))}的决定"


SPOILERS: tuple[Callable[[Event], None], ...] = (
    _bad_identifier,
    _future_date,
    _unknown_region,
    _no_document_number,
    _unknown_item,
    _number_in_text,
)
