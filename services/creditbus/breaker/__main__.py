"""Starts the service: ``python -m creditbus.breaker``."""

import sys

from creditbus.breaker.app import main

sys.exit(main())
