"""A disk that is full or away: the process waits, says so, and goes on when there is room. No crash loop."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from builders import access_payload
from counting_job import Job
from creditbus.bus.keyfiles import VaultKeys
from creditbus.bus.schemas import SchemaSet
from creditbus.bus.vaults import open_vault
from creditbus.clickhouse.client import ClickHouse
from creditbus.clickhouse.rows import ClickHouseRows
from creditbus.core.errors import RetryLaterError
from creditbus.core.ports import PositionedRow
from creditbus.lab.clickhouse import clickhouse_process
from creditbus.lab.process import running
from creditbus.warehouse.app import create_tables
from creditbus.warehouse.tables import table_specs
from waiting import wait_until

pytestmark = [pytest.mark.chaos, pytest.mark.integration, pytest.mark.timeout(300)]


class SmallDisk:
    """A file system of its own in memory."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def grow(self, kib: int) -> None:
        """Somebody makes room."""
        subprocess.run(["mount", "-o", f"remount,size={kib}k", str(self.folder)], check=True, capture_output=True)

    def free_bytes(self) -> int:
        found = os.statvfs(self.folder)
        return found.f_bavail * found.f_frsize


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[int], SmallDisk]]:
    """Makes a disk of so many KiB; needs the right to mount."""
    made: list[Path] = []

    def make(kib: int) -> SmallDisk:
        folder = tmp_path / f"disk-{len(made)}"
        folder.mkdir()
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={kib}k", "tmpfs", str(folder)], check=False, capture_output=True
        )
        if done.returncode:
            pytest.skip(f"cannot mount: {done.stderr.decode().strip()}")
        made.append(folder)
        return SmallDisk(folder)

    yield make
    for folder in made:
        subprocess.run(["umount", "--lazy", str(folder)], check=False)


def test_a_full_disk_is_waited_for_and_nothing_is_lost_or_doubled(
    job: Job, small_disk: Callable[[int], SmallDisk]
) -> None:
    disk = small_disk(256)
    worker = job.start(folder=str(disk.folder))
    job.send(20_000)
    wait_until("the worker waits for room", lambda: job.told().count("No space left on device") >= 3)
    assert worker.poll() is None, "it waits; it does not end"
    disk.grow(64 * 1024)
    assert job.wrongs() == []
    assert worker.poll() is None, "the same process has gone on"
    assert "local state" in job.told()


def test_a_folder_that_cannot_be_opened_is_waited_for(job: Job, tmp_path: Path) -> None:
    """A mount that is missing leaves something else in the place of the folder."""
    blocked = tmp_path / "blocked"
    blocked.write_text("not a folder")
    worker = job.start(folder=str(blocked))
    job.send(500)
    wait_until("the worker waits for its folder", lambda: job.told().count("local state") >= 2)
    assert worker.poll() is None
    blocked.unlink()
    assert job.wrongs() == []
    assert worker.poll() is None


def test_a_vault_without_room_is_waited_for_and_nobody_gets_two_keys(small_disk: Callable[[int], SmallDisk]) -> None:
    disk = small_disk(192)
    keys = VaultKeys(platform={1: b"p" * 32}, master={1: b"m" * 64}, index=b"i" * 32)
    vault = open_vault(str(disk.folder / "vault.sqlite"), lambda: keys)
    known: dict[str, str] = {}
    with pytest.raises(RetryLaterError, match="full"):
        for number in range(10_000):
            known[str(number)] = vault.identity_of(str(number)).subject_key
    assert known
    disk.grow(8 * 1024)
    refused = str(len(known))
    assert vault.identity_of(refused).subject_key not in known.values()
    assert {number: vault.identity_of(number).subject_key for number in known} == known
    vault.close()


def test_a_warehouse_without_room_is_waited_for(
    small_disk: Callable[[int], SmallDisk], free_port: Callable[[], int], tmp_path: Path
) -> None:
    """The server's refusal is no fault of the rows: they are written once there is room, once."""
    disk = small_disk(4 * 1024)
    engine = clickhouse_process(disk.folder / "data", free_port())
    size, src = 500, "full"
    with running(engine, tmp_path / "front.log"):
        wait_until("the engine answers", engine.is_ready)
        client, specs = ClickHouse(engine.address), table_specs(SchemaSet.load())
        create_tables(client, SchemaSet.load())
        sink = ClickHouseRows(client, specs)
        batch = SimpleNamespace(number=0)

        def insert() -> None:
            rows = range(batch.number * size, (batch.number + 1) * size)
            sink.flush("access", [PositionedRow(src, 0, row, access_payload(os.urandom(200).hex())) for row in rows])
            batch.number += 1

        with pytest.raises(RetryLaterError, match="disk is full"):
            while batch.number < 1_000:
                insert()
        written = batch.number
        assert sink.positions("access", src) == {0: written * size - 1}
        disk.grow(128 * 1024)
        deadline = time.monotonic() + 60
        while batch.number == written:
            assert time.monotonic() < deadline
            try:
                insert()
            except RetryLaterError:
                time.sleep(0.2)
        assert sink.positions("access", src) == {0: (written + 1) * size - 1}
        client.close()
