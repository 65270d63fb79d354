"""Ports that are taken: found before the start, with who holds them and what to change."""

from __future__ import annotations

import errno
import socket
from collections.abc import Mapping
from contextlib import closing

import psutil

from creditbus.lab.errors import PortInUseError
from creditbus.lab.settings import PREFIX

HOST = "127.0.0.1"


def is_taken(port: int) -> bool:
    """Whether a server cannot listen on a port of the loopback interface."""
    with closing(socket.socket()) as probe:
        # as servers do: ports that are only waiting out an old connection are free
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return True
            raise
    return False


def holder_of(port: int) -> str | None:
    """The program that listens on a port, when this user may know."""
    try:
        connections = psutil.net_connections("tcp")
    except (psutil.AccessDenied, OSError):
        return None
    for connection in connections:
        if connection.laddr and connection.laddr.port == port and connection.status == psutil.CONN_LISTEN:
            return _describe(connection.pid)
    return None


def _describe(pid: int | None) -> str | None:
    if pid is None:
        return None
    try:
        return f"{psutil.Process(pid).name()} (pid {pid})"
    except psutil.Error:
        return f"pid {pid}"


def refuse_taken_ports(ports: Mapping[str, int]) -> None:
    """ports: name of a process → its port. Raises PortInUseError that names every one that is taken."""
    taken = [(name, port, holder_of(port)) for name, port in ports.items() if is_taken(port)]
    if not taken:
        return
    en = [f"  {port} for {name}, held by {holder or 'another program'}" for name, port, holder in taken]
    zh = [f"  {port}（{name}），占用者：{holder or '其他程序'}" for name, port, holder in taken]
    variables = ", ".join(f"{PREFIX}{name.upper()}_PORT" for name, _, _ in taken)
    raise PortInUseError(
        en="Ports are in use:\n" + "\n".join(en) + f"\nStop the other program, or choose other ports: {variables}",
        zh="端口已被占用：\n" + "\n".join(zh) + f"\n请停止占用的程序，或另设端口：{variables}",
    )
