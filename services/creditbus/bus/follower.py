"""Following topics from outside: committed messages only, decoded, in the order of each partition."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from confluent_kafka import Consumer, KafkaError

from creditbus.bus.kafka import PATIENT, consumer_config, failed, translated
from creditbus.bus.registry import Registry
from creditbus.bus.wire import Types, read_value

_POLL_SECONDS = 0.2


class Follower:
    """Reads topics for one group. The position is stored only when the caller asks for the next message."""

    def __init__(self, brokers: str, registry_url: str, group: str) -> None:
        self._consumer = Consumer(consumer_config(brokers, group, **PATIENT))
        self._registry = Registry(registry_url)
        self._types = Types(self._registry)

    def values(self, topics: Sequence[str], stopping: Callable[[], bool]) -> Iterator[tuple[str, dict[str, Any]]]:
        """(type name, value) of each message, dates as dates, until stopping() says so.

        A message counts as dealt with when the next one is asked for: at least once, in order per key.
        Raises ReconnectError when the brokers are lost for good, and what bus.wire raises for a foreign message.
        """
        with translated("subscribing"):
            self._consumer.subscribe(list(topics))
        while not stopping():
            with translated("reading"):
                message = self._consumer.poll(_POLL_SECONDS)
            if message is None:
                continue
            error = message.error()
            if error is not None:
                _raise_unless_passing(error)
                continue
            value = message.value()
            if value is not None:
                schema, decoded = read_value(self._types, value, raw=False)
                yield schema.short_name, decoded
            with translated("storing the position"):
                self._consumer.commit(message=message, asynchronous=False)

    def close(self) -> None:
        """Leave the group."""
        self._consumer.close()
        self._registry.close()


def _raise_unless_passing(error: KafkaError) -> None:
    if error.fatal():
        raise failed(error, "following")
