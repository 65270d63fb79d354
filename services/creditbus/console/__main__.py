"""Starts the service: ``python -m creditbus.console``."""

import sys

from creditbus.console.app import main

sys.exit(main())
