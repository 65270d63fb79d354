"""The fake Kafka keeps the promises of the real one that the transactional loop rests on."""

from __future__ import annotations

import pytest

from contract.clients import ClientContract
from contract.kafkas import OnFake, OnKafka


class TestFakeClients(OnFake, ClientContract):
    """The fake."""


@pytest.mark.integration
class TestKafkaClients(OnKafka, ClientContract):
    """What it stands for."""
