"""Starts the service: ``python -m creditbus.merge``."""

import sys

from creditbus.merge.app import main

sys.exit(main())
