"""What leaves by webhook: what was asked for, in full, under an id that stays."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creditbus.notifier.steps import delivery_id, message_of, pause_seconds, ping_of, refused_families
from creditbus.notifier.subscriptions import Subscription, new_secret

AT = datetime(2026, 11, 30, 8, 0, 0, 500_000, tzinfo=UTC)
ORDER: dict[str, Any] = {
    "order_id": "o1", "message_id": "m1", "action": "LIFT", "family": "M01", "measure": "M01-LICENCE", "at": AT,
    "subject_key": "YY0000001", "subject_name": "虚构", "until": date(2027, 1, 1), "record_id": "r1",
}  # fmt: skip
ALERT: dict[str, Any] = {
    "alert_id": "a1", "kind": "CLEARED_SUBJECT", "subject_key": "YY0000001", "region": "150102", "record_id": "r1",
    "at": AT,
}  # fmt: skip


def subscription(**asked: Any) -> Subscription:
    row = {"department": "150100-zwfw", "url": "https://example.invalid/", "secret": new_secret()}
    return Subscription.model_validate({**row, "families": ["M01"], "alerts": ["CLEARED_SUBJECT"], **asked})


def test_an_order_leaves_whole_under_the_id_of_its_message() -> None:
    message = message_of("MeasureOrder", ORDER, subscription(), (), ["M01"])
    assert message is not None
    assert (message.id, message.type, message.subject_key) == ("m1", "measure.lift", "YY0000001")
    assert message.basis == "M01-LICENCE o1"
    assert message.fields == tuple(sorted(ORDER))
    told = json.loads(message.body)
    assert told["timestamp"] == "2026-11-30T08:00:00.500000Z"
    assert told["data"] == {**ORDER, "at": "2026-11-30T08:00:00.500000Z", "until": "2027-01-01"}


@pytest.mark.parametrize(
    ("name", "value", "asked", "regions", "is_sent"),
    [
        ("MeasureOrder", ORDER, {"families": ["M09"]}, (), False),
        ("Alert", ALERT, {}, (), True),
        ("Alert", ALERT, {"alerts": ["DISHONEST_SUBJECT"]}, (), False),
        ("Alert", ALERT, {}, ("150100", "150102"), True),
        ("Alert", ALERT, {}, ("150200",), False),
        ("MeasureOrder", ORDER, {}, ("150200",), True),
        ("Dossier", ALERT, {}, (), False),
    ],
)
def test_only_what_was_asked_for_leaves(
    name: str, value: dict[str, Any], asked: dict[str, Any], regions: tuple[str, ...], is_sent: bool
) -> None:
    assert (message_of(name, value, subscription(**asked), regions, ["M01"]) is not None) is is_sent


@pytest.mark.parametrize(
    ("action", "is_sent"), [("ORDER", False), ("RESUME", False), ("SUSPEND", True), ("LIFT", True)]
)
def test_who_carries_a_family_out_no_more_hears_of_the_end_of_what_it_was_told(action: str, is_sent: bool) -> None:
    message = message_of("MeasureOrder", {**ORDER, "action": action}, subscription(), (), [])
    assert (message is not None) is is_sent


def test_a_ping_tells_nothing_of_anybody() -> None:
    ping = ping_of("p1", "2026-11-30T08:00:00+00:00")
    assert json.loads(ping.body) == {"type": "webhook.ping", "timestamp": "2026-11-30T08:00:00+00:00", "data": {}}
    assert ping.subject_key == ""


@given(st.integers(0, 10_000), st.sampled_from(["", "7", "100000", "soon", "-1"]), st.floats(1, 3_600))
def test_pauses_grow_and_end_at_the_longest(attempt: int, asked: str, longest: float) -> None:
    pause = pause_seconds(attempt, asked, longest)
    assert 1.0 <= pause <= longest
    assert pause <= pause_seconds(attempt + 1, asked, longest)
    assert not asked.isdigit() or pause >= min(float(asked), longest)


def test_a_department_gets_what_it_carries_out() -> None:
    rights = {"M01": True, "M09": False}
    assert refused_families(["M01", "M09"], rights, persons=False) == []
    assert refused_families(["M01", "M09", "M11"], rights, persons=True) == ["M09", "M11"]


def test_a_delivery_has_one_id_however_often_it_is_tried() -> None:
    assert delivery_id("a", "m1") == delivery_id("a", "m1")
    assert len({delivery_id("a", "m1"), delivery_id("b", "m1"), delivery_id("a", "m2")}) == 3
