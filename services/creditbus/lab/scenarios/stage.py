"""What a scenario acts on: the running lab's gateway, look-up and topics, and how it waits and reports."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from creditbus.client.producer import BusClient
from creditbus.client.subscriber import Order, Subscriber
from creditbus.lab.errors import NotReadyError
from creditbus.lab.secrets import read_lab_keys
from creditbus.lab.stack import LabAddresses

_PATIENCE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Seen:
    """One step of a story as it went."""

    title: str
    seen: str
    seconds: float


@dataclass(slots=True)
class Stage:
    """The running lab, as the people of a story use it."""

    places: LabAddresses
    tell: Callable[[Seen], None]
    keys: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.keys = read_lab_keys(self.places.secrets)

    def step(self, title: str, act: Callable[[], str]) -> None:
        """Do one step, and tell what was seen and how long it took."""
        began = time.perf_counter()
        seen = act()
        self.tell(Seen(title, seen, time.perf_counter() - began))

    def send(self, department: str, *events: dict[str, Any]) -> None:
        """Send events as a department. Raises NotReadyError when the gateway refuses one."""
        with BusClient(self.places.gateway_url, self.keys[department]) as bus:
            for receipt in bus.send(list(events)):
                if receipt.status != "RECEIVED":
                    told = "; ".join(f"{fault.field}: {fault.problem_en}" for fault in receipt.faults)
                    raise NotReadyError(
                        en=f"the gateway answered {receipt.status}: {told}", zh=f"网关答复 {receipt.status}：{told}"
                    )

    def ask(self, department: str, path: str, purpose: str) -> dict[str, Any] | None:
        """An answer of the look-up, or None while there is none."""
        headers = {
            "Authorization": f"Bearer {self.keys[department]}",
            "X-Purpose": purpose,
            "X-Basis": "scenario",
        }
        try:
            answer = httpx.get(f"{self.places.lookup_url}{path}", headers=headers, timeout=10)
        except httpx.TransportError:
            return None  # it is being started again
        if answer.status_code in (404, 503):
            return None
        answer.raise_for_status()
        return dict(json.loads(answer.text))

    def until(self, what: str, look: Callable[[], Any]) -> Any:
        """Look again and again until there is something to see. Raises NotReadyError after half a minute."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < deadline:
            found = look()
            if found:
                return found
            time.sleep(0.05)
        raise NotReadyError(
            en=f"{what} was not seen within {_PATIENCE_SECONDS:.0f} s; `creditbus doctor` names the stuck stage",
            zh=f"{_PATIENCE_SECONDS:.0f} 秒内未看到：{what}；请运行 `creditbus doctor` 查明卡住的环节",
        )

    @contextmanager
    def subscriber(self, families: Sequence[str], group: str) -> Iterator[list[Order]]:
        """Orders of some families as a subscriber receives them, collected while the story goes on."""
        orders: list[Order] = []
        done = threading.Event()

        def follow() -> None:
            with Subscriber(self.places.brokers, self.places.registry_url, group=group) as subscriber:
                for order in subscriber.orders(families, stopping=done.is_set):
                    orders.append(order)

        thread = threading.Thread(target=follow, name="subscriber", daemon=True)
        thread.start()
        try:
            yield orders
        finally:
            done.set()
            thread.join(10)
