"""What the tests that kill and damage share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from counting_job import Job


@pytest.fixture
def job(kafka_brokers: str, unique_name: Callable[[str], str], tmp_path: Path) -> Iterator[Job]:
    """The counting job with topics of its own; its workers end with the test."""
    made = Job(kafka_brokers, unique_name("chaos"), tmp_path)
    yield made
    made.close()
