"""Starts the service: ``python -m creditbus.lookup``."""

import sys

from creditbus.lookup.app import main

sys.exit(main())
