"""The law as data: each row with basis, dates and source mark; loaded, cross-checked, hashed, compiled to rules.

May import ``core`` only. A rule is added by a row in ``data/``, never in code. Start at loader.py; what the decisions
get is in editions.py; what a row may hold is in models.py.
"""
