"""Decisions of the gateway."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creditbus.bus.avro import decode, encode
from creditbus.bus.schemas import SchemaSet
from creditbus.core.forms import compile_reader
from creditbus.core.framing import frame, unframe
from creditbus.core.outcome import Reason
from creditbus.core.problems import Problem
from creditbus.core.sending import Codec, Judged, Sender, judge
from creditbus.gateway.problems import ALL_REJECTED, ALL_UNKNOWN
from creditbus.gateway.steps import (
    Status,
    answer_status,
    events_of,
    message_of,
    results_of,
    statuses_of,
    with_evidence,
)

SCHEMAS = SchemaSet.load()
CODECS = {
    kind: Codec(
        read=compile_reader(schema.definition),
        write=lambda value, schema=schema: frame(7, encode(schema, value)),  # type: ignore[misc]
    )
    for kind, schema in SCHEMAS.events.items()
}
SENDER = Sender(department="150100-scjg", domain="market", roles=frozenset({"producer"}))
SUBSCRIBER = Sender(department="150000-ggzy", domain="government", roles=frozenset({"subscriber"}))
LIMIT = 100_000


def make_event(**changes: Any) -> dict[str, Any]:
    event = {
        "kind": "Penalty",
        "event_id": "0192f0c1-0000-7000-8000-000000000001",
        "item": "C03-PENALTY",
        "authority": "111500000115123431",
        "region": "150100",
        "reported_at": "2026-11-23T09:30:00+08:00",
        "subject": {
            "kind": "LEGAL_PERSON",
            "name": "示例有限公司",
            "identifiers": [{"scheme": "USCC", "value": "91150102MA0N123408"}],
        },
        "document": {"number": "罚〔2026〕1号", "decided_on": "2026-11-20"},
        "facts": {
            "procedure": "GENERAL",
            "violation": "虚假宣传",
            "facts": "发布虚假广告",
            "penalty_types": ["FINE"],
            "content": "罚款",
            "severity": "GENERAL",
            "is_final": True,
            "final_on": "2026-11-22",
        },
    }
    return {**event, **changes}


def judged(event: object, sender: Sender = SENDER, limit: int = LIMIT) -> Judged:
    return judge(event, sender, CODECS, limit)


def faults_of(event: object, sender: Sender = SENDER) -> set[tuple[Reason, str]]:
    return {(fault.code, fault.field) for fault in judged(event, sender).faults}


def test_a_good_event_is_encoded_with_defaults_filled_in() -> None:
    _, payload = unframe(judged(make_event()).value)
    value = decode(SCHEMAS.events["Penalty"], payload)
    assert value["revision"] == 1
    assert value["facts"]["fine_fen"] is None
    assert value["document"]["decided_on"].isoformat() == "2026-11-20"
    assert value["reported_at"].isoformat() == "2026-11-23T01:30:00+00:00"


def test_every_fault_of_form_is_named_at_once() -> None:
    event = make_event(
        region=5,
        reported_at="2026-11-23 09:30",
        colour="red",
        subject={"kind": "FIRM", "name": None, "identifiers": [{"scheme": "USCC"}]},
        document={"number": "x", "decided_on": "2026-02-30", "served_on": "20260301"},
        facts={**make_event()["facts"], "is_final": 1, "fine_fen": 2**63, "penalty_types": "FINE"},
    )
    del event["item"]
    assert faults_of(event) == {
        (Reason.MISSING_FIELD, "item"),
        (Reason.WRONG_TYPE, "region"),
        (Reason.WRONG_TYPE, "reported_at"),
        (Reason.UNKNOWN_FIELD, "colour"),
        (Reason.UNKNOWN_CODE, "subject.kind"),
        (Reason.WRONG_TYPE, "subject.name"),
        (Reason.MISSING_FIELD, "subject.identifiers[0].value"),
        (Reason.IMPOSSIBLE_DATE, "document.decided_on"),
        (Reason.WRONG_TYPE, "document.served_on"),
        (Reason.WRONG_TYPE, "facts.is_final"),
        (Reason.BAD_AMOUNT, "facts.fine_fen"),
        (Reason.WRONG_TYPE, "facts.penalty_types"),
    }


def test_a_misspelt_field_is_answered_with_the_likely_one() -> None:
    event = make_event(facts={**make_event()["facts"], "finefen": 5})
    (fault,) = judged(event).faults
    assert "facts.fine_fen" in fault.remedy_en


def test_no_fault_shows_a_value_that_was_sent() -> None:
    event = make_event(subject={"kind": "张三", "name": 15010519900101, "identifiers": "15010519900101000X"})
    texts = str(judged(event).faults)
    assert "张三" not in texts
    assert "1990" not in texts


def test_kinds_that_are_missing_unknown_or_no_text_are_faults() -> None:
    assert faults_of({"event_id": "a"}) == {(Reason.MISSING_FIELD, "kind")}
    assert faults_of(make_event(kind="Fine")) == {(Reason.UNKNOWN_SCHEMA, "kind")}
    assert faults_of(make_event(kind=["Penalty"])) == {(Reason.UNKNOWN_SCHEMA, "kind")}
    assert faults_of("Penalty") == {(Reason.WRONG_TYPE, "")}


def test_a_subscriber_may_acknowledge_and_nothing_else() -> None:
    assert (Reason.ITEM_NOT_ALLOWED, "kind") in faults_of(make_event(), SUBSCRIBER)
    assert SUBSCRIBER.may_send("MeasureAcknowledgement")
    assert not Sender(department="x", domain="market", roles=frozenset()).may_send_any


def test_an_event_that_is_too_large_says_so() -> None:
    (fault,) = judged(make_event(region="x" * 5_000), limit=4_000).faults
    assert fault.code is Reason.TOO_LARGE


def test_the_stamp_covers_the_department_and_every_byte_of_the_value() -> None:
    one = judged(make_event())
    message = message_of(one, SENDER, b"k" * 32)
    headers = dict(message.headers)
    expected = hmac.new(b"k" * 32, b"150100-scjg\x00" + one.value, hashlib.sha256).hexdigest()
    assert headers == {"sender": b"150100-scjg", "sig": expected.encode(), "kid": b"gateway-1"}
    assert (message.topic, message.key) == ("credit.events.market", one.event_id.encode())


def test_statuses_follow_the_order_sent() -> None:
    good, bad = Judged("a", b"v"), judged({"event_id": "b"})
    statuses = statuses_of([good, bad, good], [True, False])
    assert statuses == [Status.RECEIVED, Status.REJECTED, Status.UNKNOWN]
    rows = results_of([good, bad, good], statuses, "http://lookup")
    assert [row["index"] for row in rows] == [0, 1, 2]
    assert rows[1]["track"] == "http://lookup/v1/events/b"


@pytest.mark.parametrize(
    ("statuses", "answer"),
    [
        ([Status.RECEIVED, Status.RECEIVED], 202),
        ([Status.RECEIVED, Status.REJECTED], 207),
        ([Status.REJECTED, Status.UNKNOWN], 207),
        ([Status.REJECTED], ALL_REJECTED),
        ([Status.UNKNOWN], ALL_UNKNOWN),
    ],
)
def test_the_answer_says_all_some_or_none(statuses: list[Status], answer: int | Problem) -> None:
    assert answer_status(statuses) == answer


def test_a_body_is_one_event_or_a_batch() -> None:
    event = make_event()
    assert events_of(event, 10) == [event]
    assert events_of({"events": [event, event]}, 10) == [event, event]


@pytest.mark.parametrize("body", [[], "x", None, {}, {"events": []}, {"events": {}}, {"events": [1], "more": 1}])
def test_any_other_body_is_a_problem(body: object) -> None:
    assert isinstance(events_of(body, 10), Problem)


def test_a_batch_above_the_limit_is_a_problem() -> None:
    problem = events_of({"events": [{}] * 11}, 10)
    assert isinstance(problem, Problem)
    assert problem.status == 413


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(event=JSON, changes=st.dictionaries(st.sampled_from(sorted(make_event())), JSON, max_size=4))
def test_any_json_ends_as_bytes_or_as_faults(event: object, changes: dict[str, Any]) -> None:
    for one in (judged(event), judged(make_event(**changes))):
        assert bool(one.value) != bool(one.faults)


def test_evidence_goes_to_the_events_that_were_received() -> None:
    statuses = [Status.REJECTED, Status.RECEIVED, Status.UNKNOWN, Status.RECEIVED]
    told = with_evidence([{"index": n} for n in range(4)], statuses, [{"path": "a"}, {"path": "b"}])
    assert told == [
        {"index": 0},
        {"index": 1, "evidence": {"path": "a"}},
        {"index": 2},
        {"index": 3, "evidence": {"path": "b"}},
    ]
