"""Benchmarks: what is measured, on which machine; run with ``make bench``."""
