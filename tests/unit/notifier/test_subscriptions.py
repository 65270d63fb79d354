"""The file of webhooks: what is in it comes back, and what is wrong with it is told."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from creditbus.core.errors import SettingsError
from creditbus.notifier.subscriptions import FILE, Subscription, new_secret, read_subscriptions, write_subscriptions

ROW: dict[str, Any] = {
    "department": "150100-zwfw", "url": "https://example.invalid/hook", "secret": new_secret(), "families": ["M01"],
}  # fmt: skip


def test_what_is_written_is_read_and_nobody_else_can_read_it(tmp_path: Path) -> None:
    assert read_subscriptions(tmp_path) == {}
    rows = {"licensing": Subscription.model_validate(ROW)}
    write_subscriptions(tmp_path, rows)
    assert read_subscriptions(tmp_path) == rows
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600
    write_subscriptions(tmp_path, {})
    assert read_subscriptions(tmp_path) == {}


def test_a_secret_stands_in_no_text() -> None:
    assert ROW["secret"] not in repr(Subscription.model_validate(ROW))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"url": "http://example.invalid/"}, "https://"),
        ({"url": "ftp://127.0.0.1/"}, "https://"),
        ({"url": "https://"}, "https://"),
        (
            {"url": "mailto://mail.example.cn/?to=office@example.cn", "families": [], "alerts": ["QUARANTINED"]},
            "mailtos",
        ),
        ({"url": "mailtos://u:p@mail.example.cn?to=office@example.cn"}, "orders go to https"),
        ({"url": "wecombot://", "families": [], "alerts": ["QUARANTINED"]}, "no address of wecombot"),
        ({"families": []}, "choose families"),
        ({"alerts": ["EVERYTHING"]}, "CLEARED_SUBJECT"),
        ({"secret": "plain"}, "whsec_"),
        ({"unknown": 1}, "unknown"),
    ],
)
def test_a_webhook_that_cannot_be_is_told_of(change: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        Subscription.model_validate({**ROW, **change})


@pytest.mark.parametrize(
    "url",
    [
        "mailtos://bus:very-secret@mail.example.cn?to=office@example.cn&mode=ssl",
        "mailto://127.0.0.1:2525/?from=bus@example.cn&to=office@example.cn",
        "dingtalk://very0secret0very0secret",
        "feishu://very0secret0very0secret",
    ],
)
def test_alerts_may_go_by_mail_and_chat_and_the_address_is_shown_without_its_secret(url: str) -> None:
    made = Subscription.model_validate({**ROW, "url": url, "families": [], "alerts": ["QUARANTINED"]})
    assert made.shown_url.startswith(url.partition(":")[0])
    assert "secret" not in made.shown_url + repr(made)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000/a", "http://localhost/a", "http://[::1]/a", "https://a.cn/"])
def test_this_machine_may_be_asked_without_tls(url: str) -> None:
    assert Subscription.model_validate({**ROW, "url": url}).url == url


@pytest.mark.parametrize("text", ["{", "[]", json.dumps({"a": {**ROW, "url": "http://x.invalid"}})])
def test_a_file_that_is_wrong_is_named_without_what_it_holds(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text)
    with pytest.raises(SettingsError, match=FILE) as caught:
        read_subscriptions(tmp_path)
    assert ROW["secret"] not in str(caught.value)
