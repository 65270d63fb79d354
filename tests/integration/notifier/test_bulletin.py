"""Alerts by mail, on a real mail server: what comes, and what is said when it does not take it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from creditbus.notifier.endpoint import Endpoints
from creditbus.notifier.steps import message_of, ping_of
from creditbus.notifier.subscriptions import Subscription, new_secret
from mailserver import Mailbox, mailbox
from ports import free_ports

pytestmark = pytest.mark.integration
ALERT = {
    "alert_id": "a" * 32, "kind": "CLEARED_SUBJECT", "subject_key": "MA0N12340", "subject_kind": "LEGAL_PERSON",
    "subject_name": "青城示例建材有限公司", "identifier": "91150102MA0N123408", "region": "150100", "lists": ["L01"],
    "record_id": "r", "cause_id": "c", "at": "2026-11-24T04:00:00Z", "fictitious": True,
    "text_zh": "青城示例建材有限公司已不在任何严重失信主体名单上", "text_en": "the firm is on no list any more",
}  # fmt: skip
PING = ping_of("1", "2026-11-24T04:00:00Z")


@pytest.fixture
def office() -> Iterator[Mailbox]:
    with mailbox() as made:
        yield made


def to(url: str) -> Subscription:
    row = {"department": "150100-zwfw", "url": url, "secret": new_secret(), "alerts": ["CLEARED_SUBJECT"]}
    return Subscription.model_validate(row)


def test_an_alert_is_a_mail_in_both_languages(office: Mailbox) -> None:
    subscription = to(office.url)
    message = message_of("Alert", ALERT, subscription, frozenset(), frozenset())
    assert message is not None
    with closing(Endpoints(5)) as endpoints:
        assert endpoints.send(subscription, message).is_taken
        assert endpoints.send(subscription, PING).is_taken
    alert, test = office.came
    assert (alert["Subject"], "Test" in str(test["Subject"])) == (ALERT["text_zh"], True)
    assert "office@example.cn" in str(alert["To"])
    text = office.text(str(ALERT["text_zh"]))
    for part in ("text_zh", "text_en", "kind", "alert_id", "region"):
        assert str(ALERT[part]) in text
    assert "fictitious" in text


def test_a_full_mailbox_or_no_mail_server_is_told_and_raises_nothing(office: Mailbox) -> None:
    office.is_full = True
    [nobody] = free_ports(1)
    with closing(Endpoints(5)) as endpoints:
        for url in (office.url, f"mailto://127.0.0.1:{nobody}/?from=a@example.cn&to=b@example.cn"):
            answer = endpoints.send(to(url), PING)
            assert (answer.is_taken, answer.told) == (False, "not taken by the mail server or chat")
    assert office.came == []
