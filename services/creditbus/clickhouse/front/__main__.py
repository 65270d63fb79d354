"""Starts the front: ``python -m creditbus.clickhouse.front``."""

import sys

from creditbus.clickhouse.front.server import main

sys.exit(main())
