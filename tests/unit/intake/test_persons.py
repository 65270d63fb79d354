"""Persons in intake: known before they are used, told of once, and never made by an event that becomes no record."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from creditbus.bus.keyfiles import MASTER, PLATFORM, file_of, read_vault_keys, write_key
from creditbus.bus.privacy import Vault
from creditbus.core.identifiers.synthetic import synthetic_citizen
from creditbus.intake.persons import Persons
from creditbus.intake.steps import Privacy
from intake_harness import Intake, example

NUMBER = synthetic_citizen("150102", date(1985, 3, 7))


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    write_key(tmp_path / "vault-index.key", b"i" * 32)
    write_key(file_of(tmp_path, PLATFORM, 2), b"q" * 32)
    write_key(file_of(tmp_path, MASTER, 1), b"m" * 32)
    return Vault(tmp_path / "vault.sqlite", lambda: read_vault_keys(tmp_path))


def an_intake(vault: Vault) -> Intake:
    persons = Persons(vault)
    return Intake(privacy=Privacy(tokenise=persons.token_of, seal=persons.seal, news=persons.news))


def of_person(number: str = NUMBER, **changes: object) -> dict[str, object]:
    person = {"kind": "NATURAL_PERSON", "name": "虚构乙", "identifiers": [{"scheme": "CITIZEN", "value": number}]}
    return example("CourtEnforcement", subject=person, **changes)


def test_a_new_person_is_told_of_once_a_life_with_the_record(vault: Vault) -> None:
    intake = an_intake(vault)
    first, second = intake.send(of_person()), intake.send(of_person(document__number="（2026）内01执2号"))
    (told,) = first.identities
    assert told["alias"] == told["subject_key"] == first.records[0]["subject_key"] == second.records[0]["subject_key"]
    assert (told["scheme"], told["token_version"]) == ("TOKEN", 2)
    assert second.identities == []
    again = an_intake(vault).send(of_person())
    assert again.identities == [told], "whatever an aborted batch did not write is told again"
    assert NUMBER.encode() not in first.texts + second.texts + again.texts


def test_what_is_sealed_opens_with_the_persons_key(vault: Vault) -> None:
    (record,) = an_intake(vault).send(of_person()).records
    assert NUMBER.encode() in vault.open(record["subject_key"], record["sealed"])


def test_an_event_that_becomes_no_record_makes_no_person(vault: Vault) -> None:
    result = an_intake(vault).send(of_person(item="no-such-item"))
    assert len(result.rejections) == 1
    assert result.identities == []
    assert vault.find(NUMBER) is None


def test_other_numbers_of_an_organisation_lead_to_it(vault: Vault) -> None:
    former = [{"scheme": "REGISTRATION", "value": "150102600000013"}]
    result = an_intake(vault).send(example("Registration", facts__former_identifiers=former))
    (told,) = result.identities
    assert (told["scheme"], told["alias"]) == ("REGISTRATION", "150102600000013")
    assert told["subject_key"] == result.records[0]["subject_key"]
    assert (told["token_version"], told["key_id"]) == (0, "")
