"""The domain: identifiers, calendar, records, rules, score, listing, measures, dossier.

Pure: values in, values out; no I/O, no clock, no logging, no randomness.
Imports nothing of this package but itself. Start at ``outcome.py``, then ``ports.py``.
"""
