"""Dossier: applies records and ticks to each subject's dossier and emits what changed.

Reads credit.records; writes credit.dossiers, credit.listings, credit.measures.*, credit.alerts, credit.changes,
credit.quality and its state to credit.changelog.dossier.
Guarantee: outputs, changelog and offset in one Kafka transaction; the local store is written after the commit.
Killed at any point: the store is brought up to the changelog, and the batch is read again.
Start at app.py; the decisions are in core/dossier.py, what a batch of them writes in steps.py.
"""
