"""A server shows a certificate that was written anew, without a restart, as soon as the new one is whole."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from secured_kafka import make_certificate
from waiting import wait_until

pytestmark = pytest.mark.integration
SERVER = """
from fastapi import FastAPI
from creditbus.bus.serving import Server
from creditbus.bus.settings import ServiceSettings
app = FastAPI()
app.get("/")(lambda: "here")
Server(app, ServiceSettings(), 1).serve_to_the_end()
"""


@pytest.fixture
def port(tmp_path: Path, free_port: Callable[[], int]) -> Iterator[int]:
    """Of a server whose certificate lies in the folder."""
    number = free_port()
    make_certificate(tmp_path)
    environment = {
        **os.environ,
        "CREDITBUS_HTTP_PORT": str(number),
        "CREDITBUS_HTTP_CERTIFICATE_FILE": str(tmp_path / "ca.pem"),
        "CREDITBUS_HTTP_KEY_FILE": str(tmp_path / "key.pem"),
    }
    with subprocess.Popen([sys.executable, "-c", SERVER], env=environment) as server:
        try:
            wait_until("the server", lambda: answers(number, tmp_path))
            yield number
        finally:
            server.terminate()
            server.wait(20)


def answers(port: int, folder: Path) -> bool:
    """Whether it answers whoever trusts the certificate of the folder."""
    context = ssl.create_default_context(cafile=str(folder / "ca.pem"))
    try:
        return httpx.get(f"https://127.0.0.1:{port}/", verify=context, timeout=5).text == '"here"'
    except httpx.TransportError:
        return False


def shown(port: int) -> bytes:
    """The certificate that a new connection is shown."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with (
        socket.create_connection(("127.0.0.1", port), 5) as plain,
        context.wrap_socket(plain) as secured,
    ):
        return secured.getpeercert(binary_form=True) or b""


def test_a_renewed_certificate_is_shown_without_a_restart(port: int, tmp_path: Path) -> None:
    first = shown(port)
    other = tmp_path / "other"
    other.mkdir()
    make_certificate(other)
    (tmp_path / "ca.pem").write_bytes((other / "ca.pem").read_bytes())
    with pytest.raises(AssertionError, match="waited"):  # half of it is of no use
        wait_until("another certificate", lambda: shown(port) != first, seconds=5)
    (tmp_path / "key.pem").write_bytes((other / "key.pem").read_bytes())
    wait_until("the new certificate", lambda: shown(port) != first)
    assert answers(port, other)
