"""The engines on the job, one after the other, on the same broker, bytes, partitions and commit interval."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import psutil
from confluent_kafka import OFFSET_END, Consumer, ConsumerGroupTopicPartitions, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

from bench.rivals.engines import Engine, engines
from bench.rivals.job import PARTITIONS, Load, load_of, messages
from bench.stack import a_lab
from creditbus.bus.kafka import consumer_config, producer_config

ROOT = Path(__file__).parents[2]
_PATIENCE_SECONDS = 400.0
_YARDSTICK = "Kafka Streams, 2 threads"


def measure(records: int, rounds: int = 1, rate: int = 2_000, *, all_of_them: bool = False) -> dict[str, float]:
    """Everything: throughput, cost and correctness of each engine, then its recovery and its latency at a steady rate.

    Figures of several rounds are their medians; a ratio is the median of the ratios within each round.
    """
    found: dict[str, float] = {}
    with a_lab() as lab:
        lab.run("up", "--detach", "--services", "none")
        try:
            brokers, folder = lab.places.brokers, lab.places.folder / "rivals"
            all_engines = engines(brokers, folder, all_of_them=all_of_them)
            loads = {share: _sent(brokers, int(records * share)) for share in {one.share for one in all_engines}}
            runs = [
                {engine.name: _run(engine, brokers, loads[engine.share], f"r{number}") for engine in all_engines}
                for number in range(rounds)
            ]
            for engine in all_engines:
                for what in runs[0][engine.name]:
                    found[f"{engine.name}: {what}"] = median(run[engine.name][what] for run in runs)
            found |= _ratios(runs)
            for engine in all_engines:
                more = _recovery(engine, brokers, loads[engine.share])
                for commit_ms in (100, 20) if engine.keeps_up else ():
                    more |= _latencies(engine, brokers, rate, commit_ms)
                found |= {f"{engine.name}: {what}": value for what, value in more.items()}
        finally:
            lab.run("down")
    return found


def _ratios(runs: list[dict[str, dict[str, float]]]) -> dict[str, float]:
    """Ours against Kafka Streams, run by run on the same load."""
    return {
        f"{ours} / {_YARDSTICK}: {what}": median(run[ours][what] / run[_YARDSTICK][what] for run in runs)
        for ours in ("ours, 1 process", "ours, 2 processes")
        for what in ("events/s, second half", "events per CPU second")
    }


def _sent(brokers: str, records: int) -> Load:
    """A load on a topic of its own."""
    load = load_of(records)
    _topics(brokers, load.topic)
    _send(brokers, load.topic, records)
    return load


def _run(engine: Engine, brokers: str, load: Load, number: str) -> dict[str, float]:
    """One run from the first record to the last; the second half counts as warmed up."""
    run = f"{number}-{engine.code}"
    _topics(brokers, f"{run}-out")
    _topics(brokers, f"{run}-log", compact=True)
    marks: dict[float, tuple[float, float]] = {}
    admin = AdminClient({"bootstrap.servers": brokers})
    with _started(engine.commands(run, load.topic, 100), run) as processes:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while 1.0 not in marks:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{engine.name} did not finish; see {run}.log in bench/results")
            done = _consumed(admin, run, load.topic) / load.records
            for share in (0.02, 0.5, 1.0):
                if done >= share and share not in marks:
                    marks[share] = time.perf_counter(), _cpu(processes)
            time.sleep(0.02)
        memory = sum(process.memory_info().rss for process in processes) / 2**20
    seconds, cpu = (marks[1.0][n] - marks[0.02][n] for n in (0, 1))
    warm = marks[1.0][0] - marks[0.5][0]
    return {
        "events/s": load.records * 0.98 / seconds,
        "events/s, second half": load.records * 0.5 / warm,
        "events per CPU second": load.records * 0.98 / cpu,
        "MiB": memory,
        "wrong subjects": _wrong(brokers, f"{run}-out", load),
    }


def _recovery(engine: Engine, brokers: str, load: Load) -> dict[str, float]:
    """Seconds from kill -9 of a process in mid-run, started again at once, to the next commit."""
    run = f"killed-{engine.code}"
    _topics(brokers, f"{run}-out")
    _topics(brokers, f"{run}-log", compact=True)
    admin = AdminClient({"bootstrap.servers": brokers})
    commands = engine.commands(run, load.topic, 100)
    with _started(commands, run) as processes:
        _until(lambda: _consumed(admin, run, load.topic) > load.records * 0.2, engine.name)
        for process in processes:
            process.kill()
            process.wait()
        time.sleep(0.2)  # what was on its way to the broker has arrived
        before, killed = _consumed(admin, run, load.topic), time.perf_counter()
        with _started(commands, f"{run}-again"):
            _until(lambda: _consumed(admin, run, load.topic) > before, engine.name)
            seconds = time.perf_counter() - killed
            _until(lambda: _consumed(admin, run, load.topic) >= load.records, engine.name)
    return {"s after kill -9 to the next commit": seconds, "wrong after kill -9": _wrong(brokers, f"{run}-out", load)}


def _until(holds: Callable[[], bool], name: str) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{name} did not go on; see its log in bench/results")
        time.sleep(0.02)


def _latencies(engine: Engine, brokers: str, rate: int, commit_ms: int, seconds: int = 20) -> dict[str, float]:
    """Milliseconds from sending to the committed output."""
    run = f"late-{commit_ms}-{engine.code}"
    for name in (f"{run}-in", f"{run}-out"):
        _topics(brokers, name)
    _topics(brokers, f"{run}-log", compact=True)
    taken: list[float] = []
    with _started(engine.commands(run, f"{run}-in", commit_ms), run):
        sent: dict[bytes, list[float]] = {}
        reader = threading.Thread(target=_follow, args=(brokers, f"{run}-out", sent, taken, rate * seconds))
        reader.start()
        producer = Producer({**producer_config(brokers), "linger.ms": 1})
        time.sleep(12)  # members have joined
        began = time.perf_counter()
        for number, (subject, payload, amount) in enumerate(messages(rate * seconds, seed=2)):
            time.sleep(max(0.0, began + number / rate - time.perf_counter()))
            if amount >= 0:
                sent.setdefault(subject, []).append(time.perf_counter())
            producer.produce(f"{run}-in", payload, subject)
            producer.poll(0)
        producer.flush(30)
        reader.join(30)
    taken = sorted(taken[len(taken) // 4 :])
    if not taken:
        return {}
    return {
        f"ms at {rate}/s, commits every {commit_ms} ms, p50": taken[len(taken) // 2] * 1000,
        f"ms at {rate}/s, commits every {commit_ms} ms, p99": taken[int(len(taken) * 0.99)] * 1000,
    }


def _follow(brokers: str, topic: str, sent: dict[bytes, list[float]], taken: list[float], most: int) -> None:
    consumer = Consumer(consumer_config(brokers, "bench", fetch_wait_max_ms=5))
    consumer.assign([TopicPartition(topic, number, OFFSET_END) for number in range(PARTITIONS)])
    quiet_since = time.monotonic() + 30
    while time.monotonic() - quiet_since < 6:
        for message in consumer.consume(500, 0.005):
            now = time.perf_counter()
            quiet_since = max(quiet_since, time.monotonic())
            waiting = sent.get(message.key() or b"") if message.error() is None else None
            if waiting:
                taken.append(now - waiting.pop(0))
        if len(taken) >= most * 0.94:
            quiet_since = min(quiet_since, time.monotonic())
    consumer.close()


@contextmanager
def _started(commands: list[list[str]], run: str) -> Iterator[list[psutil.Process]]:
    folder = ROOT / "bench" / "results"
    folder.mkdir(exist_ok=True)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "services")])}
    with (folder / f"{run}.log").open("wb") as log:
        started = [subprocess.Popen(command, env=environment, stdout=log, stderr=log) for command in commands]
        try:
            yield [psutil.Process(one.pid) for one in started]
        finally:
            for one in started:
                one.send_signal(signal.SIGTERM)
            for one in started:
                try:
                    one.wait(20)
                except subprocess.TimeoutExpired:
                    one.kill()
                    one.wait(10)


def _cpu(processes: list[psutil.Process]) -> float:
    times = [process.cpu_times() for process in processes]
    return sum(one.user + one.system for one in times)


def _topics(brokers: str, name: str, *, compact: bool = False) -> None:
    config = {"cleanup.policy": "compact"} if compact else {}
    admin = AdminClient({"bootstrap.servers": brokers})
    for future in admin.create_topics([NewTopic(name, PARTITIONS, 1, config=config)]).values():
        future.result()


def _send(brokers: str, topic: str, records: int) -> None:
    producer = Producer({**producer_config(brokers), "linger.ms": 20})
    for number, (subject, payload, _) in enumerate(messages(records)):
        producer.produce(topic, payload, subject)
        if number % 10_000 == 0:
            producer.poll(0)
    if producer.flush(120):
        raise TimeoutError("the load could not be sent")


def _consumed(admin: AdminClient, group: str, topic: str) -> int:
    """Records behind the group's committed offsets; the input has no transactions, so offsets are records."""
    try:
        answer = admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)])[group].result()
    except Exception:  # noqa: BLE001 - the group is not there yet
        return 0
    return sum(max(0, place.offset) for place in answer.topic_partitions if place.topic == topic)


def _wrong(brokers: str, topic: str, load: Load) -> float:
    """Subjects whose last committed count and sum are not those of the reference, and outputs too many or too few."""
    consumer = Consumer({**consumer_config(brokers, "bench-check"), "enable.partition.eof": True})
    consumer.assign([TopicPartition(topic, number, 0) for number in range(PARTITIONS)])
    last: dict[bytes, bytes] = {}
    outputs = ended = 0
    while ended < PARTITIONS:
        for message in consumer.consume(10_000, 1.0):
            if message.error() is not None:
                ended += 1
            else:
                outputs += 1
                last[message.key() or b""] = message.value() or b""
    consumer.close()
    expected = {subject: b"%d,%d" % total for subject, total in load.totals.items()}
    return float(sum(last.get(subject) != value for subject, value in expected.items()) + abs(outputs - load.accepted))
