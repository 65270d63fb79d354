"""Starts the service: ``python -m creditbus.dossier``."""

from creditbus.bus.service import start
from creditbus.dossier.app import main

start("dossier", main)
