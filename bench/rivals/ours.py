"""The job on this project's transactional loop. Run as a script: ours.py SETTINGS (JSON)."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from fastavro import schemaless_reader

from bench.rivals.job import PARSED
from creditbus.bus.metrics import Metrics
from creditbus.bus.restore import Restorer
from creditbus.bus.service import Service
from creditbus.bus.store import RocksStores
from creditbus.bus.transaction import BatchPolicy, LoopSettings, Session, run, tune_collector
from creditbus.core.processing import Effects, Message, Output, StateReader

_SEEN = b"1"


class Payments:
    """Drops doubles, keeps count and sum of each subject, tells each change."""

    def __init__(self, output: str) -> None:
        self._output = output

    def process(self, topic: str, partition: int, messages: Sequence[Message], state: StateReader) -> Effects:
        """See core.processing.Processor."""
        rows: list[tuple[bytes, bytes, int]] = []
        for message in messages:
            row: Any = schemaless_reader(io.BytesIO(message.value() or b""), PARSED, None)
            subject = message.key() or b""
            rows.append((subject, b"s" + subject + row["event_id"].encode(), row["amount"]))
        keys = list(dict.fromkeys(key for subject, seen, _ in rows for key in (b"t" + subject, seen)))
        known = dict(zip(keys, state.get_many(keys), strict=True))
        effects = Effects()
        changed = effects.state
        for subject, seen, amount in rows:
            if known[seen] is not None:
                continue
            known[seen] = changed[seen] = _SEEN
            place = b"t" + subject
            count, _, total = (known[place] or b"0,0").partition(b",")
            value = b"%d,%d" % (int(count) + 1, int(total) + amount)
            known[place] = changed[place] = value
            effects.outputs.append(Output(self._output, subject, value, partition))
        return effects

    def forget(self, topic: str, partition: int) -> None:
        """Nothing is remembered."""


def main() -> int:
    """Work until SIGTERM."""
    told = json.loads(sys.argv[1])
    service = Service("bench", 0)

    def life(stopping: Callable[[], bool]) -> None:
        metrics = Metrics("bench")
        loop = LoopSettings(
            brokers=told["brokers"],
            app=told["group"],
            slot=told["slot"],
            topics=(told["source"],),
            changelog=told["changelog"],
            batch=BatchPolicy(max_messages=10_000, max_seconds=told["commit_ms"] / 1000),
        )
        restorer = Restorer(
            brokers=told["brokers"],
            changelog=told["changelog"],
            source=told["source"],
            open_store=RocksStores(Path(told["folder"]) / str(told["slot"])),
            metrics=metrics,
        )
        session = Session(loop, Payments(told["output"]), metrics, restorer)
        tune_collector()
        try:
            run(session, stopping=stopping)
        finally:
            session.close()

    return service.main(life)


if __name__ == "__main__":
    sys.exit(main())
