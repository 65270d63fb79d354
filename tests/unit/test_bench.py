"""The benchmarks run on what is simulated today."""

from __future__ import annotations

import pytest
from bench import inprocess, instructions, proofs

from creditbus.bus.schemas import SchemaSet


@pytest.mark.timeout(120)
def test_the_in_process_figures_are_made_of_every_kind_that_is_simulated(monkeypatch: pytest.MonkeyPatch) -> None:
    """Enough events that a subject's key changes, for which records are read from the log again."""
    monkeypatch.setattr(inprocess, "_BATCH", 500)  # of each kind so many are measured
    found = inprocess.measure(6_000)
    prefix = "intake events/s, one core, "
    kinds = {what.removeprefix(prefix) for what in found if what.startswith(prefix)}
    assert (
        {"Registration", "Permit", "Penalty", "CourtEnforcement", "IdentityLink"}
        <= kinds
        <= SchemaSet.load().events.keys()
    )
    assert found["dossier events/s, one core"] > 0


def test_a_place_in_a_signed_batch_is_cheaper_to_prove_than_a_signature_for_each_event() -> None:
    stamp, place, signature = proofs.measure().values()
    assert 0 < stamp < signature
    assert 0 < place < signature


def test_instructions_are_read_off_the_report_of_valgrind() -> None:
    assert instructions.counted_in("==8218== Events    : Ir\n==8218== Collected : 1961807612\n") == 1_961_807_612
    with pytest.raises(ValueError, match="counted nothing"):
        instructions.counted_in("==8218== cannot execute\n")


def test_where_there_is_no_valgrind_the_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(SystemExit, match="install valgrind"):
        instructions.measure(10)
