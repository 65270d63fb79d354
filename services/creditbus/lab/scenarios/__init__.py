"""Scenarios: stories played against a running lab, each step with what was seen and how long it took.

All facts are fictitious; everything adverse is told of synthetic firms only. Start at hohhot.py.
"""
