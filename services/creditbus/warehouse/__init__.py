"""Warehouse: writes the topics into ClickHouse for look-ups.

Reads credit.records, .rejections, .dossiers, .changes, .listings, .measures.*, .alerts, .access and their person twins;
writes one table a record type.
Guarantee: exactly once as seen by readers; the position is stored with the rows, and the resume point is taken from
the rows alone.
Killed at any point: the batch is read again and changes nothing.
Start at app.py; the decisions are in steps.py, what goes where in tables.py.
"""
