"""A key that the subject had before leads to the one that it has now, however often, and never in a circle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from structlog.testing import capture_logs

from builders import make_record
from creditbus.clickhouse.client import ClickHouse
from creditbus.core.errors import RetryLaterError
from creditbus.lookup.queries import Queries
from creditbus.lookup.steps import Wanted
from warehoused import dossier_row, flush, queries_of, taken

pytestmark = pytest.mark.integration


def queries(
    clickhouse: ClickHouse, redirects: Mapping[str, str], linked: Sequence[str] = (), first: int = 0
) -> Queries:
    """Look-ups of dossiers that lead to one another. linked: keys that lead to each; first: offset of the first."""
    rows = [{**dossier_row(key, to), "linked": list(linked)} for key, to in redirects.items()]
    flush(clickhouse, "dossiers", rows, first)
    return queries_of(clickhouse)


@pytest.mark.parametrize("wanted", [Wanted("K1"), Wanted("K3"), Wanted(None, "alias of K2")], ids=str)
def test_a_chain_of_keys_leads_to_the_last(clickhouse: ClickHouse, wanted: Wanted) -> None:
    asked = queries(clickhouse, {"K1": "K2", "K2": "K3", "K3": ""})
    file, dossier = asked.file_of(wanted, None, 10), asked.dossier(wanted)
    assert file is not None
    assert dossier is not None
    assert (file.key, dossier["subject_key"]) == ("K3", "K3")
    assert file.records() == []


def test_a_closed_key_is_followed_at_once_when_it_is_asked_for_again(
    clickhouse: ClickHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = queries(clickhouse, {"K1": "K2", "K2": ""}, ["K1"])
    questions, query = [0], clickhouse.query

    def counted(*arguments: Any, **more: Any) -> list[dict[str, Any]]:
        questions[-1] += 1
        return query(*arguments, **more)

    monkeypatch.setattr(clickhouse, "query", counted)
    for _ in range(3):
        file = asked.file_of(Wanted("K1"), None, 10)
        assert file is not None
        assert (file.key, file.records()) == ("K2", [])
        questions.append(0)
    assert questions[1:3] == [2, 2], "the closed key is not asked for again"
    assert questions[0] > 2


def test_a_key_whose_link_was_undone_is_found_under_itself_again(clickhouse: ClickHouse) -> None:
    asked = queries(clickhouse, {"K1": "K2", "K2": ""}, ["K1"])
    told = [asked.file_of(Wanted("K1"), None, 10)]
    queries(clickhouse, {"K1": "", "K2": ""}, first=10)
    told += [asked.file_of(Wanted("K1"), None, 10) for _ in range(2)]
    assert [file.key if file else None for file in told] == ["K2", "K1", "K1"]


@pytest.mark.parametrize("limit", [2, 10])
@pytest.mark.parametrize(
    ("linked", "shown"), [(["K0", "K9"], "cba"), (["K0"], "ca"), (["K9"], "cb"), ([], "c")], ids=str
)
def test_copies_of_records_are_shown_as_long_as_the_key_that_they_come_from_leads_here(
    clickhouse: ClickHouse, linked: list[str], shown: str, limit: int
) -> None:
    asked = queries(clickhouse, {"K1": ""}, linked)
    told = [
        make_record(subject_key="K1", number=name, rekeyed_from=keys, decided_on=day)
        for day, (name, keys) in enumerate({"a": ["K0"], "b": ["K9"], "c": []}.items(), start=20_000)
    ]
    flush(clickhouse, "records", told)
    flush(clickhouse, "changes", [taken(one) for one in told])
    file = asked.file_of(Wanted("K1"), None, limit)
    assert file is not None
    assert [row["document_number"] for row in file.records()] == list(shown[:limit])


def test_a_key_that_leads_to_nobody_yet_is_unknown(clickhouse: ClickHouse) -> None:
    asked = queries(clickhouse, {"K1": "K2"})
    for wanted in (Wanted("K1"), Wanted("K9"), Wanted(None, "K9")):
        assert (asked.file_of(wanted, None, 10), asked.dossier(wanted)) == (None, None)


@pytest.mark.parametrize("circle", [{"K1": "K1"}, {"K1": "K2", "K2": "K1"}], ids=["itself", "two"])
def test_keys_that_lead_in_a_circle_are_asked_for_again_later(clickhouse: ClickHouse, circle: dict[str, str]) -> None:
    asked = queries(clickhouse, circle)
    with capture_logs() as told:
        for ask in (lambda: asked.file_of(Wanted("K1"), None, 10), lambda: asked.dossier(Wanted("K1"))):
            with pytest.raises(RetryLaterError, match="ask again"):
                ask()
    assert [line["event"] for line in told] == ["keys lead in a circle"] * 2
