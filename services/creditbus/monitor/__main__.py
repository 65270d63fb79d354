"""Starts the service: ``python -m creditbus.monitor``."""

import sys

from creditbus.monitor.app import main

sys.exit(main())
