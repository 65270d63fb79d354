"""A process of the transactional loop for chaos tests: counts messages per key and says each count.

Run as a script: worker.py SETTINGS, a JSON object (see ``Settings``). It can end itself with SIGKILL at a given step,
and it can be one of the broken variants that the tests have to catch.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from creditbus.bus.metrics import Metrics
from creditbus.bus.pace import BatchPolicy
from creditbus.bus.restore import Restorer
from creditbus.bus.service import Service
from creditbus.bus.store import RocksStores
from creditbus.bus.transaction import LoopSettings, Session, Work, run
from creditbus.core.processing import Effects, Message, Output, StateReader

STEPS = ("before produce", "after produce", "after offsets", "after commit", "after store")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a worker is told."""

    brokers: str
    group: str
    slot: int
    source: str
    output: str
    changelog: str
    folder: str
    die_at: str = ""
    """One of STEPS."""
    die_in_batch: int = 0
    broken: str = ""
    """"store-first" or "offsets-outside": variants that lose or double."""


class Counting:
    """Counts messages per key: the smallest processor whose errors show."""

    def __init__(self, output: str) -> None:
        self._output = output

    def process(self, topic: str, partition: int, messages: Sequence[Message], state: StateReader) -> Effects:
        keys = list(dict.fromkeys(message.key() or b"" for message in messages))
        known = dict(zip(keys, state.get_many(keys), strict=True))
        effects = Effects(fresh={key for key, count in known.items() if count is None})
        for message in messages:
            key = message.key() or b""
            count = str(int(known[key] or b"0") + 1).encode()
            known[key] = count
            effects.outputs.append(Output(self._output, key, (message.value() or b"") + b":" + count, partition))
        effects.state = dict(known)
        return effects

    def forget(self, topic: str, partition: int) -> None:
        """Nothing is remembered."""


class Placed:
    """Ends the process at a step of a batch."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._batches = 0

    def reach(self, step: str) -> None:
        """Die here, if this is the place."""
        self._batches += step == STEPS[0]
        if step and step == self._settings.die_at and self._batches >= self._settings.die_in_batch:
            os.kill(os.getpid(), signal.SIGKILL)

    def prepare(self, session: Session) -> None:
        """Have the session come by here."""
        self._around(session, "produce", before="before produce", after="after produce")
        self._around(session, "commit", after="after commit")
        self._around(session, "store", after="after store")
        session._producer = _Producer(session._producer, self)

    def _around(self, session: Session, name: str, before: str = "", after: str = "") -> None:
        original: Callable[[Work], None] = getattr(session, name)

        def stepped(work: Work) -> None:
            self.reach(before)
            original(work)
            self.reach(after)

        setattr(session, name, stepped)


class _Producer:
    """The client, with a place to die between the offsets and the commit."""

    def __init__(self, producer: Any, placed: Placed) -> None:
        self._producer = producer
        self._placed = placed

    def __getattr__(self, name: str) -> Any:
        return getattr(self._producer, name)

    def commit_transaction(self, seconds: float) -> None:
        self._producer.flush(10)
        self._placed.reach("after offsets")
        self._producer.commit_transaction(seconds)


def make_broken(session: Session, variant: str) -> None:
    """Turn the session into one that loses or doubles over a crash, or counts upon what was before the last batch."""
    commit = session.commit
    store = session.store

    def store_first(work: Work) -> None:
        session._producer.flush(10)
        store(work)
        commit(work)

    def offsets_outside(work: Work) -> None:
        from confluent_kafka import TopicPartition

        places = [TopicPartition(topic, number, offset) for (topic, number), offset in work.offsets.items()]
        session._consumer.commit(offsets=places, asynchronous=False)  # type: ignore[attr-defined]
        commit(work)

    if variant == "looks-back":
        session._state_of = lambda slot: session._stores[slot]  # type: ignore[method-assign]
        return
    session.commit = store_first if variant == "store-first" else offsets_outside  # type: ignore[method-assign]
    if variant == "store-first":
        session.store = lambda work: None  # type: ignore[method-assign]


def main() -> int:
    """Work until SIGTERM."""
    settings = Settings(**json.loads(sys.argv[1]))
    service = Service("chaos", ("127.0.0.1", 0))

    def life(stopping: Callable[[], bool]) -> None:
        metrics = Metrics("chaos")
        stores = RocksStores(Path(settings.folder) / str(settings.slot))
        restorer = Restorer(
            brokers=settings.brokers,
            changelog=settings.changelog,
            source=settings.source,
            open_store=stores,
            metrics=metrics,
        )
        loop = LoopSettings(
            brokers=settings.brokers,
            app=settings.group,
            slot=settings.slot,
            topics=(settings.source,),
            changelog=settings.changelog,
            batch=BatchPolicy(max_messages=200, every_seconds=0.01),
        )
        session = Session(loop, Counting(settings.output), metrics, restorer)
        if settings.broken:
            make_broken(session, settings.broken)
        Placed(settings).prepare(session)
        try:
            run(session, stopping=stopping)
        finally:
            session.close()

    return service.main(life)


if __name__ == "__main__":
    sys.exit(main())
