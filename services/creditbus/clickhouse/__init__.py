"""ClickHouse: client, tables, inserts, and the front that lets embedded chDB speak its HTTP protocol.

The only place that imports clickhouse-connect and chdb. One code path serves the embedded engine and a real server:
what one insert guarantees stands in rows.py. May import ``core`` and ``catalogue``. Start at client.py.
"""
