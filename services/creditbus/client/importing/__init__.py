"""Files of departments (CSV or XLSX) as events: permits, penalties, the court's feed, lists, ratings, honours, answers.

Start at rows.py: any row ends as an event or as faults. columns.py finds out what the columns are, files.py reads
bytes in any usual encoding, delivery.py sends and writes down what was refused.
"""
