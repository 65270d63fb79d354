"""Starts the service: ``python -m creditbus.dossier``."""

import sys

from creditbus.dossier.app import main

sys.exit(main())
