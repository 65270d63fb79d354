"""Starts the service: ``python -m creditbus.intake``."""

import sys

from creditbus.intake.app import main

sys.exit(main())
