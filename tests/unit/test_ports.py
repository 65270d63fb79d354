"""Ports for the servers of tests."""

from __future__ import annotations

from ports import free_ports


def test_no_port_is_given_twice() -> None:
    given = [port for _ in range(150) for port in free_ports(2)]
    assert len(set(given)) == 300
