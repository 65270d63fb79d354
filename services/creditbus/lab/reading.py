"""Reading a topic from its beginning to its present end, or to an end that was taken down before."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from confluent_kafka import TopicPartition

from creditbus.bus.reading import all_partitions, read_to_end
from creditbus.bus.wire import Types, read_value

Progress = Callable[[str, int], None]
"""Told the topic and how many messages were read so far."""
_GROUP = "creditbus-reading"


def read_values(brokers: str, topic: str, types: Types, use: Callable[[str, dict[str, Any]], None]) -> None:
    """Call ``use`` with type and value of each message, each partition in order, up to its present end."""

    def use_all(messages: Sequence[Any]) -> None:
        for message in messages:
            schema, value = read_value(types, message.value())
            use(schema.short_name, value)

    read_topic(brokers, topic, use_all)


def read_topic(
    brokers: str,
    topic: str,
    use: Callable[[Sequence[Any]], None],
    *,
    progress: Progress = lambda _topic, _count: None,
    ends: Mapping[int, int] | None = None,
    start: int = 0,
) -> None:
    """Call ``use`` with batches of messages, each partition in order, up to its present end.

    ends: offset to stop before, by partition; only these partitions are read. Messages beyond are not handed out.
    start: offset to begin with in each of these.
    """
    if ends is None:
        places = all_partitions(brokers, _GROUP, topic)
    else:
        places = [TopicPartition(topic, number, start) for number, end in ends.items() if end > start]
    count = 0
    progress(topic, count)
    for messages in read_to_end(brokers, _GROUP, places):
        wanted = [one for one in messages if ends is None or (one.offset() or 0) < ends[one.partition() or 0]]
        count += len(wanted)
        if wanted:
            use(wanted)
        progress(topic, count)
        if ends is not None and all(place.offset >= ends[place.partition] for place in places):
            break
