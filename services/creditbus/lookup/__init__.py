"""Look-up: answers about subjects, listings, alerts and events from the warehouse.

Reads ClickHouse and credit.alerts; writes credit.access.
Guarantee: every non-public answer states a purpose, is cut to it, and is audited before it leaves; no answer is given
that cannot be audited. Killed at any point: nothing is lost, it keeps no state.
Start at app.py; who may see what is in access.py, what an answer says in steps.py.
"""
