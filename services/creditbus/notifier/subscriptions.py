"""Who gets what, where: the file of webhooks, among the secrets since it holds keys and addresses that are secret."""

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
from creditbus.notifier.bulletin import ONLY_HERE, SCHEMES, is_bulletin, problem_of, shown

FILE = "webhooks.json"


class Subscription(BaseModel):
    """One webhook: the messages of some families, or alerts, or both, for one department; by mail and chat alerts."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    department: str = Field(min_length=1)
    url: str = Field(repr=False)
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

    @property
    def shown_url(self) -> str:
        """Where messages go, without what is secret in it."""
        return shown(self.url) if is_bulletin(self.url) else self.url

    @field_validator("url")
    @classmethod
    def _is_safe(cls, url: str) -> str:
        parts = urlsplit(url)
        is_here = _is_loopback(parts.hostname or "")
        if parts.scheme == "https" and parts.hostname or parts.scheme == "http" and is_here:
            return url
        if is_bulletin(url) and (is_here or parts.scheme not in ONLY_HERE):
            if problem := problem_of(url):
                raise ValueError(problem)
            return url
        others = ", ".join(f"{scheme}://" for scheme in SCHEMES if scheme not in ONLY_HERE)
        raise ValueError(
            "use an address that begins with https:// (http:// only on this machine), "
            f"or for alerts by mail and chat with {others} (mailto:// only on this machine)"
        )

    @model_validator(mode="after")
    def _has_something(self) -> Subscription:
        if not self.families and not self.alerts:
            raise ValueError("choose families, alerts or both")
        if self.families and is_bulletin(self.url):
            raise ValueError("families: orders go to https:// alone, mail and chat cannot say that a lift was taken")
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
