"""Alerts by mail and chat (邮件、企业微信、钉钉、飞书): a text for people, who need no program of their own.

Neither can say that a lift was taken, so orders go to webhooks alone. apprise speaks to the services; it is loaded for
the first address of that kind (25 MiB).
"""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import urlsplit

import orjson

from creditbus.notifier.steps import PING, Message

SCHEMES = ("mailtos", "mailto", "wecombot", "dingtalk", "feishu", "lark")
"""Of apprise, which has an address for each: mailtos://user:password@host?to=office@example.cn&mode=ssl."""
ONLY_HERE = frozenset({"mailto"})
"""Not encrypted: only to a relay on this machine."""
_TEST = ("信用记录总线测试消息 Test of the credit record bus", "能收到预警。Alerts reach you here.")

logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)  # it logs addresses


def is_bulletin(url: str) -> bool:
    """Whether an address is one of mail or chat."""
    return urlsplit(url).scheme in SCHEMES


def problem_of(url: str) -> str:
    """Why an address of mail or chat cannot be used; "" when it can."""
    return "" if _service(url) is not None else f"this is no address of {urlsplit(url).scheme} that apprise knows"


def shown(url: str) -> str:
    """The address without what is secret in it."""
    service = _service(url)
    return str(service.url(privacy=True)) if service is not None else f"{urlsplit(url).scheme}://…"


def text_of(message: Message) -> tuple[str, str]:
    """Title and text of an alert."""
    if message.type == PING:
        return _TEST
    told = orjson.loads(message.body)["data"]
    lines = [told["text_zh"], told["text_en"], "", f"{told['kind']} · {told['at']} · {told['region']}"]
    if told["fictitious"]:
        lines.append("事实为虚构 fictitious")
    return told["text_zh"], "\n".join([*lines, f"alert {told['alert_id']}"])


def send(url: str, message: Message) -> bool:
    """One attempt; whether the mail server or the chat took it."""
    service = _service(url)
    title, body = text_of(message)
    return service is not None and bool(service.notify(body=body, title=title, body_format="text"))


def _service(url: str) -> Any:
    """Whoever speaks to the service of an address; None where there is none."""
    from apprise import Apprise

    return Apprise.instantiate(url, suppress_exceptions=True)
