"""The lab: the whole stack on one computer, from pip packages alone.

Starts Apache Kafka, the schema registry, ClickHouse's embedded front and every service, each a supervised process.
Keeps all under one data folder: logs/, kafka/, clickhouse/, services/, state.json; downloads under the cache folder.
A killed lab starts again on its data; a second start needs no network.
To look inside: `creditbus status`, `creditbus logs SERVICE -f`, `creditbus doctor`.
Start at stack.py (what runs), then supervisor.py (how it is kept running); the decisions are in steps.py.
"""
