"""Who is on a list is shown with what is disputed about it, and whether its measures stand still."""

from __future__ import annotations

from typing import Any

import pytest

from creditbus.bus.avro import encode
from creditbus.clickhouse.client import ClickHouse
from warehoused import SCHEMAS, dossier_row, flush, listing_step, queries_of

pytestmark = pytest.mark.integration
DETAIL = SCHEMAS.records["DossierDetail"]


def dossier(key: str, active: dict[str, Any], disputed: list[str]) -> dict[str, Any]:
    listing = {
        "listing_id": key, "list": "L01", "record_id": f"r{key}", "authority": "a", "document_number": "n",
        "effective_on": 20_000, "until": None, "suspended": False, "ground": "", "repair_from": None, "shielded": False,
    } | active  # fmt: skip
    detail = {field["name"]: field.get("default", []) for field in DETAIL.definition["fields"]}
    detail |= {"counts": {}, "listings": [listing], "disputed": disputed}
    return dossier_row(key) | {"body": encode(DETAIL, detail), "body_schema": DETAIL.body_schema}


def test_listings_say_what_is_disputed_about_them(clickhouse: ClickHouse) -> None:
    listed = [
        listing_step("LISTED", 0, listing_id=key, subject_key=key, record_id=f"r{key}", change_id=key) for key in "abcd"
    ]
    flush(clickhouse, "listings", [*listed, listing_step("LISTED", 0, listing_id="x", subject_key="x", list="X01")])
    flush(clickhouse, "dossiers", [
        dossier("a", {}, []),
        dossier("b", {}, ["rb"]),
        dossier("c", {"suspended": True, "record_id": "newer"}, ["newer"]),
        dossier_row("x"),
    ])  # fmt: skip
    queries = queries_of(clickhouse, orders=["X01"])
    found = {
        row["subject_key"]: (row["disputed"], row["suspended"], row["shielded"])
        for row in queries.listings("", [], None, 10)
    }
    assert found == {
        "a": (False, False, False),
        "b": (True, False, False),
        "c": (True, True, False),
        "d": (False, False, False),
    }, "the last one's dossier is on its way"
    [order] = queries.listings("", [], None, 10, by_order=True)
    assert (order["subject_key"], order["disputed"]) == ("x", False)
    assert queries.listings("L09", [], None, 10) == []
