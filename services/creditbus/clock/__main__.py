"""Starts the service: ``python -m creditbus.clock``."""

from creditbus.bus.service import start
from creditbus.clock.app import main

start("clock", main)
