"""The job on faust-streaming with its "exactly_once" and RocksDB. Run as a script: with_faust.py SETTINGS (JSON)."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import faust
from fastavro import parse_schema, schemaless_reader

from bench.rivals.job import PARTITIONS


def build(told: dict[str, Any]) -> faust.App:
    """The app with its two tables and its agent."""
    parsed = parse_schema(told["schema"])
    folder = Path(told["folder"]) / str(told["slot"])
    folder.mkdir(parents=True, exist_ok=True)
    app = faust.App(
        told["group"],
        broker=[f"aiokafka://{told['brokers']}"],
        store="rocksdb://?driver=rocksdict",
        datadir=str(folder),
        key_serializer="raw",
        value_serializer="raw",
        topic_partitions=PARTITIONS,
        topic_replication_factor=1,
        topic_disable_leader=True,
        web_enabled=False,
        processing_guarantee="exactly_once",
        broker_commit_interval=told["commit_ms"] / 1000,
        broker_session_timeout=6.0,
        broker_heartbeat_interval=2.0,
        consumer_auto_offset_reset="earliest",
        stream_wait_empty=False,
    )
    source = app.topic(told["source"], key_type=bytes, value_type=bytes, value_serializer="raw")
    output = app.topic(told["output"], key_type=bytes, value_type=bytes, value_serializer="raw")
    seen = app.Table("seen", partitions=PARTITIONS, key_type=bytes, value_type=bytes)
    totals = app.Table("totals", partitions=PARTITIONS, key_type=bytes, value_type=bytes)

    async def pay(stream: Any) -> None:
        async for subject, payload in stream.items():
            row: Any = schemaless_reader(io.BytesIO(payload), parsed, parsed)
            mark = subject + row["event_id"].encode()
            if seen.get(mark) is not None:
                continue
            seen[mark] = b"1"
            count, _, total = (totals.get(subject) or b"0,0").partition(b",")
            value = b"%d,%d" % (int(count) + 1, int(total) + row["amount"])
            totals[subject] = value
            await output.send(key=subject, value=value)

    app.agent(source, name="payments")(pay)
    return app


if __name__ == "__main__":
    faust.Worker(build(json.loads(sys.argv[1])), loglevel="WARNING").execute_from_commandline()
