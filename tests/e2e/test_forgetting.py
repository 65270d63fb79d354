"""A person is forgotten everywhere: keys, dossier, rows; replay and verification agree, and the number is free."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest

from creditbus.bus.vaults import keys_in, open_vault
from creditbus.core.identifiers.synthetic import synthetic_citizen
from running_lab import RunningLab
from waiting import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.integration, pytest.mark.timeout(600)]
COURT = "150100-zy"
NUMBER, OTHER = (synthetic_citizen("150102", date(1979, 5, day)) for day in (4, 5))
EXAMPLE = Path(__file__).parents[2] / "schemas/avro/examples/CourtEnforcement/valid-firm.json"
TABLES = ("records", "changes", "dossiers", "listings", "orders", "alerts")


def _event(number: str, event: int) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(EXAMPLE.read_text(encoding="utf-8"))
    person = {"kind": "NATURAL_PERSON", "name": "虚构丁", "identifiers": [{"scheme": "CITIZEN", "value": number}]}
    made.update(event_id=f"00000000-0000-4000-8000-0000000f0{event:03}", subject=person)
    made["document"]["number"] = made["facts"]["case_number"] = f"（2026）内01执95{event:02}号"
    return made


class Office:
    """A court that sends, and asks by number."""

    def __init__(self, lab: RunningLab) -> None:
        key = json.loads((lab.folder / "secrets" / "lab-keys.json").read_text())[COURT]
        headers = {"Authorization": f"Bearer {key}", "X-Purpose": "casework", "X-Basis": "test"}
        self._http = httpx.Client(headers=headers, timeout=30)
        self._gateway, self._lookup = (f"http://127.0.0.1:{lab.port(part)}/v1" for part in ("gateway", "lookup"))
        self._clickhouse = f"http://127.0.0.1:{lab.port('clickhouse')}"

    def close(self) -> None:
        """Let the connections go."""
        self._http.close()

    def enforce(self, number: str, event: int) -> str:
        """Send an event about whoever has the number; the subject key that the look-up knows of it then."""
        assert self._http.post(f"{self._gateway}/events", json=_event(number, event)).status_code == 202
        wait_until("the dossier to be there", lambda: self.match(number) is not None)
        return str(self.match(number))

    def match(self, number: str) -> str | None:
        """Whom a number leads to."""
        answer = self._http.post(f"{self._lookup}/match", json={"scheme": "CITIZEN", "value": number})
        found: str | None = answer.json()["subject_key"]
        return found

    def rows(self, key: str) -> dict[str, int]:
        """Rows of the warehouse about a subject."""
        sql = "SELECT count() FROM creditbus.{} FINAL WHERE subject_key = '{}'".format
        return {table: int(httpx.post(self._clickhouse, content=sql(table, key)).text) for table in TABLES}


@pytest.fixture
def office(running_lab: RunningLab) -> Iterator[Office]:
    with closing(Office(running_lab)) as made:
        yield made


def test_a_forgotten_person_is_gone_and_the_number_makes_another_one(
    office: Office, running_lab: RunningLab, tmp_path: Path
) -> None:
    before, other = office.enforce(NUMBER, 1), office.enforce(OTHER, 2)
    running_lab.verify()
    assert all(office.rows(before).values()), "rows in every table"
    rows_of_other = office.rows(other)

    copy = str(tmp_path / "vault-copy.sqlite")
    running_lab.creditbus("keys", "backup", copy)
    told = running_lab.creditbus("forget", before, "--reason", "asked for by the person", "--yes")
    assert "L01" in told, "the effect is shown first"
    wait_until("the rows to be gone", lambda: not any(office.rows(before).values()))
    assert " 0 persons" in running_lab.creditbus("keys", "restore", copy), "nobody else was lost"
    assert office.match(NUMBER) is None
    assert office.rows(other) == rows_of_other
    running_lab.verify()

    after = office.enforce(NUMBER, 3)
    assert after != before
    for part in ("warehouse", "dossier", "intake"):
        running_lab.kill(part)
    assert office.enforce(OTHER, 4) == other
    running_lab.verify()
    assert not any(office.rows(before).values()), "a warehouse that reads again does not bring rows back"
    report = running_lab.told("replay", "--into", str(tmp_path / "sandbox"))
    assert [one["is_same"] for one in report] == [True] * 4
    assert before.encode() not in _vault_bytes(running_lab)


def test_keys_rotate_under_a_running_bus_and_everybody_stays_who_they_are(
    office: Office, running_lab: RunningLab
) -> None:
    known = office.enforce(OTHER, 5)
    running_lab.creditbus("keys", "rotate")
    running_lab.creditbus("keys", "rotate", "--master")
    assert office.enforce(OTHER, 6) == known
    newest = office.enforce(synthetic_citizen("150102", date(1979, 5, 6)), 7)
    assert newest.split(":")[1] > known.split(":")[1]
    assert "platform-token-3" in running_lab.creditbus("keys", "show")


def _vault_bytes(lab: RunningLab) -> bytes:
    path = lab.folder / "services" / "intake" / "vault.sqlite"
    vault = open_vault(str(path), keys_in(lab.folder / "secrets"))
    assert vault.find(NUMBER) is not None
    vault.close()
    return b"".join(file.read_bytes() for file in path.parent.glob("vault.sqlite*"))
