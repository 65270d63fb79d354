"""The front: ClickHouse's HTTP protocol before an embedded chDB engine, for machines without a ClickHouse server.

An insert is acknowledged only after the engine stored it (tables are made with fsync_after_insert); killed at any
point, an insert is there whole or not at all. One process owns the data folder; its lock goes with the process.
Start at server.py; what a request means is in protocol.py, the engine in engine.py.
"""
