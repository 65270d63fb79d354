"""Sending a message to an endpoint: over HTTP, signed as Standard Webhooks says, or as a text by mail or chat."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import httpx
from standardwebhooks import Webhook

from creditbus.notifier import bulletin
from creditbus.notifier.steps import Message
from creditbus.notifier.subscriptions import Subscription

_USER_AGENT = "creditbus-notifier"
_LONGEST_ANSWER_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class Answer:
    """What an endpoint answered."""

    is_taken: bool
    told: str
    """"HTTP 204", or why there was no answer; nothing of what the endpoint wrote."""
    retry_after: str = ""


class Endpoints:
    """Sends to any endpoint. Follows no redirect: a message goes where the subscription says, or nowhere."""

    def __init__(self, timeout_seconds: float) -> None:
        self._http = httpx.Client(timeout=timeout_seconds, follow_redirects=False, headers={"User-Agent": _USER_AGENT})

    def send(self, subscription: Subscription, message: Message) -> Answer:
        """One attempt. Never raises: what went wrong is the answer."""
        if bulletin.is_bulletin(subscription.url):
            is_taken = bulletin.send(subscription.url, message)
            return Answer(is_taken, "sent" if is_taken else "not taken by the mail server or chat")
        at, secrets = now(), (subscription.secret, subscription.previous_secret)
        headers = {
            "Content-Type": "application/json",
            "webhook-id": message.id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": " ".join(Webhook(one).sign(message.id, at, message.body) for one in secrets if one),
        }
        try:
            with self._http.stream("POST", subscription.url, content=message.body.encode(), headers=headers) as answer:
                told = f"HTTP {answer.status_code}"
                _drain(answer)
                return Answer(answer.is_success, told, answer.headers.get("retry-after", ""))
        except (httpx.HTTPError, RuntimeError) as error:  # a client that was closed meanwhile is the second
            return Answer(False, type(error).__name__)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()


def _drain(answer: httpx.Response) -> None:
    """Read what is left of a short answer, so that the connection serves the next message too."""
    size = 0
    for part in answer.iter_raw():
        size += len(part)
        if size > _LONGEST_ANSWER_BYTES:
            return


def now() -> datetime:
    """The time, which signatures and conditions carry."""
    return datetime.now(UTC)
