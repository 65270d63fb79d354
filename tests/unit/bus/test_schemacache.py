"""What a registry said of schemas is known again after a restart, and after a write that was cut short."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from creditbus.bus.registry import Registry
from creditbus.bus.schemacache import SchemaCache
from creditbus.core.errors import RetryLaterError
from intake_harness import schemas

NOBODY = "http://127.0.0.1:9/apis/ccompat/v7"
PENALTY = schemas().events["Penalty"]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "service" / "schemas.jsonl"
    SchemaCache(path).remember(7, PENALTY.text, f"credit.events.market-{PENALTY.name}")
    return path


def test_a_registry_that_is_away_is_not_missed_for_what_it_has_said(file: Path) -> None:
    registry = Registry(NOBODY, cache=file)
    assert registry.id_of("credit.events.market", PENALTY) == 7
    assert registry.name_and_text(7) == (PENALTY.name, PENALTY.text)
    for ask in (lambda: registry.id_of("credit.events.tax", PENALTY), lambda: registry.name_and_text(8)):
        with pytest.raises(RetryLaterError):
            ask()
    registry.close()


def test_another_schema_of_the_subject_is_asked_for(file: Path) -> None:
    assert SchemaCache(file).id_of(f"credit.events.market-{PENALTY.name}", PENALTY.text + " ") is None


@pytest.mark.parametrize("cut", [1, 20, 400])
def test_a_line_that_was_cut_short_is_written_again(file: Path, cut: int) -> None:
    file.write_bytes(file.read_bytes()[:-cut])
    cache = SchemaCache(file)
    assert cache.text_of(7) is None
    cache.remember(7, PENALTY.text, "credit.events.market-x")
    cache.remember(8, "text")
    again = SchemaCache(file)
    assert (again.text_of(7), again.text_of(8)) == (PENALTY.text, "text")


def test_nothing_is_written_twice_and_without_a_file_nothing_at_all(file: Path) -> None:
    before = file.read_text()
    SchemaCache(file).remember(7, PENALTY.text)
    assert file.read_text() == before
    nowhere = SchemaCache(None)
    nowhere.remember(1, "text")
    assert nowhere.text_of(1) is None


def test_an_answer_is_remembered(tmp_path: Path) -> None:
    registry = Registry(NOBODY, cache=tmp_path / "schemas.jsonl")
    answer = httpx.MockTransport(lambda request: httpx.Response(200, json={"id": 9, "schema": PENALTY.text}))
    registry._http = httpx.Client(base_url=NOBODY, transport=answer)
    assert registry.id_of("credit.events.market", PENALTY) == 9
    assert registry.name_and_text(9)[0] == PENALTY.name
    away = Registry(NOBODY, cache=tmp_path / "schemas.jsonl")
    assert away.id_of("credit.events.market", PENALTY) == 9
