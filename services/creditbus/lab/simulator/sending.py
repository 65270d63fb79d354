"""Two ways for simulated events onto the bus: through the gateway, or straight onto Kafka for load."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

from confluent_kafka import Producer

from creditbus.bus.kafka import producer_config
from creditbus.bus.registry import Registry
from creditbus.bus.schemas import SchemaSet
from creditbus.bus.settings import read_key
from creditbus.bus.wire import codecs_for
from creditbus.catalogue.loader import load
from creditbus.client.producer import BusClient
from creditbus.core.processing import Output
from creditbus.core.sending import LARGEST_EVENT_BYTES, Codec, judge
from creditbus.core.sending import Sender as GatewaySender
from creditbus.gateway.steps import message_of
from creditbus.lab.errors import NotReadyError
from creditbus.lab.secrets import read_lab_keys
from creditbus.lab.simulator.story import Sent
from creditbus.lab.stack import LabAddresses

_BATCH = 500
_REQUESTS_AT_ONCE = 3


def through_gateway(places: LabAddresses, events: Iterable[Sent]) -> Iterator[int]:
    """Send in batches under each department's own key; yields how many went each time."""
    keys = read_lab_keys(places.secrets)
    clients = {code: BusClient(places.gateway_url, key) for code, key in keys.items()}
    source = iter(events)
    try:
        with ThreadPoolExecutor(_REQUESTS_AT_ONCE) as pool:
            while batch := list(islice(source, _BATCH * _REQUESTS_AT_ONCE)):
                by_department: dict[str, list[Sent]] = {}
                for sent in batch:
                    by_department.setdefault(sent.department, []).append(sent)
                tasks = [
                    pool.submit(clients[code].send, [one.event for one in mine]) for code, mine in by_department.items()
                ]
                for task in tasks:
                    yield len(task.result())
    finally:
        for client in clients.values():
            client.close()


def onto_kafka(places: LabAddresses, events: Iterable[Sent]) -> Iterator[int]:
    """Judge and stamp as the gateway does, without HTTP, and produce; yields 1 for each event that was queued."""
    registry = Registry(places.registry_url)
    schemas = SchemaSet.load()
    key = read_key(places.secrets, "gateway-hmac.key")
    producer = Producer(producer_config(places.brokers))
    senders = {
        row.code: GatewaySender(department=row.code, domain=row.domain, roles=frozenset({"producer"}))
        for row in load().departments
    }
    codecs: dict[str, Mapping[str, Codec]] = {}
    failures: list[str] = []

    def reported(error: object, _: object) -> None:
        if error is not None:
            failures.append(str(error))

    for sent in events:
        sender = senders[sent.department]
        if sender.domain not in codecs:
            codecs[sender.domain] = codecs_for(sender.domain, registry, schemas)
        judged = judge(sent.event, sender, codecs[sender.domain], LARGEST_EVENT_BYTES)
        if judged.faults:
            raise NotReadyError(en=f"not well-formed: {judged.faults[0]}", zh=f"格式错误：{judged.faults[0]}")
        message = message_of(judged, sender, key)
        _produce(producer, message, reported)
        yield 1
    left = producer.flush(60)
    registry.close()
    if left or failures:
        raise NotReadyError(
            en=f"{left + len(failures)} events were not acknowledged; run it again with the same seed",
            zh=f"{left + len(failures)} 个事件未获确认；请以相同的种子重新运行",
        )


def _produce(producer: Producer, message: Output, reported: Callable[[object, object], None]) -> None:
    while True:
        try:
            producer.produce(
                message.topic, message.value, message.key, headers=list(message.headers), on_delivery=reported
            )
        except BufferError:
            producer.poll(0.1)  # the queue is full: let the brokers acknowledge some
        else:
            producer.poll(0)
            return
