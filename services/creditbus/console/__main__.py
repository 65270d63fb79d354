"""Starts the service: ``python -m creditbus.console``."""

from creditbus.bus.service import start
from creditbus.console.app import main

start("console", main)
