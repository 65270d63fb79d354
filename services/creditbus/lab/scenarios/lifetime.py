"""Five years of one firm and one person, in a minute: every change of state with the article behind it.

Plays against a sandbox (no lab needed): the decisions are those of intake and dossier, the clock is the story's own.
All facts are fictitious.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from creditbus.catalogue.editions import authority_code
from creditbus.catalogue.models import Catalogue
from creditbus.core.alerts import REPAIR_IRREGULAR, REPAIR_UNMET
from creditbus.core.calendar import add_working_days
from creditbus.core.identifiers import synthetic_citizen, synthetic_uscc
from creditbus.core.records import business_day, date_of
from creditbus.core.state import Summary
from creditbus.core.terms import LIFT_ACKNOWLEDGEMENT
from creditbus.lab.sandbox import Emitted, Sandbox

FIRST_DAY = date(2026, 12, 1)
LAST_DAY = date(2031, 12, 1)
FIRM = synthetic_uscc("91", "150102", 8_001)
FIRM_KEY = FIRM[8:17]
PERSON = synthetic_citizen("150102", date(1980, 5, 1))
MARKET, COURT, TAX, PLATFORM, LICENSING = "150100-scjg", "150100-zy", "150000-swj", "150000-xxzx", "150200-zwfw"
_PENALTY, _CASE, _PERSON_CASE = "呼市监罚字〔2027〕8001号", "（2027）内01执8001号", "（2027）内01执8002号"
_OFFERS = {"ORDER": "守信激励 offered", "LIFT": "停止激励 withdrawn"}
_ACTIONS = {"ORDER": "实施", "LIFT": "解除", "SUSPEND": "暂停", "RESUME": "恢复"}
_SUBSCRIBERS = "subscribers"
_NOTICE, _TAX_DECISION = "内税告字〔2028〕8001号", "内税列字〔2028〕8001号"


_Sent = tuple[str, dict[str, Any]]
"""A department, and an event that it sends."""


@dataclass(frozen=True, slots=True)
class Told:
    """One thing that happened: what changed, to whom, and the rule or decision behind it."""

    day: date
    what: str
    why: str
    who: str = ""
    """Name of the subject; "" for what the firm's own lines leave out."""
    is_act: bool = False
    """What a department reported, and not what followed from it."""


def play(catalogue: Catalogue, progress: Callable[[date], None] = lambda _: None) -> Iterator[Told]:
    """The story from the first day to the last. progress: called with each day that was reached."""
    yield from _Player(catalogue, progress).play()


class _Player:
    def __init__(self, catalogue: Catalogue, progress: Callable[[date], None]) -> None:
        self.sandbox = Sandbox(catalogue, FIRST_DAY)
        self._progress = progress
        self._law = _Law(catalogue)
        self._authorities = {row.code: authority_code(row.region, row.sequence) for row in catalogue.departments}
        self._regions = {row.code: row.region for row in catalogue.departments}
        self._unanswered: list[tuple[str, dict[str, Any]]] = []
        """Orders and lifts that subscribers have to answer, each with who has to."""

    def play(self) -> Iterator[Told]:
        for day, sender, title, make in self._acts():
            yield from self._pass_to(day)
            yield Told(day, title, sender, is_act=True)
            for by, event in make():
                yield from self._tell(self.sandbox.send(by, event))
            if sender in (LICENSING, _SUBSCRIBERS) and is_clear(self.sandbox.summary(FIRM_KEY)):
                yield Told(
                    day, "✓ 下游不再留存任何措施 nothing stays downstream", "全部解除均已回执 every lift acknowledged"
                )
        yield from self._pass_to(LAST_DAY)

    def _pass_to(self, day: date) -> Iterator[Told]:
        while self.sandbox.today < day:
            step = min(day, self.sandbox.today + timedelta(days=7))
            emitted = list(self.sandbox.pass_to(step))
            self._progress(step)
            yield from self._tell(emitted)

    def _tell(self, emitted: Iterable[Emitted]) -> Iterator[Told]:
        for one in emitted:
            if one.record == "MeasureOrder" and one.value["family"].startswith("M"):
                self._unanswered += [(by, dict(one.value)) for by in self._subscribers(one.value)]
        yield from self._law.told(emitted)

    def _subscribers(self, order: Mapping[str, Any]) -> list[str]:
        rows = self.sandbox.rules.subscribers
        return [row.department for row in rows if row.carries_out(order["family"], order["subject_kind"])]

    def _acts(self) -> Iterator[tuple[date, str, str, Callable[[], Iterable[_Sent]]]]:
        """The story, in order; events are made on their day, since acknowledgements quote orders."""
        decided = date(2027, 1, 11)
        overdue = add_working_days(self.sandbox.rules.calendar, date(2027, 2, 1), 5).day + timedelta(days=3)
        yield date(2026, 12, 1), MARKET, "企业登记 the firm is registered", self._registration
        yield decided, MARKET, "市场监管局作出严重处罚 a serious penalty", lambda: self._penalty(decided)
        yield date(2027, 2, 1), PLATFORM, "企业提出异议 the firm disputes it", lambda: self._dispute("FILED")
        yield overdue, PLATFORM, "异议不成立，但已逾期 rejected, too late", lambda: self._dispute("DECIDED", "REJECTED")
        yield date(2027, 6, 1), COURT, "法院公布企业为失信被执行人 the court lists the firm", lambda: self._court(_CASE)
        yield date(2027, 6, 2), _SUBSCRIBERS, "各实施单位回执 those who carry it out answer", self._answers
        yield (
            date(2027, 7, 1),
            COURT,
            "法院公布个人为失信被执行人 the court lists a person",
            lambda: self._court(_PERSON_CASE),
        )
        yield date(2027, 7, 2), _SUBSCRIBERS, "各实施单位回执 those who carry it out answer", self._answers
        yield (
            date(2027, 9, 1),
            MARKET,
            "企业申请修复处罚，过早 it asks for repair too early",
            lambda: self._ask("APPLIED"),
        )
        yield date(2027, 9, 3), MARKET, "市场监管局不予修复 which is refused", lambda: self._ask("REFUSED")
        yield date(2028, 1, 10), COURT, "企业履行完毕，准予修复 repair is granted", self._repair
        yield date(2028, 1, 11), _SUBSCRIBERS, "除包头外均已停止 all but Baotou have stopped", self._all_but_baotou
        yield date(2028, 1, 24), LICENSING, "包头审批局确认停止 Baotou has stopped", self._answers
        yield (
            date(2028, 3, 1),
            TAX,
            "拟列入告知 notice of an intended listing",
            lambda: self._step("NOTICE", 2028, 3, 1),
        )
        yield (
            date(2028, 3, 20),
            TAX,
            "陈述申辩不成立 the statement is heard",
            lambda: self._step("STATEMENT", 2028, 3, 17),
        )
        yield date(2028, 4, 10), TAX, "列入决定 the decision, not served yet", self._tax_decision
        yield date(2028, 4, 20), TAX, "送达 the decision is served", lambda: self._step("SERVICE", 2028, 4, 19)
        yield date(2028, 4, 21), _SUBSCRIBERS, "各实施单位回执 those who carry it out answer", self._answers
        yield date(2029, 5, 8), MARKET, "守合同重信用 an honour", self._honour
        yield date(2029, 7, 3), _SUBSCRIBERS, "各实施单位已停止 all have stopped", self._answers
        yield date(2031, 4, 21), _SUBSCRIBERS, "各实施单位已停止 all have stopped", self._answers

    # -- what the departments report ---------------------------------------------------------------------------

    def _by(self, sender: str, kind: str, item: str, number: str, **more: Any) -> list[_Sent]:
        return [(sender, self._event(sender, kind, item, number, **more))]

    def _event(self, sender: str, kind: str, item: str, number: str, **more: Any) -> dict[str, Any]:
        today = self.sandbox.today
        reported = f"{today.isoformat()}T08:00:00+08:00"
        firm = {"kind": "LEGAL_PERSON", "name": "青城虚构建材有限公司", "identifiers": [_identifier("USCC", FIRM)]}
        event = {
            "kind": kind,
            "event_id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"lifetime/{sender}/{kind}/{number}/{today}")),
            "item": item,
            "authority": self._authorities[sender],
            "region": self._regions[sender],
            "reported_at": reported,
            "fictitious": True,
            "subject": firm,
            "document": {"number": number, "decided_on": today.isoformat()},
        }
        return {**event, **more}

    def _registration(self) -> list[_Sent]:
        facts = {"status": "ACTIVE", "industry": "F51", "former_identifiers": []}
        return self._by(MARKET, "Registration", "C01-REGISTRATION", "登记8001", facts=facts)

    def _penalty(self, decided: date) -> list[_Sent]:
        facts = {
            "procedure": "GENERAL",
            "violation": "销售不符合标准的建材（虚构）",
            "facts": "虚构事实，仅用于演示。",
            "penalty_types": ["FINE"],
            "content": "罚款五十万元",
            "fine_fen": 50_000_000,
            "severity": "SERIOUS",
            "is_final": True,
            "final_on": decided.isoformat(),
            "repair_notice_on": decided.isoformat(),
        }
        bases = [{"instrument": "XZCFF", "article": "第五十七条"}]
        return self._by(MARKET, "Penalty", "C03-PENALTY", _PENALTY, facts=facts, bases=bases)

    def _dispute(self, stage: str, outcome: str | None = None) -> list[_Sent]:
        target = {"kind": "Penalty", "authority": self._authorities[MARKET], "document_number": _PENALTY}
        facts = {"target": target, "stage": stage, "outcome": outcome, "statement": "罚款金额有误（虚构）"}
        return self._by(PLATFORM, "Dispute", "P01-DISPUTE", f"异议-{stage}", facts=facts)

    def _court(self, case: str) -> list[_Sent]:
        facts = {
            "case_number": case,
            "court": "呼和浩特市中级人民法院（虚构案件）",
            "basis_number": "（2026）内01民初8001号",
            "basis_body": "呼和浩特市中级人民法院",
            "filed_on": "2027-02-01",
            "obligation": "给付货款（虚构）",
            "performance": "NONE",
            "ground": "G2",
            "published_on": self.sandbox.today.isoformat(),
        }
        bases = [{"instrument": "FS2017-7", "article": "第一条"}]
        event = self._event(COURT, "CourtEnforcement", "C02-ENFORCEMENT", case, facts=facts, bases=bases)
        if case == _PERSON_CASE:
            identifiers = [_identifier("CITIZEN", PERSON)]
            event["subject"] = {"kind": "NATURAL_PERSON", "name": "虚构甲", "identifiers": identifiers}
        return [(COURT, event)]

    def _repair(self) -> list[_Sent]:
        target = {"kind": "CourtEnforcement", "authority": self._authorities[COURT], "document_number": _CASE}
        facts = {
            "target": target,
            "stage": "GRANTED",
            "performed_on": self.sandbox.today.isoformat(),
            "commitment": "信用承诺书（虚构）",
        }
        return self._by(COURT, "Repair", "P02-REPAIR", "修复8001", facts=facts)

    def _ask(self, stage: str) -> list[_Sent]:
        target = {"kind": "Penalty", "authority": self._authorities[MARKET], "document_number": _PENALTY}
        facts = {"target": target, "stage": stage, "performed_on": "2027-01-20", "commitment": "信用承诺书（虚构）"}
        return self._by(MARKET, "Repair", "P02-REPAIR", f"修复8002-{stage}", facts=facts)

    def _step(self, step: str, *day: int) -> list[_Sent]:
        facts = {
            "list": "L02",
            "step": step,
            "notice_number": _NOTICE,
            "happened_on": date(*day).isoformat(),
            "outcome": "REJECTED" if step == "STATEMENT" else None,
        }
        bases = [{"instrument": "SWZJ-54", "article": ""}]
        return self._by(TAX, "ListStep", "C06-LISTS", f"{_NOTICE}-{step}", facts=facts, bases=bases)

    def _tax_decision(self) -> list[_Sent]:
        facts = {
            "list": "L02",
            "action": "LIST",
            "ground": "EVASION",
            "effective_on": self.sandbox.today.isoformat(),
            "notice_number": _NOTICE,
            "reason": "虚构事实，仅用于演示。",
        }
        bases = [{"instrument": "SWZJ-54", "article": ""}]
        return self._by(TAX, "ListDecision", "C06-LISTS", _TAX_DECISION, facts=facts, bases=bases)

    def _honour(self) -> list[_Sent]:
        facts = {
            "honor": "CONTRACT_KEEPING",
            "title": "守合同重信用企业（虚构）",
            "granted_on": self.sandbox.today.isoformat(),
            "valid_until": "2031-05-07",
        }
        return self._by(MARKET, "Honor", "C11-HONOR", "荣誉8001", facts=facts)

    def _all_but_baotou(self) -> list[_Sent]:
        late = [one for one in self._unanswered if one[0] == LICENSING]
        self._unanswered = [one for one in self._unanswered if one not in late]
        answers = self._answers()
        self._unanswered = late
        return answers

    def _answers(self) -> list[_Sent]:
        """What those who carry measures out say about everything that they have not answered yet."""
        unanswered, self._unanswered = self._unanswered, []
        return [(sender, self._answer(sender, order)) for sender, order in unanswered]

    def _answer(self, sender: str, order: Mapping[str, Any]) -> dict[str, Any]:
        stopped = order["action"] == "LIFT"
        facts = {
            "order_id": order["order_id"],
            "family": order["family"],
            "action": "LIFT" if stopped else "ORDER",
            "state": "LIFTED" if stopped else "APPLIED",
            "done_on": self.sandbox.today.isoformat(),
            "note": "",
        }
        subject = {
            "kind": order["subject_kind"],
            "name": order["subject_name"],
            "identifiers": [_identifier("SUBJECT_KEY", order["subject_key"])],
        }
        number = f"回执-{order['message_id']}"
        return self._event(sender, "MeasureAcknowledgement", "P04-FEEDBACK", number, facts=facts, subject=subject)


class _Law:
    """Puts what came out into words, with the rule behind it."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._instruments = {row.code: row.zh for row in catalogue.instruments}
        self._lists = {row.code: row for row in catalogue.lists}
        self._names = {row.code: row.zh for row in (*catalogue.measures, *catalogue.incentives)}
        self._terms = {row.alert: row for row in catalogue.terms}
        self._publicity = catalogue.publicity.rows
        conditions = next(row.basis for row in catalogue.repair if row.code == "RP36-TIME")
        self._alerts = dict.fromkeys((REPAIR_UNMET, REPAIR_IRREGULAR), self._named(conditions))

    def told(self, emitted: Iterable[Emitted]) -> Iterator[Told]:
        """The messages that change something, orders of one kind in one line."""
        orders: dict[tuple[date, str, str, str], list[Mapping[str, Any]]] = {}
        for one in emitted:
            value = one.value
            if one.record == "MeasureOrder":
                key = (_day(value["at"]), value["subject_name"], value["action"], value["cause"])
                orders.setdefault(key, []).append(value)
            elif one.record == "ListingChange":
                why = f"{value['cause']}；{self._named(self._lists[value['list']].basis)}"
                yield Told(_day(value["at"]), value["text_zh"], why, value["subject_name"])
            elif one.record == "Alert":
                term = self._terms.get(value["kind"])
                why = f"{term.zh}：{term.basis}" if term is not None else self._alerts.get(value["kind"], "预警 alert")
                yield Told(_day(value["at"]), f"⚠ {value['text_zh']}", why, value["subject_name"])
            elif one.record == "Change":
                yield from self._change(value)
        for (day, who, action, cause), values in orders.items():
            names = "、".join(self._names[value["measure"]] for value in values)
            bases = self._named(dict.fromkeys(code for value in values for code in value["basis"]))
            verb = _OFFERS[action] if values[0]["family"].startswith("I") else f"{_ACTIONS[action]} {action}"
            yield Told(day, f"{verb}：{names}", f"{cause}；{bases}", who)

    def _change(self, value: Mapping[str, Any]) -> Iterator[Told]:
        day, before, after = _day(value["as_of"]), value["score_before"], value["score_after"]
        if value["outcome"] == "EXPIRED" and value["kind"] == "Penalty":
            rule = next(row for row in self._publicity if row.code == "P36-SERIOUS")
            why = f"{rule.basis}，最长 {rule.maximum_months} 个月"
            yield Told(day, "公示期满，处罚自动停止公示、不再计入 publication ends by itself", why)
        if after is not None and (before, value["grade_before"]) != (after, value["grade_after"]):
            scores = f"信用分 {'–' if before is None else before} → {after}"
            grades = f"等级 {value['grade_before'] or '–'} → {value['grade_after']}"
            yield Told(day, f"{scores}，{grades}", f"{value['outcome']} {value['kind']}")

    def _named(self, codes: Iterable[str]) -> str:
        return "、".join(f"《{self._instruments.get(code, code)}》" for code in codes)


def is_clear(summary: Summary) -> bool:
    """Whether no measure is in force and no lift is open."""
    return not summary.listings and not any(state.term == LIFT_ACKNOWLEDGEMENT for state in summary.terms)


def _day(at_ms: int) -> date:
    return date_of(business_day(at_ms))


def _identifier(scheme: str, value: str) -> dict[str, str]:
    return {"scheme": scheme, "value": value}
