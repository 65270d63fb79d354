"""Clock: time as data. Writes a tick into every partition of credit.records each minute.

Reads the last tick of each partition; writes ClockTick to credit.records.
Guarantee: monotone; an older tick is ignored by readers, so several clocks do no harm. A tick advances at most ten
minutes: after a pause the clock catches up by a chain of ticks, or waits for a jump that two officers approve.
Killed at any point: the next one goes on from the last tick in the log.
Start at app.py; the decisions are in steps.py.
"""
