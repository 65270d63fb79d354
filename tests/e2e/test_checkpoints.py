"""Checkpoints on a running lab: a replay may begin at one, and at none that another key signed or that was changed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from creditbus.bus.registry import Registry
from creditbus.bus.settings import read_key
from creditbus.bus.wire import Types
from creditbus.core.errors import StopError
from creditbus.lab.checkpoints import Writing, lineage_of, public_key_of, read_checkpoints, read_state
from creditbus.lab.secrets import RECEIPT_KEY
from creditbus.lab.snapshot import Snapshot, read_snapshots
from running_lab import RunningLab

pytestmark = [pytest.mark.e2e, pytest.mark.integration, pytest.mark.timeout(600)]


@pytest.fixture
def registry(running_lab: RunningLab) -> Iterator[Registry]:
    with closing(Registry(f"http://127.0.0.1:{running_lab.port('registry')}/apis/ccompat/v7")) as opened:
        yield opened


def test_a_replay_begins_at_the_last_checkpoint_and_comes_to_the_same(running_lab: RunningLab, tmp_path: Path) -> None:
    lab = running_lab
    lab.creditbus("simulate", "--events", "50")
    assert "signed by" in lab.creditbus("checkpoint", "make", "--into", str(tmp_path / "first"))
    first = {one["partition"]: one for one in lab.told("checkpoint", "list")}
    assert sorted(first) == [0, 1, 2, 3]
    assert all(one["is_trusted"] and one["has_state"] for one in first.values())

    lab.creditbus("simulate", "--events", "50", "--seed", "7")
    report = lab.told("replay", "--into", str(tmp_path / "second"), "--from-checkpoint")
    whole = lab.told("replay", "--into", str(tmp_path / "third"))
    assert all(one["is_same"] for one in (*report, *whole))
    for short, long in zip(report, whole, strict=True):
        assert (short["began_at"], long["began_at"]) == (first[short["partition"]]["position"], 0)
        assert short["messages"] < long["messages"]
    assert "is not empty" in lab.creditbus("checkpoint", "make", "--into", str(tmp_path / "third"), expect=2)

    lab.creditbus("checkpoint", "make", "--into", str(tmp_path / "fourth"), "--processes", "2", "--keep", "1")
    found = lab.told("checkpoint", "list")
    newest = {one["partition"]: one for one in found}
    assert {one["after"] for one in newest.values()} <= {one["checkpoint_id"] for one in found}
    assert [one["has_state"] for one in found if one["checkpoint_id"] != newest[one["partition"]]["checkpoint_id"]]
    assert all(one["has_state"] is (newest[one["partition"]] == one) for one in found), "one a partition is kept"
    assert "✓" in lab.creditbus("checkpoint", "list")


def test_what_another_key_signed_is_not_begun_with_and_a_changed_state_is_found(
    running_lab: RunningLab, registry: Registry, tmp_path: Path
) -> None:
    brokers, types = f"127.0.0.1:{running_lab.port('kafka')}", Types(registry)
    lineage, live = lineage_of(brokers), read_snapshots(brokers)
    forged = Snapshot({**live[0].values, b"snobody": b"x"}, live[0].source_offset)
    made = Writing(brokers, registry, b"k" * 32).write(0, forged, lineage, "")
    (told,) = [one for one in running_lab.told("checkpoint", "list") if one["checkpoint_id"] == made.checkpoint_id]
    assert (told["is_trusted"], told["has_state"]) == (False, True)
    report = running_lab.told("replay", "--into", str(tmp_path / "sandbox"), "--from-checkpoint")
    assert all(one["is_same"] for one in report), "it has a subject that the log does not know"

    key = read_key(running_lab.folder / "secrets", RECEIPT_KEY)
    signed = Writing(brokers, registry, key).write(0, live[0], lineage, "")
    assert [
        one.is_trusted
        for one in read_checkpoints(brokers, types, public_key_of(key))
        if one.checkpoint.checkpoint_id == signed.checkpoint_id
    ] == [True]
    assert read_state(brokers, types, signed) == live[0].values
    changed = replace(signed, digest=made.digest)
    with pytest.raises(StopError, match="is not what was signed"):
        read_state(brokers, types, changed)
