"""The simulator: events of departments in realistic proportions, reproducible by seed. Everything is fictitious.

Subjects have synthetic codes only. Start at story.py; how events are sent is in sending.py.
"""
