"""Starts the service: ``python -m creditbus.monitor``."""

from creditbus.bus.service import start
from creditbus.monitor.app import main

start("monitor", main)
