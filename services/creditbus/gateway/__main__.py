"""`python -m creditbus.gateway`."""

from creditbus.gateway.app import main

raise SystemExit(main())
