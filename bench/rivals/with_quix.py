"""The job on Quix Streams, exactly once. Run as a script in an environment of its own: with_quix.py SETTINGS (JSON)."""

from __future__ import annotations

import io
import json
import sys
from typing import Any

from fastavro import parse_schema, schemaless_reader
from quixstreams import Application, State


def main() -> None:
    """Work until SIGTERM."""
    told = json.loads(sys.argv[1])
    parsed = parse_schema(told["schema"])
    app = Application(
        told["brokers"],
        consumer_group=told["group"],
        auto_offset_reset="earliest",
        commit_interval=told["commit_ms"] / 1000,
        state_dir=f"{told['folder']}/{told['slot']}",
        processing_guarantee="exactly-once",
        # by default the id is random: the transaction of a killed process would block its readers for a minute
        producer_extra_config={"transactional.id": f"{told['group']}-{told['slot']}", "transaction.timeout.ms": 10_000},
        consumer_extra_config={"session.timeout.ms": 6_000, "heartbeat.interval.ms": 2_000},
        consumer_poll_timeout=0.1,
        loglevel="WARNING",
    )

    def applied(payload: bytes, state: State) -> bytes | None:
        """The subject's new count and sum; None for a double."""
        row: Any = schemaless_reader(io.BytesIO(payload), parsed, parsed)
        if state.exists(row["event_id"]):
            return None
        state.set(row["event_id"], 1)
        count, total = state.get("total", (0, 0))
        state.set("total", (count + 1, total + row["amount"]))
        return b"%d,%d" % (count + 1, total + row["amount"])

    source = app.topic(told["source"], key_deserializer="bytes", value_deserializer="bytes")
    output = app.topic(told["output"], key_serializer="bytes", value_serializer="bytes")
    changes = app.dataframe(source).apply(applied, stateful=True)
    changes.filter(lambda value: value is not None).to_topic(output)
    app.run()


if __name__ == "__main__":
    main()
