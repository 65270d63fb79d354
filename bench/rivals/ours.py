"""The job on this project's transactional loop. Run as a script: ours.py SETTINGS (JSON)."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.rivals.job import SCHEMA
from creditbus.bus.codec import compile_decoder
from creditbus.bus.collector import BetweenBatches
from creditbus.bus.metrics import Metrics
from creditbus.bus.pace import BatchPolicy
from creditbus.bus.restore import Restorer
from creditbus.bus.service import Service
from creditbus.bus.store import RocksStores
from creditbus.bus.transaction import LoopSettings, Session, run
from creditbus.core.processing import Effects, Message, Output, StateReader

_SEEN = b"1"


class Payments:
    """Drops doubles, keeps count and sum of each subject, tells each change."""

    def __init__(self, output: str) -> None:
        self._output = output
        self._decode = compile_decoder(SCHEMA)

    def process(self, topic: str, partition: int, messages: Sequence[Message], state: StateReader) -> Effects:
        """See core.processing.Processor."""
        decode = self._decode
        asked = dict[bytes, None]()
        rows: list[tuple[bytes, bytes, bytes, int]] = []
        for message in messages:
            row, _ = decode(message.value() or b"", 0)
            subject = message.key() or b""
            place, seen = b"t" + subject, b"s" + subject + row["event_id"].encode()
            asked[place] = asked[seen] = None
            rows.append((subject, place, seen, row["amount"]))
        known = dict(zip(asked, state.get_many(list(asked)), strict=True))
        effects = Effects()
        changed, fresh, outputs, topic = effects.state, effects.fresh, effects.outputs, self._output
        for subject, place, seen, amount in rows:
            if known[seen] is not None:
                continue
            known[seen] = changed[seen] = _SEEN
            fresh.add(seen)
            count, _, total = (known[place] or b"0,0").partition(b",")
            value = b"%d,%d" % (int(count) + 1, int(total) + amount)
            known[place] = changed[place] = value
            outputs.append(Output(topic, subject, value, partition))
        return effects

    def forget(self, topic: str, partition: int) -> None:
        """Nothing is remembered."""


def main() -> int:
    """Work until SIGTERM."""
    told = json.loads(sys.argv[1])
    service = Service("bench", ("127.0.0.1", 0))

    def life(stopping: Callable[[], bool]) -> None:
        metrics = Metrics("bench")
        loop = LoopSettings(
            brokers=told["brokers"],
            app=told["group"],
            slot=told["slot"],
            topics=(told["source"],),
            changelog=told["changelog"],
            batch=BatchPolicy(max_messages=10_000, every_seconds=told["commit_ms"] / 1000),
        )
        restorer = Restorer(
            brokers=told["brokers"],
            changelog=told["changelog"],
            source=told["source"],
            open_store=RocksStores(Path(told["folder"]) / str(told["slot"])),
            metrics=metrics,
        )
        session = Session(loop, Payments(told["output"]), metrics, restorer)
        try:
            run(session, stopping=stopping, between=BetweenBatches())
        finally:
            session.close()

    return service.main(life)


if __name__ == "__main__":
    sys.exit(main())
