"""Events that a department wrote to Kafka itself: proven by its own key, and checked as the gateway would."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creditbus.bus.signing import KeyPair, verifies
from creditbus.core.batches import batch_of, direct_statement, headers_of
from creditbus.core.rules import Span
from creditbus.core.signers import SigningKey
from creditbus.lab.sandbox import MemoryMessage
from intake_harness import NOW_MS, Intake, Result, example, rules, stamped

DEPARTMENT, TOPIC = "150100-scjg", "credit.events.market"
PAIR = KeyPair.from_bytes(b"d" * 32)
STRANGER = KeyPair.from_bytes(b"s" * 32)
TODAY = date(2026, 11, 24)
KEY = SigningKey(
    kid=PAIR.kid,
    public=PAIR.public,
    department=DEPARTMENT,
    span=Span(since=TODAY, until=TODAY),
    revoked_on=None,
    roles=frozenset({"producer"}),
)
Headers = Mapping[str, bytes]
NONE: Headers = {}
AUTHORITY = min(rules().departments[DEPARTMENT].authorities)


class OnTopic(MemoryMessage):
    """A message of a topic of one's own."""

    __slots__ = ("_topic",)

    def __init__(self, topic: str, offset: int, key: bytes, sent: tuple[bytes, Mapping[str, bytes]]) -> None:
        value, headers = sent
        super().__init__(offset, key, value, list(headers.items()), NOW_MS)
        self._topic = topic

    def topic(self) -> str:
        return self._topic


def an_intake(**changes: Any) -> Intake:
    """An intake that knows the department's key."""
    key = replace(KEY, **changes)
    return Intake(registered={key.kid: key}.get)


def own(**changes: Any) -> dict[str, Any]:
    """A penalty of the department's own."""
    return example("Penalty", authority=AUTHORITY, event_id=str(uuid.uuid4()), **changes)


def signed(
    intake: Intake, events: Sequence[Mapping[str, Any]], pair: KeyPair = PAIR, sender: str = DEPARTMENT
) -> list[tuple[bytes, dict[str, bytes]]]:
    """Value and headers of each event of a batch."""
    values = [intake.message(event).value() or b"" for event in events]
    tree = batch_of(sender, values)
    signature = pair.sign(direct_statement(tree.root, sender, len(values)))
    return list(zip(values, map(dict, headers_of(sender, pair.kid, tree, signature)), strict=True))


def judged(
    intake: Intake, event: Mapping[str, Any], topic: str = TOPIC, key: str = "", headers: Headers = NONE
) -> Result:
    """What becomes of one event in a batch of its own, with some headers changed."""
    ((value, given),) = signed(intake, [event])
    name = (key or event["event_id"]).encode()
    return intake.judge(OnTopic(topic, 0, name, (value, {**given, **headers})))


def test_a_batch_that_its_department_signed_is_recorded() -> None:
    intake = an_intake()
    events = [own() for _ in range(37)]
    batch = [
        OnTopic(TOPIC, offset, event["event_id"].encode(), sent)
        for offset, (event, sent) in enumerate(zip(events, signed(intake, events), strict=True))
    ]
    result = intake.judge(*batch)
    assert result.rejections == []
    assert {record["event_id"] for record in result.records} == {event["event_id"] for event in events}
    assert {record["sender"] for record in result.records} == {DEPARTMENT}


def test_a_batch_is_verified_once_and_so_is_a_forged_one(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bytes] = []

    def counting(public: bytes, signature: bytes, statement: bytes) -> bool:
        asked.append(statement)
        return verifies(public, signature, statement)

    monkeypatch.setattr("creditbus.intake.proofs.verifies", counting)
    intake = an_intake()
    events = [own() for _ in range(9)]
    good = signed(intake, events)
    forged = [(value, {**headers, "sig": bytes(64)}) for value, headers in signed(intake, [own() for _ in range(5)])]
    named = [event["event_id"].encode() for event in events] + [b"x"] * 5
    batch = [OnTopic(TOPIC, number, named[number], sent) for number, sent in enumerate([*good, *forged])]
    result = intake.judge(*batch)
    assert (len(result.records), len(result.rejections), len(asked)) == (9, 5, 2)


def test_a_key_that_is_not_registered_is_named() -> None:
    result = judged(Intake(), own())
    assert result.faults == [("unknown-key", "")]
    assert result.rejections[0]["sender"] == ""
    assert PAIR.kid.encode() in result.texts


def test_what_stands_for_a_key_id_and_is_none_is_not_repeated() -> None:
    result = judged(Intake(), own(), headers={"kid": b"11010519491231002X"})
    assert result.faults == [("unknown-key", "")]
    assert b"11010519491231002X" not in result.texts


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"revoked_on": TODAY - timedelta(days=1)}, ""),
        ({"span": Span(since=TODAY + timedelta(days=1))}, DEPARTMENT),
        ({"span": Span(since=date(2026, 1, 1), until=TODAY - timedelta(days=1))}, DEPARTMENT),
    ],
)
def test_a_key_that_is_revoked_early_or_late_is_no_good(changes: dict[str, Any], told: str) -> None:
    result = judged(an_intake(**changes), own())
    assert result.faults == [("key-not-valid", "")]
    assert result.rejections[0]["sender"] == told, "who has a revoked key is not known"


@pytest.mark.parametrize(
    "headers",
    [
        {"sender": b"150000-gy"},
        {"sender": b""},
        {"sig": b""},
        {"sig": bytes(64)},
        {"root": bytes(32)},
        {"path": bytes(32)},
        {"leaf": b"1/1"},
        {"leaf": b"0/2"},
        {"leaf": b"first"},
    ],
)
def test_what_the_signature_does_not_cover_is_forged(headers: dict[str, bytes]) -> None:
    result = judged(an_intake(), own(), headers=headers)
    assert result.faults == [("forged", "")]
    assert result.rejections[0]["sender"] == ""


def test_the_path_of_another_event_of_the_batch_proves_nothing() -> None:
    intake = an_intake()
    events = [own(), own(), own()]
    (first, first_headers), (_, second_headers), _ = signed(intake, events)
    for swapped in (second_headers, {**first_headers, "path": second_headers["path"]}):
        sent = OnTopic(TOPIC, 0, events[0]["event_id"].encode(), (first, swapped))
        assert intake.judge(sent).faults == [("forged", "")]


def test_a_department_cannot_sign_for_another_one() -> None:
    intake = an_intake()
    ((value, headers),) = signed(intake, [own()], sender="150000-gy")
    assert intake.judge(OnTopic(TOPIC, 0, b"x", (value, headers))).faults == [("forged", "")]


def test_somebody_else_s_signature_under_the_department_s_key_id_is_forged() -> None:
    intake = an_intake()
    ((value, headers),) = signed(intake, [own()], pair=STRANGER)
    sent = OnTopic(TOPIC, 0, b"x", (value, {**headers, "kid": PAIR.kid.encode()}))
    assert intake.judge(sent).faults == [("forged", "")]


def test_the_topic_is_that_of_the_department_s_domain() -> None:
    assert judged(an_intake(), own(), topic="credit.events.food").faults == [("misplaced", "topic")]


def test_the_key_of_the_message_is_the_event_s_id() -> None:
    assert judged(an_intake(), own(), key="another").faults == [("misplaced", "key")]


def test_a_department_signs_for_its_own_decisions_only() -> None:
    other = min(rules().departments["150000-gy"].authorities)
    assert judged(an_intake(), {**own(), "authority": other}).faults == [("foreign-authority", "authority")]


def test_a_subscriber_only_acknowledges() -> None:
    assert judged(an_intake(roles=frozenset({"subscriber"})), own()).faults == [("item-not-allowed", "kind")]
    assert judged(an_intake(roles=frozenset()), own()).faults == [("item-not-allowed", "kind")]


def test_faults_of_the_way_and_of_the_event_are_told_at_once() -> None:
    broken = {**own(facts__fine_fen=-1), "authority": min(rules().departments["150000-gy"].authorities)}
    faults = judged(an_intake(), broken, topic="credit.events.food", key="k").faults
    assert [code for code, _ in faults] == ["bad-amount", "misplaced", "misplaced", "foreign-authority"]


def test_what_came_through_the_gateway_may_tell_of_other_authorities() -> None:
    other = min(rules().departments["150000-gy"].authorities)
    assert an_intake().send(example("Penalty", authority=other), DEPARTMENT).rejections == []


def test_bytes_that_nobody_vouches_for_are_nobody_s() -> None:
    """Whoever may write to the topic could otherwise fill another department's scorecard."""
    sent = MemoryMessage(0, b"event", b"{}", [("sender", b"150000-gy")])
    result = an_intake().judge(sent)
    assert result.faults == [("forged", "")]
    assert [row["department"] for row in result.quality] == [""]


def test_signed_bytes_that_are_no_event_are_told_to_their_sender() -> None:
    intake = an_intake()
    tree = batch_of(DEPARTMENT, [b"{}"])
    signature = PAIR.sign(direct_statement(tree.root, DEPARTMENT, 1))
    (headers,) = headers_of(DEPARTMENT, PAIR.kid, tree, signature)
    result = intake.judge(OnTopic(TOPIC, 0, b"x", (b"{}", dict(headers))))
    assert result.faults == [("not-confluent", "")]
    assert result.rejections[0]["sender"] == DEPARTMENT


@given(st.dictionaries(st.sampled_from(["sender", "kid", "sig", "root", "leaf", "path"]), st.binary(max_size=80)))
def test_whatever_the_headers_a_message_becomes_one_rejection(headers: dict[str, bytes]) -> None:
    intake = an_intake()
    ((value, given_headers),) = signed(intake, [own()])
    for some in (headers, {**given_headers, **headers, "sig": b"?" * 64}):
        result = intake.judge(OnTopic(TOPIC, 0, b"x", (value, some)))
        assert (len(result.records), len(result.rejections)) == (0, 1)


def test_the_gateway_s_stamp_still_counts_beside_registered_keys() -> None:
    intake = an_intake()
    value = intake.message(example("Penalty")).value() or b""
    assert intake.judge(stamped(value, "150000-scjg")).rejections == []
