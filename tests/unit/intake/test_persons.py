"""Persons in intake: known before they are used, told of once, and never made by an event that becomes no record."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from creditbus.bus.keyfiles import MASTER, PLATFORM, VaultKeys, file_of, read_vault_keys, write_key
from creditbus.bus.privacy import Vault
from creditbus.core.errors import RetryLaterError
from creditbus.core.events import Event
from creditbus.core.identifiers.synthetic import synthetic_citizen
from creditbus.intake.persons import Persons
from creditbus.intake.steps import Privacy, Seal
from intake_harness import Intake, example

NUMBER = synthetic_citizen("150102", date(1985, 3, 7))


OpenVault = Callable[[Path, Callable[[], VaultKeys]], Vault]


@pytest.fixture
def vault(tmp_path: Path, open_vault: OpenVault) -> Vault:
    write_key(tmp_path / "vault-index.key", b"i" * 32)
    write_key(file_of(tmp_path, PLATFORM, 2), b"q" * 32)
    write_key(file_of(tmp_path, MASTER, 1), b"m" * 32)
    return open_vault(tmp_path / "vault.sqlite", lambda: read_vault_keys(tmp_path))


def an_intake(vault: Vault) -> Intake:
    persons = Persons(vault)
    return Intake(
        privacy=Privacy(tokenise=persons.token_of, seal=persons.seal, expect=persons.expect, keep=persons.keep)
    )


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


def test_a_person_that_another_intake_made_meanwhile_is_asked_for_again(
    vault: Vault, tmp_path: Path, open_vault: OpenVault
) -> None:
    """Both had found nobody; the second may let nothing out under a key that leads to nobody."""
    another = open_vault(tmp_path / "vault.sqlite", lambda: read_vault_keys(tmp_path))
    slow, quick = Persons(vault), Persons(another)
    lost = slow.token_of(NUMBER)
    slow.token_of(OTHER)
    won = quick.token_of(NUMBER)
    assert [one.subject_key for one in quick.keep()] == [won]
    with pytest.raises(RetryLaterError, match="faster"):
        slow.keep()
    assert vault.find(OTHER) is None, "all or none"
    again = Persons(vault)
    assert again.token_of(NUMBER) == won != lost


def test_a_person_is_made_of_the_newest_key_even_if_it_came_while_the_batch_was_decided(
    vault: Vault, tmp_path: Path
) -> None:
    persons = Persons(vault)
    persons.token_of(NUMBER)
    write_key(file_of(tmp_path, PLATFORM, 3), b"r" * 32)
    with pytest.raises(RetryLaterError):
        persons.keep()
    again = Persons(vault)
    assert again.token_of(NUMBER).startswith("p:3:")
    assert [one.token_version for one in again.keep()] == [3]


def test_what_is_sealed_opens_with_the_persons_key(vault: Vault) -> None:
    (record,) = an_intake(vault).send(of_person()).records
    assert NUMBER.encode() in vault.open(record["subject_key"], record["sealed"])


def test_who_is_asked_for_ahead_is_who_is_found_one_by_one(vault: Vault) -> None:
    """Numbers as departments write them, somebody new, and somebody of whom an event of the same batch told first."""
    known, new = NUMBER, OTHER
    before = vault.identity_of(known).subject_key
    intake = an_intake(vault)
    numbers = (known, new, new, known)
    records = intake.judge(*(intake.message(of_person(f" {number.lower()} ")) for number in numbers)).records
    keys = [one["subject_key"] for one in records]
    assert keys == [before, keys[1], keys[1], before]
    assert vault.find(new) is not None
    for record, number in zip(records, numbers, strict=True):
        assert number.encode().lower() in vault.open(record["subject_key"], record["sealed"]).lower()


def test_a_person_who_is_forgotten_while_a_batch_is_decided_is_asked_for_again(vault: Vault) -> None:
    vault.identity_of(NUMBER)
    persons = Persons(vault)
    intake = Intake(
        privacy=Privacy(tokenise=persons.token_of, seal=_then(vault, persons), expect=persons.expect, keep=persons.keep)
    )
    with pytest.raises(RetryLaterError, match="forgotten"):
        intake.send(of_person())


def _then(vault: Vault, persons: Persons) -> Seal:
    """Seals, and has the person forgotten by then."""

    def seal(subject: str, event: Event) -> bytes | None:
        sealed = persons.seal(subject, event)
        vault.destroy(subject)
        return sealed

    return seal


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


def by_registration(*values: str, **changes: object) -> dict[str, object]:
    """A penalty of whoever has these numbers of registration (工商注册号)."""
    numbers = [{"scheme": "REGISTRATION", "value": value} for value in values]
    return example("Penalty", subject__identifiers=numbers, **changes)


def test_who_is_named_by_an_old_number_alone_is_whose_registration_told_of_it(vault: Vault) -> None:
    intake = an_intake(vault)
    intake.numbers["REGISTRATION|150102600000013"] = "MA0N12340"
    [record] = intake.send(by_registration(" 150102600000013")).records
    assert (record["subject_key"], record["identifier"]) == ("MA0N12340", "MA0N12340")
    by_code = intake.send(example("Penalty", subject__identifiers=[{"scheme": "ORGANISATION", "value": "MA0N12340"}]))
    assert by_code.records[0]["natural_key"] == record["natural_key"], "it is one fact, whoever tells it how"


def test_an_old_number_that_nobody_told_of_or_two_that_lead_apart_name_nobody(vault: Vault) -> None:
    intake = an_intake(vault)
    assert intake.send(by_registration("150102600000013")).faults == [("missing-identifier", "subject.identifiers")]
    intake.numbers |= {"REGISTRATION|150102600000013": "MA0N12340", "REGISTRATION|150102600000021": "MA0N12359"}
    both = intake.send(by_registration("150102600000013", "150102600000021"))
    assert both.faults == [("missing-identifier", "subject.identifiers")]


def test_a_code_goes_before_an_old_number_and_a_wrong_one_is_not_made_good_by_it(vault: Vault) -> None:
    intake = an_intake(vault)
    intake.numbers["REGISTRATION|150102600000013"] = "MA0N12359"
    old = {"scheme": "REGISTRATION", "value": "150102600000013"}
    right, wrong = ({"scheme": "USCC", "value": code} for code in ("91150102MA0N123408", "91150102MA0N123409"))
    [record] = intake.send(example("Penalty", subject__identifiers=[old, right])).records
    assert record["subject_key"] == "MA0N12340"
    assert intake.send(example("Penalty", subject__identifiers=[old, wrong])).faults[0][0] == "bad-identifier"


def test_a_correction_and_a_link_may_quote_an_old_number(vault: Vault) -> None:
    intake = an_intake(vault)
    intake.numbers["REGISTRATION|150102600000013"] = "MA0N12359"
    old = {"scheme": "REGISTRATION", "value": "150102600000013"}
    penalty = example("Penalty")
    stood = {
        "identifier": old,
        "authority": penalty["authority"],
        "document_number": penalty["document"]["number"],
        "item_number": "",
        "kind": "Penalty",
    }
    withdrawn, record = intake.send(example("Penalty", revision=2, corrects=stood)).records
    assert (withdrawn["op"], withdrawn["subject_key"]) == ("WITHDRAW", "MA0N12359")
    assert record["subject_key"] == "MA0N12340"
    [link] = intake.send(linked(facts__successor=old)).records
    assert link["linked_key"] == "MA0N12359"


# -- links of identities ---------------------------------------------------------------------------------

OTHER = synthetic_citizen("150102", date(1985, 3, 8))


def linked(**changes: object) -> dict[str, object]:
    return example("IdentityLink", **changes)


def test_a_link_carries_the_other_key_and_is_on_file_under_the_old_one(vault: Vault) -> None:
    (record,) = an_intake(vault).send(linked(), "150000-scjg").records
    assert record["subject_key"] == "MA0N12340"
    assert record["linked_key"] not in (None, record["subject_key"])


def test_a_person_with_a_new_number_is_linked_without_any_number_on_the_log(vault: Vault) -> None:
    person = {"kind": "NATURAL_PERSON", "name": "虚构乙", "identifiers": [{"scheme": "CITIZEN", "value": NUMBER}]}
    successor = {"scheme": "CITIZEN", "value": OTHER}
    event = linked(subject=person, facts__successor=successor, facts__reason="NUMBER_CHANGE")
    result = an_intake(vault).send(event, "150000-scjg")
    (record,) = result.records
    found = vault.find(OTHER)
    assert found is not None
    assert record["linked_key"] == found.subject_key
    assert {one["alias"] for one in result.identities} == {record["subject_key"], record["linked_key"]}
    for number in (NUMBER, OTHER):
        assert number.encode() not in result.texts


@pytest.mark.parametrize(
    ("successor", "reason"),
    [
        (None, "missing-condition"),
        ({"scheme": "USCC", "value": "91150102MA0N123408"}, "bad-identifier"),
        ({"scheme": "USCC", "value": "91150102MA0N123409"}, "bad-identifier"),
        ({"scheme": "CITIZEN", "value": NUMBER}, "bad-identifier"),
    ],
    ids=["missing", "itself", "wrong check character", "a person"],
)
def test_a_link_names_another_subject_of_the_same_kind(
    vault: Vault, successor: dict[str, str] | None, reason: str
) -> None:
    result = an_intake(vault).send(linked(facts__successor=successor), "150000-scjg")
    assert result.faults == [(reason, "facts.successor")]
    assert NUMBER.encode() not in result.texts


def test_only_who_registers_may_link(vault: Vault) -> None:
    result = an_intake(vault).send(linked(), "150100-zy")
    assert ("item-not-allowed", "item") in result.faults
