"""Merge: brings the records of one region to the hub (条块结合、全区交换; design.md 7 and 11.19).

Reads <region>.credit.records.local, which MirrorMaker 2 copies from the region's own cluster; writes credit.records,
and into credit.identities what registrations of the region tell of former numbers.
Only records of the contract are taken over: a region's ticks or control records would be orders about the hub's log.
Guarantee: each record of the region stands on credit.records once, in the region's order and on the partition that it
had there, however often the mirror or this process is killed.
Killed at any point: the transaction is aborted, and the next process reads the same messages again.
Start at app.py; the decisions are in processor.py and steps.py.
"""
