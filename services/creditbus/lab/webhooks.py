"""Webhooks of a running bus: their file, where each begins, and how the notifier says that they stand."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC
from typing import Any

import httpx
from pydantic import ValidationError

from creditbus.bus.kafka import admin
from creditbus.clickhouse.client import DATABASE, ClickHouse
from creditbus.lab.errors import LabError
from creditbus.lab.stack import LabAddresses
from creditbus.notifier.app import WEBHOOKS
from creditbus.notifier.log import begin
from creditbus.notifier.subscriptions import Subscription, actor_of, group_of, read_subscriptions, write_subscriptions

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,59}")
_ANSWER_SECONDS = 5.0


class WebhookError(LabError):
    """A webhook cannot be as it was asked for."""


class Webhooks:
    """The webhooks of one bus."""

    def __init__(self, places: LabAddresses) -> None:
        self._places = places
        self._health = f"{places.notifier_url}/health/ready"

    def rows(self) -> dict[str, Subscription]:
        """Every webhook by name. Raises SettingsError for a file that cannot be read."""
        return read_subscriptions(self._places.secrets)

    def add(self, name: str, row: Mapping[str, Any], *, at_start: bool) -> None:
        """A new webhook. Raises WebhookError, or BusError while Kafka is away."""
        rows = self.rows()
        if name in rows:
            raise WebhookError(
                en=f"{name} is there already: choose another name, or remove it first",
                zh=f"{name} 已存在：请另选名称，或先删除",
            )
        if not _NAME.fullmatch(name):
            raise WebhookError(
                en=f"{name}: a name has small letters, digits and -, at most 60",
                zh="名称只能用小写字母、数字和 -，最多 60 个",
            )
        made = _made(row)
        begin(self._places.brokers, name, made, at_start=at_start)
        write_subscriptions(self._places.secrets, {**rows, name: made})

    def change(self, name: str, row: Subscription, **changes: Any) -> None:
        """The same webhook, otherwise; it goes on where it is. Raises WebhookError."""
        made = _made({**row.model_dump(), **changes})
        write_subscriptions(self._places.secrets, {**self.rows(), name: made})

    def remove(self, name: str) -> None:
        """No webhook of this name any more; its position is forgotten."""
        write_subscriptions(self._places.secrets, {one: row for one, row in self.rows().items() if one != name})
        client = admin(self._places.brokers)  # kept: its futures fail when it is collected
        for future in client.delete_consumer_groups([group_of(name)], request_timeout=_ANSWER_SECONDS).values():
            future.exception()  # one that is still read goes with its retention; a new webhook sets its own beginning

    def conditions(self) -> dict[str, dict[str, Any]] | None:
        """How each webhook stands; None while the notifier does not answer."""
        try:
            answer = httpx.get(self._health, timeout=_ANSWER_SECONDS)
            found: dict[str, dict[str, Any]] = answer.json().get(WEBHOOKS, {})
        except (httpx.HTTPError, ValueError):
            return None
        return found


def sent_to(clickhouse: ClickHouse, name: str, limit: int) -> list[dict[str, Any]]:
    """What the ledger has of the messages to a webhook, newest first. Raises BusError."""
    rows = clickhouse.query(
        f"SELECT at, endpoint AS message, basis, subject_key, result FROM {DATABASE}.access FINAL "  # noqa: S608
        "WHERE actor = {actor:String} ORDER BY at DESC, access_id LIMIT {limit:UInt32}",
        {"actor": actor_of(name), "limit": limit},
    )
    return [{**row, "at": row["at"].replace(tzinfo=row["at"].tzinfo or UTC).isoformat()} for row in rows]


def _made(row: Mapping[str, Any]) -> Subscription:
    try:
        return Subscription.model_validate(row)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        told = "".join(f"--{part}: " for part in first["loc"][:1]) + first["msg"].removeprefix("Value error, ")
        raise WebhookError(en=told, zh=f"参数有误：{told}") from error
