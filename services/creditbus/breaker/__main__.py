"""Starts the service: ``python -m creditbus.breaker``."""

from creditbus.breaker.app import main
from creditbus.bus.service import start

start("breaker", main)
