"""Starts the service: ``python -m creditbus.intake``."""

from creditbus.bus.service import start
from creditbus.intake.app import main

start("intake", main)
