"""Intake: turns what departments sent into canonical records, or into rejections with every reason.

Reads credit.events.*; writes credit.records, credit.rejections, credit.quality.
Guarantee: one Kafka transaction holds the record or rejection and the offset; nothing is lost, nothing stuck.
Killed at any point: the batch is read again and gives the same records under the same ids.
Start at app.py; the decisions are in steps.py, its list of checks in checks.py.
"""
