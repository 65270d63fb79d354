"""The credit record bus: event streaming for public credit records.

The path of one record: ``gateway`` takes a department's event and puts it on ``credit.events.<domain>``;
``intake`` turns it into a canonical record on ``credit.records`` or into a rejection with every reason;
``dossier`` applies records, the ``clock``'s ticks and the ``breaker``'s holds to the subject's dossier and emits what
changed (dossiers, listings, measures, alerts); ``warehouse`` writes the topics into ClickHouse; ``lookup`` answers
from there, ``console`` shows it, ``monitor`` keeps live gauges per department.
Imports point one way: core <- security <- catalogue <- bus, clickhouse <- services <- lab <- commands <- cli.
Start at ``cli.py``.
"""
