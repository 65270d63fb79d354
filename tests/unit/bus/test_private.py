"""Files with secrets."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from creditbus.bus.private import write_private


def test_nobody_else_can_read_it_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        write_private(tmp_path / "a.key", "first")
    finally:
        os.umask(before)
    assert (tmp_path / "a.key").stat().st_mode & 0o777 == 0o600


def test_it_takes_the_place_of_another_unless_it_must_be_new(tmp_path: Path) -> None:
    path = tmp_path / "a.key"
    write_private(path, "first", is_new=True)
    write_private(path, "second 第二")
    with pytest.raises(FileExistsError):
        write_private(path, "third", is_new=True)
    assert path.read_text(encoding="utf-8") == "second 第二"


def test_what_a_crash_left_behind_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "a.key.part").write_text("half")
    write_private(tmp_path / "a.key", "whole")
    assert [path.name for path in tmp_path.iterdir()] == ["a.key"]


def test_where_it_cannot_be_written_the_old_one_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.key"
    write_private(path, "first")

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_private(path, "second")
    assert path.read_text(encoding="utf-8") == "first"
