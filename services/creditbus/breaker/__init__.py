"""Breaker: sees when a source lists far more than usual, and holds what would follow until two officers release it.

Reads credit.listings and its person twin, and credit.breaker; writes SourceOrder into every partition of
credit.records and onto credit.breaker, and alerts.
Guarantee: an order stands in all partitions or in none (one transaction). Counts are made anew from the log at each
start, and an order that repeats another changes nothing.
Killed at any point: the next one counts again what the window still holds, and goes on.
Start at app.py; the decisions are in steps.py.
"""
