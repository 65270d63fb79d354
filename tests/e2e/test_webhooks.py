"""Orders, lifts and alerts reach an endpoint, signed, in order and complete, however often either side fails."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
from confluent_kafka import Consumer, TopicPartition
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from creditbus.bus.kafka import consumer_config
from creditbus.bus.reading import bounds_of
from creditbus.notifier.subscriptions import group_of
from mailserver import mailbox
from running_lab import RunningLab
from waiting import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.integration, pytest.mark.timeout(600)]
OFFICE = "150100-zwfw"


@dataclass
class Receiver:
    """An endpoint of a subscriber: keeps what came, and answers as it is told."""

    url: str
    came: list[tuple[str, dict[str, Any], bytes, dict[str, str]]] = field(default_factory=list)
    """Id, document, body and headers of each message that it took."""
    status: int = 204
    refused: int = 0

    def of(self, subject: str) -> list[str]:
        """What was told of a subject, in order; what came twice under one id counts once."""
        told = {name: document for name, document, _, _ in reversed(self.came)}
        once = {name: told[name] for name, *_ in self.came}
        return [one["type"] for one in once.values() if one["data"].get("subject_key") == subject]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if made.status < 300:
                headers = {name.lower(): value for name, value in self.headers.items()}
                made.came.append((headers["webhook-id"], json.loads(body), body, headers))
            else:
                made.refused += 1
            self.send_response(made.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made = Receiver(f"http://127.0.0.1:{server.server_address[1]}/hook")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield made
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def webhook(running_lab: RunningLab, receiver: Receiver, unique_webhook: str) -> Iterator[str]:
    """Secret of a webhook for the orders of M01 and for alerts."""
    told = running_lab.creditbus(
        "webhooks", "add", unique_webhook, "--department", OFFICE, "--url", receiver.url, "--families", "M01",
        "--alerts", "DISHONEST_SUBJECT,CLEARED_SUBJECT", "--region", "150100",
    )  # fmt: skip
    yield next(word for word in told.split() if word.startswith("whsec_"))
    running_lab.creditbus("webhooks", "remove", unique_webhook, expect=None)


@pytest.fixture
def unique_webhook(request: pytest.FixtureRequest) -> str:
    return str(request.node.name).replace("_", "-").lower()[:50].rstrip("-")


def standing(lab: RunningLab, name: str) -> dict[str, Any]:
    return next(dict(one) for one in lab.told("webhooks", "list") if one["name"] == name)


def test_a_listing_and_its_end_arrive_signed_and_the_firm_can_read_who_was_told(
    running_lab: RunningLab, receiver: Receiver, webhook: str, unique_webhook: str
) -> None:
    assert "HTTP 204" in running_lab.creditbus("webhooks", "ping", unique_webhook)
    firm = running_lab.cleared_firm()
    wait_until("the lift", lambda: "measure.lift" in receiver.of(firm))
    wait_until("the all-clear", lambda: "alert.cleared_subject" in receiver.of(firm))
    told = receiver.of(firm)
    orders = [one for one in told if one.startswith("measure.")]
    assert orders == ["measure.order"] * (len(orders) // 2) + ["measure.lift"] * (len(orders) // 2)
    assert [one for one in told if one.startswith("alert.")] == ["alert.dishonest_subject", "alert.cleared_subject"]
    assert {one["data"]["family"] for _, one, _, _ in receiver.came if one["type"].startswith("measure.")} == {"M01"}
    for _, document, body, headers in receiver.came:
        assert Webhook(webhook).verify(body, headers) == document
    assert standing(running_lab, unique_webhook)["sent"] >= len(told)
    assert webhook not in running_lab.creditbus("webhooks", "list", "--json"), "the secret was shown once"
    assert webhook not in (running_lab.folder / "logs" / "notifier.log").read_text(encoding="utf-8")

    key = json.loads((running_lab.folder / "secrets" / "lab-keys.json").read_text())["150100-scjg"]
    headers = {"Authorization": f"Bearer {key}", "X-Purpose": "casework", "X-Basis": "test"}
    url = f"http://127.0.0.1:{running_lab.port('lookup')}/v1/subjects/{firm}/accesses?limit=500"

    def sent() -> list[dict[str, Any]]:
        items = httpx.get(url, headers=headers, timeout=30).json()["accesses"]["items"]
        return [one for one in items if one["actor"] == f"webhook:{unique_webhook}"]

    wait_until("the ledger", lambda: [one["result"] for one in sent()] == ["delivered"] * len(told))
    assert {(one["department"], one["purpose"]) for one in sent()} == {(OFFICE, "delivery")}


def test_what_an_endpoint_does_not_take_waits_in_order_and_a_crash_loses_nothing(
    running_lab: RunningLab, receiver: Receiver, webhook: str, unique_webhook: str
) -> None:
    receiver.status = 503
    first = running_lab.cleared_firm()
    wait_until("a refusal", lambda: receiver.refused > 0)
    wait_until("failing", lambda: standing(running_lab, unique_webhook)["state"] == "failing")
    assert standing(running_lab, unique_webhook)["told"] == "HTTP 503"
    running_lab.kill("notifier")
    second = running_lab.cleared_firm()
    receiver.status = 200
    for firm in (first, second):
        wait_until(f"{firm}", lambda firm=firm: "measure.lift" in receiver.of(firm))  # type: ignore[misc]
        wait_until(f"{firm}", lambda firm=firm: "alert.cleared_subject" in receiver.of(firm))  # type: ignore[misc]
        orders = [one for one in receiver.of(firm) if one.startswith("measure.")]
        assert orders == sorted(orders, reverse=True)  # orders before lifts
    assert all(Webhook(webhook).verify(body, headers) for _, _, body, headers in receiver.came)
    wait_until("waiting", lambda: standing(running_lab, unique_webhook)["state"] == "waiting")
    sent = next(check for check in running_lab.verify() if "webhook" in check["check"])
    assert sent["compared"] >= 2


def test_a_webhook_moves_and_gets_another_secret_without_beginning_anew(
    running_lab: RunningLab, receiver: Receiver, webhook: str, unique_webhook: str
) -> None:
    def is_quiet() -> bool:
        """The orders of other tests' firms have been sent too."""
        before = len(receiver.came)
        time.sleep(2)
        return 3 < before == len(receiver.came)

    running_lab.cleared_firm()
    wait_until("everything", is_quiet)
    told = running_lab.creditbus("webhooks", "rotate", unique_webhook)
    secret = next(word for word in told.split() if word.startswith("whsec_"))
    running_lab.creditbus("webhooks", "move", unique_webhook, "--url", receiver.url + "/elsewhere")
    assert "https://" in running_lab.creditbus("webhooks", "move", unique_webhook, "--url", "http://a.cn", expect=2)

    wait_until("the notifier to know", lambda: standing(running_lab, unique_webhook)["sent"] == 0)
    before = len(receiver.came)
    firm = running_lab.cleared_firm()
    wait_until("the lift", lambda: "measure.lift" in receiver.of(firm))
    for _, _, body, headers in receiver.came[before:]:
        assert Webhook(webhook).verify(body, headers) == Webhook(secret).verify(body, headers)
    ids = [name for name, *_ in receiver.came]
    assert len(ids) == len(set(ids)), "nothing began anew"

    wait_until("everything", is_quiet)
    running_lab.creditbus("webhooks", "rotate", unique_webhook, "--finish")
    wait_until("the notifier to know", lambda: standing(running_lab, unique_webhook)["sent"] == 0)
    before, last = len(receiver.came), running_lab.cleared_firm()
    wait_until("the lift", lambda: "measure.lift" in receiver.of(last))
    _, _, body, headers = receiver.came[before]
    assert Webhook(secret).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(webhook).verify(body, headers)

    def in_history() -> set[str]:
        return {
            one["subject_key"] for one in running_lab.told("webhooks", "history", unique_webhook, "--limit", "10000")
        }

    wait_until("the history", lambda: {firm, last} <= in_history())
    assert "measure.lift" in running_lab.creditbus("webhooks", "history", unique_webhook, "--limit", "100")


@pytest.mark.usefixtures("webhook")
def test_a_message_that_is_never_taken_can_be_passed_over(
    running_lab: RunningLab, receiver: Receiver, unique_webhook: str
) -> None:
    receiver.status = 400
    firm = running_lab.cleared_firm()
    wait_until("failing", lambda: bool(standing(running_lab, unique_webhook)["message"]))
    stuck = standing(running_lab, unique_webhook)["message"]
    running_lab.creditbus("webhooks", "skip", unique_webhook, stuck, "--reason", "the endpoint cannot read it")
    wait_until("the next one", lambda: standing(running_lab, unique_webhook)["message"] not in ("", stuck))
    receiver.status = 204
    wait_until("the rest", lambda: "measure.lift" in receiver.of(firm))
    assert stuck not in {name for name, *_ in receiver.came}

    def results() -> set[str]:
        return {one["result"] for one in running_lab.told("webhooks", "history", unique_webhook, "--limit", "10000")}

    wait_until("the ledger", lambda: results() == {"delivered", "passed over: the endpoint cannot read it"})


@pytest.mark.usefixtures("webhook")
def test_a_lift_that_a_webhook_passed_without_sending_it_is_found(
    running_lab: RunningLab, receiver: Receiver, unique_webhook: str
) -> None:
    receiver.status = 503
    running_lab.cleared_firm()
    wait_until("failing", lambda: standing(running_lab, unique_webhook)["state"] == "failing")
    running_lab.verify()
    brokers = f"127.0.0.1:{running_lab.port('kafka')}"
    ends = bounds_of(brokers, "test", "credit.measures.M01")
    with closing(Consumer(consumer_config(brokers, group_of(unique_webhook)))) as consumer:
        beyond = [TopicPartition("credit.measures.M01", partition, end) for partition, (_, end) in ends.items()]
        consumer.commit(offsets=beyond, asynchronous=False)
    report = running_lab.told("verify", expect=1)
    (wrong,) = [check["wrong"] for check in report if check["wrong"]]
    assert all(one.startswith(unique_webhook) and "was never sent" in one for one in wrong)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--url", "http://example.invalid/", "--families", "M01"], "https://"),
        (["--url", "https://example.invalid/"], "choose families"),
        (["--url", "https://example.invalid/", "--families", "M99"], "does not carry out M99"),
        (["--url", "https://example.invalid/", "--alerts", "NEWS"], "CLEARED_SUBJECT"),
    ],
)
def test_what_cannot_be_is_told_with_the_remedy(running_lab: RunningLab, options: list[str], told: str) -> None:
    assert told in running_lab.creditbus("webhooks", "add", "wrong", "--department", OFFICE, *options, expect=2)
    assert "wrong" not in {one["name"] for one in running_lab.told("webhooks", "list")}


def test_a_webhook_that_there_is_not_and_an_endpoint_that_is_away_are_told(
    running_lab: RunningLab, receiver: Receiver, webhook: str, unique_webhook: str
) -> None:
    assert "no such webhook" in running_lab.creditbus("webhooks", "remove", "nobody", expect=1)
    assert "no such webhook" in running_lab.creditbus("webhooks", "ping", "nobody", expect=1)
    again = ("webhooks", "add", unique_webhook, "--department", OFFICE, "--url", receiver.url, "--families", "M01")
    assert "is there already" in running_lab.creditbus(*again, expect=2)
    receiver.status = 500
    assert "HTTP 500" in running_lab.creditbus("webhooks", "ping", unique_webhook, expect=1)
    assert webhook


def test_alerts_reach_people_by_mail_once_the_mail_server_takes_them(
    running_lab: RunningLab, unique_webhook: str
) -> None:
    lab = running_lab
    with mailbox() as office:
        add = ("webhooks", "add", unique_webhook, "--department", OFFICE, "--url", office.url)
        assert "orders go to https" in lab.creditbus(*add, "--families", "M01", expect=2)
        told = lab.creditbus(*add, "--alerts", "DISHONEST_SUBJECT,CLEARED_SUBJECT")
        assert "whsec_" not in told, "mail has no secret"
        assert "sent" in lab.creditbus("webhooks", "ping", unique_webhook)
        wait_until("the notifier", lambda: standing(lab, unique_webhook)["state"] == "waiting")
        office.is_full = True
        firm = lab.cleared_firm()
        wait_until("the refusal", lambda: standing(lab, unique_webhook)["state"] == "failing")
        office.is_full = False
        key = json.loads((lab.folder / "secrets" / "lab-keys.json").read_text())["150000-fgw"]
        url = f"http://127.0.0.1:{lab.port('lookup')}/v1/alerts?limit=500"
        rows = httpx.get(url, headers={"Authorization": f"Bearer {key}"}, timeout=30).json()["items"]
        cleared = next(one for one in rows if (one["kind"], one["subject_key"]) == ("CLEARED_SUBJECT", firm))
        wait_until("the mail", lambda: cleared["alert_id"] in office.text(cleared["text_zh"]))
        lab.creditbus("webhooks", "remove", unique_webhook)
