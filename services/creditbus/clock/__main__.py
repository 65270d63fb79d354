"""Starts the service: ``python -m creditbus.clock``."""

import sys

from creditbus.clock.app import main

sys.exit(main())
