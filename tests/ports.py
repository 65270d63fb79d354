"""Ports for servers of tests: below those that the kernel gives to outgoing connections.

A server that is killed and started again needs its port back. Of the kernel's own range any client may have got it in
the meantime, even one that connects to that very port; nobody gets one below by chance.
"""

from __future__ import annotations

import random
import socket
from contextlib import ExitStack, suppress
from pathlib import Path

LOWEST = 20_000
EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")
"""Where Linux tells the first and the last port of its own range."""
_CHANCE = random.SystemRandom()
_given: set[int] = set()
"""No port is given twice: what was given is not used at once, and two parts of a lab cannot have the same."""


def _end() -> int:
    """The first port that is not for servers."""
    with suppress(OSError, ValueError, IndexError):
        first = int(EPHEMERAL.read_text().split()[0])
        if first > LOWEST + 1_000:
            return first
    return 32_768


def free_ports(number: int) -> list[int]:
    """Different ports of the loopback interface that are free; all are held until all are known."""
    ports: list[int] = []
    with ExitStack() as held:
        while len(ports) < number:
            port = _CHANCE.randrange(LOWEST, _end())
            if port in _given:
                continue
            with suppress(OSError):
                held.enter_context(socket.create_server(("127.0.0.1", port)))
                ports.append(port)
                _given.add(port)
    return ports
