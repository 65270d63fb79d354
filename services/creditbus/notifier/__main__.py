"""Starts the service: ``python -m creditbus.notifier``."""

import sys

from creditbus.notifier.app import main

sys.exit(main())
