"""Names of the topics that programs write to or read by name; ``deploy/topics.yaml`` says what each is for.

Topics of a domain, a measure's family or a region are named by ``bus/topics.py``.
"""

from __future__ import annotations

EVENTS_START = "credit.events."
"""How the topics of the departments' events begin; the domain follows."""
REJECTIONS = "credit.rejections"
RECORDS = "credit.records"
LOCAL_RECORDS = "credit.records.local"
"""Where a region's intake writes: its records alone, to be mirrored to the hub."""
IDENTITIES = "credit.identities"
CHANGES = "credit.changes"
DOSSIERS = "credit.dossiers"
LISTINGS = "credit.listings"
ALERTS = "credit.alerts"
QUALITY = "credit.quality"
QUARANTINE = "credit.quarantine"
FORGOTTEN = "credit.forgotten"
ACCESS = "credit.access"
BREAKER = "credit.breaker"
APPROVALS = "credit.approvals"
EDITIONS = "credit.editions"
DEAD_LETTERS = "credit.deadletters"
CHECKPOINTS = "credit.checkpoints"
DOSSIER_CHANGELOG = "credit.changelog.dossier"
PERSON_SUFFIX = ".person"
"""How the twin with restricted rights, for natural persons and sole traders, ends."""
