"""Who gets what, where: the file of webhooks, among the secrets since it holds the keys that sign."""

from __future__ import annotations

import base64
import ipaddress
import json
import secrets
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator, model_validator

from creditbus.bus.private import write_private
from creditbus.core.alerts import ALERT_KINDS
from creditbus.core.errors import SettingsError

FILE = "webhooks.json"


class Subscription(BaseModel):
    """One webhook: the messages of some families, or alerts, or both, for one department."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    department: str = Field(min_length=1)
    url: str
    secret: str = Field(pattern="^whsec_", repr=False)
    previous_secret: str = Field("", pattern="^(whsec_.*)?$", repr=False)
    """The secret before this one: while the receiver changes over, messages are signed with both."""
    families: tuple[str, ...] = ()
    persons: bool = False
    """Also the orders against natural persons and sole traders."""
    alerts: tuple[str, ...] = ()
    """Kinds of alerts about organisations."""
    region: str = ""
    """Alerts of this region alone; "" is everywhere."""
    passed_over: Mapping[str, str] = Field(default_factory=dict)
    """Ids of messages that are not sent, each with the reason."""

    @field_validator("url")
    @classmethod
    def _is_safe(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme == "https" and parts.hostname or parts.scheme == "http" and _is_loopback(parts.hostname or ""):
            return url
        raise ValueError("use an address that begins with https:// (http:// only on this machine)")

    @model_validator(mode="after")
    def _has_something(self) -> Subscription:
        if not self.families and not self.alerts:
            raise ValueError("choose families, alerts or both")
        if unknown := sorted(set(self.alerts) - ALERT_KINDS):
            raise ValueError(f"alerts: {', '.join(unknown)} is none of {', '.join(sorted(ALERT_KINDS))}")
        return self


_Named = TypeAdapter(dict[str, Subscription])


def read_subscriptions(folder: Path) -> dict[str, Subscription]:
    """Every webhook by name; none where there is no file. Raises SettingsError that names file, place and problem."""
    path = folder / FILE
    try:
        return _Named.validate_json(path.read_bytes())
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise SettingsError(f"CREDITBUS_SECRETS: {path} cannot be read ({error.strerror})") from error
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise SettingsError(f"CREDITBUS_SECRETS: {path}: {where or 'file'}: {first['msg']}") from error


def write_subscriptions(folder: Path, rows: Mapping[str, Subscription]) -> None:
    """Write the file, whole or not at all, for this user alone."""
    named = {name: row.model_dump(mode="json") for name, row in sorted(rows.items())}
    write_private(folder / FILE, json.dumps(named, indent=1, ensure_ascii=False) + "\n")


def new_secret() -> str:
    """A secret of the form that Standard Webhooks asks for: 32 bytes."""
    return f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}"


def group_of(name: str) -> str:
    """Group under which the position of a webhook is kept."""
    return f"creditbus-webhook-{name}"


def actor_of(name: str) -> str:
    """Who a webhook is on the ledger."""
    return f"webhook:{name}"


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
