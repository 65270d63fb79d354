"""Every check of an event: each valid example passes, and each fault is found under its own name and field."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creditbus.catalogue.editions import authority_code
from creditbus.core.identifiers import synthetic_citizen
from creditbus.core.outcome import Reason
from creditbus.lab.sandbox import MemoryMessage
from intake_harness import Intake, example, rules, schemas, stamped

ADULT = synthetic_citizen("150102", date(1980, 2, 29))
CHILD = synthetic_citizen("150102", date(2015, 6, 1))
NEARLY_ADULT = synthetic_citizen("150102", date(2008, 11, 18))
JUST_ADULT = synthetic_citizen("150102", date(2008, 11, 17))


@pytest.mark.parametrize("kind", sorted(schemas().events))
def test_the_example_of_every_kind_becomes_one_record(kind: str) -> None:
    result = Intake().send(example(kind))
    assert result.rejections == []
    (record,) = result.records
    assert (record["kind"], record["op"], record["fictitious"]) == (kind, "RECORD", True)


_CENTRE = [{"scheme": "USCC", "value": authority_code("150000", 18)}]
"""The department that sends the examples of tickets."""
BROKEN: list[tuple[str, dict[str, Any], str, str]] = [
    ("Penalty", {"event_id": "number-1"}, "malformed-event-id", "event_id"),
    ("Penalty", {"load_id": "first"}, "load-not-open", "load_id"),
    ("Penalty", {"revision": 0}, "bad-revision", "revision"),
    ("Penalty", {"revision": 10_001}, "bad-revision", "revision"),
    ("Penalty", {"authority": "11150100YY00000K53"}, "unknown-authority", "authority"),
    ("Penalty", {"authority": "11150100YY00000K52" + " " * 60 + "X"}, "unknown-authority", "authority"),
    ("Penalty", {"region": "999999"}, "unknown-region", "region"),
    ("Penalty", {"region": "152600"}, "region-not-valid", "region"),
    ("Penalty", {"region": "150603", "document__decided_on": "2015-11-01", "document__served_on": None},
     "region-not-valid", "region"),
    ("Penalty", {"item": "C99-NOTHING"}, "unknown-item", "item"),
    ("Penalty", {"item": "C03-PERMIT"}, "item-not-allowed", "item"),
    ("Rating", {"subject__kind": "NATURAL_PERSON"}, "unknown-code", "subject.kind"),
    ("Penalty", {"document__number": "  "}, "missing-document-number", "document.number"),
    ("Penalty", {"document__decided_on": "1949-09-30"}, "impossible-date", "document.decided_on"),
    ("Penalty", {"document__decided_on": "2026-11-27"}, "future-date", "document.decided_on"),
    ("Penalty", {"reported_at": "2026-11-27T09:30:00+08:00"}, "future-date", "reported_at"),
    ("Penalty", {"reported_at": "2026-11-10T09:30:00+08:00"}, "impossible-date", "reported_at"),
    ("Penalty", {"document__served_on": "2026-11-17"}, "impossible-date", "document.served_on"),
    ("Permit", {"facts__valid_from": "2026-11-01", "facts__valid_until": "2026-10-31"}, "impossible-date",
     "facts.valid_until"),
    ("Penalty", {"facts__repair_notice_on": "2026-11-17"}, "impossible-date", "facts.repair_notice_on"),
    ("ListDecision", {"facts__repair_notice_on": "2026-11-27"}, "future-date", "facts.repair_notice_on"),
    ("Permit", {"facts__valid_until": "2100-01-01"}, "impossible-date", "facts.valid_until"),
    ("Honor", {"facts__granted_on": "2026-11-27", "facts__valid_until": None}, "future-date", "facts.granted_on"),
    ("Penalty", {"bases": []}, "unknown-basis", "bases"),
    ("Penalty", {"bases": [{"instrument": "NOLAW", "article": "1"}]}, "unknown-basis", "bases[0].instrument"),
    ("Penalty", {"facts__severity": "TERRIBLE"}, "unknown-code", "facts.severity"),
    ("Penalty", {"facts__penalty_types": ["FINE", "STOCKS"]}, "unknown-code", "facts.penalty_types"),
    ("Rating", {"facts__grade": "Z"}, "unknown-code", "facts.grade"),
    ("MeasureAcknowledgement", {"facts__family": "M11"}, "not-a-subscriber", "facts.family"),
    ("SupervisionTicket", {"subject__identifiers": _CENTRE}, "not-its-ticket", "sender"),
    ("RestrictionOrder", {"bases": [{"instrument": "XZCFF", "article": "1"}]}, "list-basis", "bases"),
    ("MeasureAcknowledgement", {"facts__kind_code": "X"}, "unknown-code", "facts.kind_code"),
    ("MeasureAcknowledgement", {"facts__executed_from": "2026-11-20", "facts__executed_until": "2026-11-19"},
     "impossible-date", "facts.executed_until"),
    ("ListDecision", {"facts__measures": ["M01-LICENCE", "M99-NOTHING"]}, "unknown-code", "facts.measures"),
    ("ListStep", {"facts__measures": ["M99-NOTHING"]}, "unknown-code", "facts.measures"),
    ("ListDecision", {"facts__conduct_on": "2026-11-27"}, "future-date", "facts.conduct_on"),
    ("CourtEnforcement", {"facts__extension_months": 48, "facts__extension_ground": "VIOLENCE"}, "bad-term",
     "facts.extension_months"),
    ("Repair", {"facts__stage": "SHIELDED"}, "missing-condition", "facts.plan"),
    ("ListDecision", {"facts__list": "L99"}, "unknown-code", "facts.list"),
    ("ListDecision", {"bases": [{"instrument": "XZCFF", "article": "1"}]}, "list-basis", "bases"),
    ("Rating", {"facts__scheme": "EDUCATION", "facts__grade": "A"}, "item-not-allowed", "facts.scheme"),
    ("ListDecision", {"facts__action": "DELIST"}, "bad-target", "facts.target"),
    ("ListDecision", {"facts__notice_number": None}, "missing-step", "facts.notice_number"),
    ("ListDecision", {"facts__notice_on": "2026-11-01"}, "impossible-date", "facts.heard_on"),
    ("ListDecision", {"facts__heard_on": "2026-11-17"}, "impossible-date", "document.decided_on"),
    ("ListDecision", {"facts__served_on": "2026-11-15"}, "impossible-date", "facts.served_on"),
    ("ListStep", {"facts__list": "L99"}, "unknown-code", "facts.list"),
    ("ListStep", {"facts__happened_on": "2026-11-27"}, "future-date", "facts.happened_on"),
    ("Penalty", {"facts__fine_fen": -1}, "bad-amount", "facts.fine_fen"),
    ("Penalty", {"facts__content": f"罚款，当事人身份证{ADULT}"}, "personal-data", "facts.content"),
    ("Penalty", {"document__title": f"对{ADULT}的处罚决定"}, "personal-data", "document.title"),
    ("Penalty", {"subject__name": f"张三{ADULT}"}, "personal-data", "subject.name"),
    ("Penalty", {"subject__identifiers": []}, "missing-identifier", "subject.identifiers"),
    ("Penalty", {"subject__identifiers": [{"scheme": "USCC", "value": "91150102MA0N123409"}]}, "bad-identifier",
     "subject.identifiers[0].value"),
    ("Penalty", {"subject__identifiers": [{"scheme": "SUBJECT_KEY", "value": "MA0N12340"}]}, "bad-identifier",
     "subject.identifiers[0]"),
    ("MeasureAcknowledgement", {"subject__identifiers": [{"scheme": "SUBJECT_KEY", "value": "anything"}]},
     "bad-identifier", "subject.identifiers[0]"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "changes", "code", "field"), BROKEN)
def test_each_fault_is_found_by_name_and_field_with_a_remedy_in_both_languages(
    kind: str, changes: dict[str, Any], code: str, field: str
) -> None:
    result = Intake().send(example(kind, **changes))
    assert result.records == []
    assert (code, field) in result.faults
    (rejection,) = result.rejections
    words = Intake().send(example(kind, **changes)).rejections[0]["body"]
    assert rejection["body"] == words, "the same event gives the same words"
    texts = rules().reasons[code]
    assert all((texts.text.zh, texts.text.en, texts.remedy.zh, texts.remedy.en))


def test_a_sender_that_is_not_in_the_catalogue_is_refused() -> None:
    assert ("unknown-department", "sender") in Intake().send(example("Penalty"), "150100-nobody").faults


def test_a_list_is_decided_by_its_own_authorities_only() -> None:
    assert ("item-not-allowed", "facts.list") in Intake().send(example("ListDecision"), "150000-jyt").faults


def test_every_fault_is_told_at_once() -> None:
    event = example("Penalty", event_id="x", region="1", document__number="", facts__fine_fen=-5)
    event["subject"]["identifiers"][0]["value"] = "0"
    codes = [code for code, _ in Intake().send(event).faults]
    assert codes == [
        "malformed-event-id", "unknown-region", "missing-document-number", "bad-amount", "bad-identifier",
    ]  # fmt: skip


def test_a_rejected_event_is_mended_and_sent_again_under_its_id() -> None:
    intake = Intake()
    broken = example("Penalty", facts__fine_fen=-1)
    refused = intake.send(broken)
    mended = intake.send(example("Penalty", facts__fine_fen=1))
    assert refused.rejections[0]["event_id"] == mended.records[0]["event_id"]
    assert mended.rejections == []


def person(number: str) -> dict[str, Any]:
    return example(
        "CourtEnforcement",
        subject={
            "kind": "NATURAL_PERSON",
            "name": "张三丰",
            "identifiers": [{"scheme": "CITIZEN", "value": number}],
        },
        facts__legal_representative=None,
    )


def test_of_a_person_only_token_mask_and_sealed_bytes_go_on() -> None:
    result = Intake().send(person(ADULT))
    (record,) = result.records
    assert record["subject_key"].startswith("p:1:")
    assert record["sealed"] == b"sealed"
    assert ADULT.encode() not in result.texts
    assert "张三丰".encode() not in result.texts
    assert ADULT[6:14].encode() not in result.texts, "nor the date of birth"


def test_a_rejection_about_a_person_does_not_tell_the_number() -> None:
    event = person(ADULT)
    event["region"] = "1"
    result = Intake().send(event)
    assert result.rejections
    assert ADULT.encode() not in result.texts
    assert ADULT[6:14].encode() not in result.texts


@pytest.mark.parametrize(("number", "is_minor"), [(CHILD, True), (NEARLY_ADULT, True), (JUST_ADULT, False)])
def test_whoever_was_a_minor_on_the_day_of_the_decision_is_never_recorded(number: str, is_minor: bool) -> None:
    result = Intake().send(person(number))
    assert bool(result.rejections) == is_minor
    if is_minor:
        assert result.faults == [("minor", "subject")]


def test_a_correction_of_the_subject_withdraws_the_fact_from_the_old_one() -> None:
    old = example("Penalty")
    event = example(
        "Penalty",
        revision=2,
        subject__identifiers=[{"scheme": "USCC", "value": "91150203MA0P567805"}],
        corrects={
            "identifier": old["subject"]["identifiers"][0],
            "kind": "Penalty",
            "authority": old["authority"],
            "document_number": old["document"]["number"],
        },
    )
    result = Intake().send(event)
    if result.rejections:
        event["subject"]["identifiers"] = [{"scheme": "ORGANISATION", "value": "460012344"}]
        result = Intake().send(event)
    withdrawal, record = result.records
    before = Intake().send(old).records[0]
    assert (withdrawal["op"], record["op"]) == ("WITHDRAW", "RECORD")
    assert (withdrawal["subject_key"], withdrawal["natural_key"]) == (before["subject_key"], before["natural_key"])
    assert record["subject_key"] != before["subject_key"]
    assert withdrawal["event_key"] == record["event_key"] == before["event_key"]


# -- bytes that are no event ---------------------------------------------------------------------------------


@pytest.mark.parametrize("raw", [None, b"", b"\x00\x00", b"\x01\x00\x00\x00\x01rest", b"{}"])
def test_bytes_outside_the_wire_format_are_one_rejection(raw: bytes | None) -> None:
    result = Intake().judge(stamped(raw or b"", "150000-scjg") if raw is not None else stamped(b"", "150000-scjg"))
    assert [code for code, _ in result.faults] == ["not-confluent"]


def test_an_unknown_schema_a_foreign_schema_and_damaged_bytes_are_told_apart() -> None:
    intake = Intake()
    good = intake.message(example("Penalty")).value() or b""
    tick = intake.registry.id_of("", schemas().records["ClockTick"])
    cases = {
        b"\x00\x00\x00\x03\xe7" + good[5:]: "unknown-schema",
        b"\x00" + tick.to_bytes(4, "big") + b"\x02\x00": "unknown-schema",
        good[:-7]: "not-avro",
        good + b"\x00": "not-avro",
        good[:5] + b"\xff" * 40: "not-avro",
        good[:5] + b"x" * 600_000: "too-large",
    }
    for raw, code in cases.items():
        assert [found for found, _ in intake.judge(stamped(raw, "150000-scjg")).faults] == [code]


@pytest.mark.parametrize("what", ["key", "sender", "value", "nothing"])
def test_a_stamp_that_does_not_verify_is_refused(what: str) -> None:
    intake = Intake()
    raw = intake.message(example("Penalty")).value() or b""
    sent = stamped(raw, "150000-scjg", key=b"another" if what == "key" else b"test stamp key")
    stamps = sent.headers() or []
    if what == "sender":
        stamps[0] = ("sender", b"150000-gy")
    if what == "value":
        raw = raw[:-1] + bytes([raw[-1] ^ 1])
    if what == "nothing":
        stamps = []
    sent = MemoryMessage(0, b"event", raw, stamps)
    assert intake.judge(sent).faults == [("forged", "")]


@given(st.lists(st.one_of(st.binary(max_size=60), st.just(b"good")), max_size=12))
def test_whatever_the_bytes_each_message_becomes_one_record_or_one_rejection(raws: list[bytes]) -> None:
    intake = Intake()
    good = intake.message(example("Penalty")).value() or b""
    batch = [stamped(good if raw == b"good" else raw, "150000-scjg", number) for number, raw in enumerate(raws)]
    result = intake.judge(*batch)
    assert len(result.records) == raws.count(b"good")
    assert len(result.records) + len(result.rejections) == len(raws)
    assert len({one["rejection_id"] for one in result.rejections}) == len(result.rejections)
    assert sum(row["received"] for row in result.quality) == len(raws)


@given(st.integers(0, 10_000), st.binary(min_size=1, max_size=8))
def test_damaged_bytes_are_read_whole_or_refused_but_never_raise(place: int, noise: bytes) -> None:
    intake = Intake()
    good = intake.message(example("Penalty")).value() or b""
    at = 5 + place % (len(good) - 5)
    result = intake.judge(stamped(good[:at] + noise + good[at + len(noise) :], "150000-scjg"))
    assert len(result.records) + len(result.rejections) == 1


def test_each_reason_that_intake_can_give_is_covered_by_a_test_here() -> None:
    told = {code for _, _, code, _ in BROKEN}
    told |= {"prohibited-content", "needs-consent", "no-statute", "not-collected"}  # tests/unit/intake/test_content.py
    told |= {"unknown-department", "minor", "not-confluent", "unknown-schema", "not-avro", "too-large", "forged"}
    told |= {"not-in-region"}  # tests/unit/catalogue/test_supplements.py
    told |= {"unknown-key", "key-not-valid", "misplaced", "foreign-authority"}  # tests/unit/intake/test_direct.py
    of_the_gateway = {"unknown-field", "missing-field", "wrong-type"}
    assert {code.value for code in Reason} == told | of_the_gateway


def test_a_number_that_two_texts_only_make_together_is_nobody_s() -> None:
    """All texts are searched at once; what stands at the end of one and the start of the next is no number."""
    first, second = ADULT[:10], ADULT[10:]
    sent = {
        "document__title": f"关于虚构事项的决定书编号{first}",
        "facts__content": f"{second}元罚款并责令改正违法行为的虚构",
    }
    assert Intake().send(example("Penalty", **sent)).rejections == []
