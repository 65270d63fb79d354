"""Starts the service: ``python -m creditbus.gateway``."""

from creditbus.bus.service import start
from creditbus.gateway.app import main

start("gateway", main)
