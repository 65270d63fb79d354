"""The access ledger: each look-up and each delivery becomes a record that the subject can read, before it leaves."""

from __future__ import annotations

import threading
import time
import uuid
from dataclasses import dataclass

from confluent_kafka import Producer

from creditbus.bus.kafka import producer_config
from creditbus.bus.registry import Registry
from creditbus.bus.schemas import SchemaSet
from creditbus.bus.wire import Writer
from creditbus.core.errors import RetryLaterError
from creditbus.core.topics import ACCESS

_ACKNOWLEDGED_WITHIN_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Who looked at what, why, and what was shown."""

    actor: str
    role: str
    department: str
    purpose: str
    basis: str
    subject_key: str
    fields: tuple[str, ...]
    endpoint: str
    result: str


class Ledger:
    """Writes accesses to Kafka. For several threads at once."""

    def __init__(self, brokers: str, registry: Registry, schemas: SchemaSet) -> None:
        self._write = Writer(registry, ACCESS, schemas.records["AccessRecord"])
        timeout_ms = int(_ACKNOWLEDGED_WITHIN_SECONDS * 1000)
        self._producer = Producer(producer_config(brokers, linger_ms=0, message_timeout_ms=timeout_ms))
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._serve_reports, name="access-reports", daemon=True)
        self._thread.start()

    def record(self, access: Access, access_id: str = "") -> str:
        """Write an access and wait until the brokers have it. Returns its id. Raises RetryLaterError otherwise.

        access_id: of an access that was recorded before, and ended otherwise; a new one by default.
        """
        access_id = access_id or str(uuid.uuid4())
        value = self._write(
            {
                "access_id": access_id,
                "at": int(time.time() * 1000),
                "actor": access.actor,
                "role": access.role,
                "department": access.department,
                "purpose": access.purpose,
                "basis": access.basis,
                "subject_key": access.subject_key,
                "fields": list(access.fields),
                "endpoint": access.endpoint,
                "result": access.result,
            }
        )
        done = threading.Event()
        errors: list[object] = []

        def reported(error: object, _: object) -> None:
            if error is not None:
                errors.append(error)
            done.set()

        try:
            self._producer.produce(ACCESS, value, access.subject_key.encode(), on_delivery=reported)
        except BufferError as error:
            raise RetryLaterError("the access ledger is full; try again") from error
        if not done.wait(_ACKNOWLEDGED_WITHIN_SECONDS) or errors:
            raise RetryLaterError("the access could not be recorded; try again")
        return access_id

    def close(self) -> None:
        """Stop serving delivery reports."""
        self._stop.set()
        self._thread.join()

    def _serve_reports(self) -> None:
        while not self._stop.is_set():
            self._producer.poll(0.1)
