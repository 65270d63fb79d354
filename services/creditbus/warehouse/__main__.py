"""Starts the service: ``python -m creditbus.warehouse``."""

import sys

from creditbus.warehouse.app import main

sys.exit(main())
