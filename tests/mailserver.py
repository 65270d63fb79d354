"""A mail server with one mailbox, on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from ports import free_ports


@dataclass
class Mailbox:
    """What came; it may be full."""

    url: str
    """Its address as a webhook has it."""
    came: list[EmailMessage] = field(default_factory=list)
    is_full: bool = False

    async def handle_DATA(self, _s: SMTP, _t: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        if self.is_full:
            return "452 mailbox full"
        told: Any = message_from_bytes(envelope.original_content or b"", policy=policy.default)
        self.came.append(told)
        return "250 OK"

    def text(self, subject: str) -> str:
        """The text of the newest mail with these words in its subject; "" where there is none."""
        found = [one.get_body(("plain",)) for one in self.came if subject in str(one["Subject"])]
        return str(found[-1].get_content()) if found and found[-1] is not None else ""


@contextmanager
def mailbox() -> Iterator[Mailbox]:
    """A mailbox while it is needed."""
    [port] = free_ports(1)
    made = Mailbox(f"mailto://127.0.0.1:{port}/?from=bus@example.cn&to=office@example.cn")
    server = Controller(made, hostname="127.0.0.1", port=port)
    server.start()
    try:
        yield made
    finally:
        server.stop()
