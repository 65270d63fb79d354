"""Starts the service: ``python -m creditbus.lookup``."""

from creditbus.bus.service import start
from creditbus.lookup.app import main

start("lookup", main)
