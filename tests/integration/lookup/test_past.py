"""A file as it was: what had been told by a time, and what of that held on a day."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from builders import DAY, DAY_MS, FIRM_KEY, make_record, target_of
from creditbus.clickhouse.client import ClickHouse
from creditbus.core.records import day_of
from creditbus.dossier.steps import Entry, Tick
from creditbus.lookup.past import Moment, file_then
from creditbus.lookup.queries import ALL, File
from creditbus.lookup.steps import Wanted
from partition import DAY_LENGTH
from warehoused import body_of, decided, dossier_row, flush, listing_step, order_message, queries_of

pytestmark = pytest.mark.integration
LATER = 100


def on(days: int) -> date:
    return DAY + timedelta(days=days)


def noon(days: int) -> datetime:
    """In Beijing."""
    return datetime.fromtimestamp(DAY_MS / 1000 + days * 86_400 + 43_200, UTC)


def then(clickhouse: ClickHouse, *, known: int = LATER, as_of: int | None = None, key: str = FIRM_KEY) -> File | None:
    queries = queries_of(clickhouse, casework_kinds=["Revocation"])
    moment = Moment(known_at=noon(known), as_of=on(known if as_of is None else as_of))
    return file_then(queries, Wanted(key), moment, None, 50, ALL)


def numbers(file: File | None) -> list[str]:
    """Of the penalties on file."""
    if file is None:
        return ["nothing on file"]
    return sorted(str(row["document_number"]) for row in file.records() if row["kind"] == "Penalty")


@pytest.fixture
def story(clickhouse: ClickHouse) -> ClickHouse:
    """A is told on day 0 and revoked on day 2; B, decided on day -5, is told on day 1."""
    facts: dict[str, Any] = body_of("Penalty")
    first = make_record(number="A", **facts)
    late = make_record(number="B", decided_on=day_of(on(-5)), **facts)
    revocation = make_record("Revocation", "r", **target_of(first), **body_of("Revocation"))
    ten_minutes: list[Entry] = [Tick(at, at) for at in range(DAY_MS + 600_000, DAY_MS + 2 * DAY_LENGTH + 1, 600_000)]
    one_day = len(ten_minutes) // 2
    entries = [first, *ten_minutes[:one_day], late, *ten_minutes[one_day:], revocation]
    decided(clickhouse, entries)
    flush(clickhouse, "dossiers", [dossier_row(FIRM_KEY)])
    return clickhouse


@pytest.mark.parametrize(
    ("known", "as_of", "shown"),
    [
        (-1, None, ["nothing on file"]),
        (0, None, ["A"]),
        (1, None, ["A", "B"]),
        (2, None, ["B"]),
        (LATER, 1, ["A", "B"]),
        (LATER, -3, ["B"]),
        (LATER, -9, []),
        (LATER, 2, ["B"]),
        (0, -3, []),
    ],
    ids=str,
)
def test_records_that_were_known_and_in_force(
    story: ClickHouse, known: int, as_of: int | None, shown: list[str]
) -> None:
    assert numbers(then(story, known=known, as_of=as_of)) == shown


def test_the_score_is_what_it_was_told_to_be(story: ClickHouse) -> None:
    def score(known: int, as_of: int | None = None) -> Any:
        file = then(story, known=known, as_of=as_of)
        assert file is not None
        return file.dossier["score"], file.dossier["version"]

    first, second, third = score(0), score(1), score(2)
    assert first[0] > second[0] < third[0]
    assert [version for _, version in (first, second, third)] == [1, 2, 3]
    assert score(LATER, as_of=1) == second, "what came later makes no score anew"
    assert score(LATER, as_of=-3) == (None, None), "nothing had been told then"


def test_a_key_was_the_subjects_own_until_it_led_to_another(clickhouse: ClickHouse) -> None:
    facts = body_of("Penalty")
    decided(clickhouse, [make_record(number="A", **facts)])
    closed = dossier_row(FIRM_KEY, "MA0N99990") | {"as_of": DAY_MS + 5 * DAY_LENGTH}
    flush(clickhouse, "dossiers", [closed, dossier_row("MA0N99990")])
    assert numbers(then(clickhouse, known=3)) == ["A"]
    assert numbers(then(clickhouse, known=6)) == ["nothing on file"], "it has nothing but what came under its own key"


def test_listings_and_orders_that_held(clickhouse: ClickHouse) -> None:
    decided(clickhouse, [make_record(number="A", **body_of("Penalty"))])
    flush(clickhouse, "dossiers", [dossier_row(FIRM_KEY)])
    since = {"effective_on": day_of(on(-2))}
    suspended = listing_step("SUSPENDED", 3, **since)
    waiting = listing_step("WAITING", 0, listing_id="of a held source")
    flush(clickhouse, "listings", [waiting, listing_step("LISTED", 0, **since), suspended, listing_step("REMOVED", 5)])
    flush(clickhouse, "orders", [order_message("ORDER", 0, **since), order_message("LIFT", 5)])

    def held(known: int, as_of: int | None = None) -> tuple[list[str], list[str]]:
        file = then(clickhouse, known=known, as_of=as_of)
        assert file is not None
        return [row["state"] for row in file.listings], [row["action"] for row in file.orders]

    assert held(0) == (["LISTED"], ["ORDER"])
    assert held(LATER, as_of=-2) == (["LISTED"], ["ORDER"]), "on the list since then, as is known now"
    assert held(LATER, as_of=-3) == ([], [])
    assert held(4) == (["SUSPENDED"], ["ORDER"])
    assert held(5) == ([], [])
