"""An HTTPS front before a server of ours, as a proxy would be one: it lets through who shows a certificate and names a
user and its password.
"""

from __future__ import annotations

import base64
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx

from secured_kafka import make_certificate

USER = "creditbus"
_HOP = {"host", "connection", "transfer-encoding", "content-length", "authorization", "accept-encoding"}


class Guard:
    """Who is let through, and how."""

    def __init__(self, folder: Path, url: str) -> None:
        self.password_file = folder / "password"
        self.ca_file = folder / "ca.pem"
        self.key_file = folder / "key.pem"
        self.url = url
        self.passwords: set[str] = set()
        """What the server takes."""
        self.let_in = 0
        """Requests that were passed on."""
        folder.mkdir(exist_ok=True)
        make_certificate(folder)
        self.change("first")

    def change(self, password: str) -> None:
        """Another password, at the server and in the file."""
        self.passwords = {password}
        self.password_file.write_text(f"{password}\n")

    def environment(self, prefix: str) -> dict[str, str]:
        """Settings of a client that is let through."""
        values = {
            "USERNAME": USER,
            "PASSWORD_FILE": str(self.password_file),
            "CA_FILE": str(self.ca_file),
            "CERTIFICATE_FILE": str(self.ca_file),
            "KEY_FILE": str(self.key_file),
        }
        return {f"{prefix}{name}": value for name, value in values.items()}

    def takes(self, header: str) -> bool:
        """Whether it lets through who says so."""
        known = [base64.b64encode(f"{USER}:{one}".encode()).decode() for one in self.passwords]
        return header.removeprefix("Basic ") in known


@contextmanager
def guarded(behind: str, folder: Path) -> Iterator[Guard]:
    """A guard before the server of that URL."""
    at = httpx.URL(behind)
    with httpx.Client(base_url=f"{at.scheme}://{at.netloc.decode()}", timeout=60) as upstream:
        server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
        guard = Guard(folder, f"https://127.0.0.1:{server.server_address[1]}{at.path.rstrip('/')}")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(guard.ca_file, guard.key_file)
        context.load_verify_locations(guard.ca_file)
        context.verify_mode = ssl.CERT_REQUIRED
        server.RequestHandlerClass = _handler(guard, upstream)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield guard
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


def _handler(guard: Guard, upstream: httpx.Client) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if not guard.takes(self.headers.get("Authorization", "")):
                self._answer(401, b"who are you?", {})
                return
            headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP}
            guard.let_in += 1
            answer = upstream.request(self.command, self.path, content=body, headers=headers)
            self._answer(answer.status_code, answer.content, dict(answer.headers))

        do_GET = do_POST = do_PUT = _pass_on  # noqa: N815 - named by the standard library

        def _answer(self, status: int, content: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in headers.items():
                if name.lower() not in {*_HOP, "content-encoding"}:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    return Handler
