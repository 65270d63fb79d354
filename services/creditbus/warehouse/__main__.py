"""Starts the service: ``python -m creditbus.warehouse``."""

from creditbus.bus.service import start
from creditbus.warehouse.app import main

start("warehouse", main)
