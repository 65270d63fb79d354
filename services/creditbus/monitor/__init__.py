"""Monitor: how much each department reports, how well, and how long it has been silent.

Reads credit.quality with faust-streaming; writes nothing but metrics.
Guarantee: live gauges only. The windows live in memory and messages are read at least once, so a count may be off
after a restart or a rebalance; scorecards and alerts to people are computed from the warehouse instead.
Killed at any point: the next one reads on where the last one committed; one window may lack counts, and silence counts
from the new start.
Start at app.py; the windows are in steps.py.
"""
