"""The program as a module: ``python -m creditbus``."""

from creditbus.cli import main

main()
