"""Starts the service: ``python -m creditbus.merge``."""

from creditbus.bus.service import start
from creditbus.merge.app import main

start("merge", main)
