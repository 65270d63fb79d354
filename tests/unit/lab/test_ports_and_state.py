"""Ports that are taken are named with their holder; only processes that are surely ours are called alive."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from creditbus.lab.errors import AlreadyRunningError, PortInUseError
from creditbus.lab.ports import is_taken, refuse_taken_ports
from creditbus.lab.process import rotate, tail
from creditbus.lab.state import LabState, find_alive, now_utc, own_record, read_state, state_path, write_state
from creditbus.lab.supervisor import is_owned, owned_folder


def test_a_taken_port_is_named_with_its_holder_and_the_setting_to_change() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        assert is_taken(port)
        with pytest.raises(PortInUseError) as caught:
            refuse_taken_ports({"kafka": port})
    assert f"{port} for kafka, held by" in caught.value.text.en
    assert str(os.getpid()) in caught.value.text.en
    assert "CREDITBUS_LAB_KAFKA_PORT" in caught.value.text.zh


def test_a_free_port_is_not_refused() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        port = server.getsockname()[1]
    refuse_taken_ports({"kafka": port})


def test_a_pid_that_another_program_got_later_is_not_taken_for_ours() -> None:
    record = own_record()
    assert find_alive(record) is not None
    assert find_alive(record.model_copy(update={"created_at": record.created_at - 60})) is None
    assert find_alive(record.model_copy(update={"command": "other"})) is None


def test_a_written_state_is_read_back_and_none_before_the_first(tmp_path: Path) -> None:
    assert read_state(tmp_path) is None
    state = LabState(supervisor=own_record(), stopping=False, written_at=now_utc(), processes=(), deploy=())
    write_state(tmp_path, state)
    assert read_state(tmp_path) == state
    assert list(tmp_path.iterdir()) == [state_path(tmp_path)]


def test_a_folder_has_one_owner_at_a_time(tmp_path: Path) -> None:
    with owned_folder(tmp_path):
        assert is_owned(tmp_path)
        with pytest.raises(AlreadyRunningError, match="CREDITBUS_LAB_DATA"), owned_folder(tmp_path):
            pass
    assert not is_owned(tmp_path)


def test_a_large_log_is_put_aside_and_a_small_one_is_continued(tmp_path: Path) -> None:
    log = tmp_path / "intake.log"
    log.write_text("small")
    rotate(log)
    assert log.exists()
    with log.open("wb") as handle:
        handle.truncate(21 * 1024 * 1024)
    rotate(log)
    assert not log.exists()
    assert (tmp_path / "intake.log.1").exists()


def test_the_tail_of_a_log_is_its_last_lines_and_empty_without_one(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    assert tail(log) == ""
    log.write_text("\n".join(str(number) for number in range(100)))
    assert tail(log, 2) == "98\n99"
