"""Starts the service: ``python -m creditbus.notifier``."""

from creditbus.bus.service import start
from creditbus.notifier.app import main

start("notifier", main)
