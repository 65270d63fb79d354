"""Console: the web pages: the live flow with its alerts, and a subject's page with reasons, listings and measures.

Reads the look-up API with a key of its own; keeps nothing.
Guarantee: no key and no secret reaches the browser; every look-up states the purpose that the user chose and is
audited by the look-up API; whatever people wrote is shown as text, never as markup.
Whoever reaches its port looks with the console's rights: it listens on loopback only.
Start at app.py; what it decides is in steps.py, the pages are in pages/ and static/.
"""
