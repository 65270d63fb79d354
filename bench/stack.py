"""The whole lab on this machine: start, throughput, latency, look-ups, memory."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import psutil

from bench.arrivals import Arrivals
from creditbus.lab.secrets import read_lab_keys
from creditbus.lab.simulator.sending import onto_kafka
from creditbus.lab.simulator.story import Mix, Story
from creditbus.lab.stack import LabAddresses

_PARTS = (
    "kafka", "controller", "registry", "clickhouse", "gateway", "intake", "clock", "dossier", "warehouse", "lookup",
    "console", "notifier", "monitor", "breaker",
)  # fmt: skip
_WARM_UP_SECONDS = 30
_REST_SECONDS = 15


@dataclass(frozen=True, slots=True)
class Lab:
    """A lab of its own for the measurement."""

    places: LabAddresses
    environment: dict[str, str]

    def run(self, *arguments: str) -> float:
        """Run a command of the program; returns the seconds it took."""
        began = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "creditbus", *arguments], env=self.environment, check=True, capture_output=True
        )
        return time.perf_counter() - began


@contextmanager
def a_lab() -> Iterator[Lab]:
    """A lab on free ports in a temporary folder; not started."""
    with tempfile.TemporaryDirectory() as folder:
        probes = [socket.create_server(("127.0.0.1", 0)) for _ in _PARTS]
        ports = {part: probe.getsockname()[1] for part, probe in zip(_PARTS, probes, strict=True)}
        for probe in probes:
            probe.close()
        environment = {
            **os.environ,
            "CREDITBUS_LAB_DATA": folder,
            **{f"CREDITBUS_LAB_{part.upper()}_PORT": str(port) for part, port in ports.items()},
        }
        url = "http://127.0.0.1:{}".format
        lab = Lab(
            LabAddresses(
                brokers=f"127.0.0.1:{ports['kafka']}",
                registry_url=f"{url(ports['registry'])}/apis/ccompat/v7",
                clickhouse_url=url(ports["clickhouse"]),
                gateway_url=url(ports["gateway"]),
                lookup_url=url(ports["lookup"]),
                console_url=url(ports["console"]),
                notifier_url=url(ports["notifier"]),
                folder=Path(folder),
                secrets=Path(folder) / "secrets",
                vault=str(Path(folder) / "services" / "intake" / "vault.sqlite"),
            ),
            environment,
        )
        try:
            yield lab
        finally:
            lab.run("down")


def measure(events: int, seconds: int) -> dict[str, float]:
    """All figures of the stack."""
    found: dict[str, float] = {}
    with a_lab() as lab:
        found["first start, s"] = lab.run("up", "--detach")
        lab.run("down")
        found["warm start, s"] = lab.run("up", "--detach")
        found |= _idle(lab, seconds)
        found |= _throughput(lab, events)
        found |= _latency(lab, 1_000, seconds)
        found |= _look_ups(lab, 500)
        found |= _memory(lab)
    return found


def _throughput(lab: Lab, events: int) -> dict[str, float]:
    """From the first event sent to the last change in the warehouse, everything running on the same cores."""
    story = Story(seed=1, subjects=events // 10, day=yesterday(), mix=Mix())
    began = time.perf_counter()
    expected = sum(onto_kafka(lab.places, story.events(events)))
    sent = time.perf_counter()
    _wait(lambda: _flow(lab)["gateway"] >= expected and _is_settled(lab))
    return {
        "events sent/s while the bus works": events / (sent - began),
        "events/s from first sent to last in the warehouse": events / (time.perf_counter() - began),
    }


def _latency(lab: Lab, rate: int, seconds: int) -> dict[str, float]:
    """Milliseconds from sending to the change, and from a list decision to its last order, at a steady rate.

    The broker's code is compiled as it runs, so the first half minute is not counted.
    """
    found: dict[str, float] = {}
    for seed, length in ((2, _WARM_UP_SECONDS), (3, seconds)):
        plain = Mix(bad=0, duplicates=0, corrections=0, late=0, repairs=0)
        story = Story(seed=seed, subjects=5_000, day=yesterday(), mix=plain)
        with Arrivals(lab.places) as arrivals:
            for _ in onto_kafka(lab.places, arrivals.paced(story.events(rate * length), rate)):
                pass
            arrivals.wait()
            found = {
                **_percentiles(f"ms to credit.changes at {rate}/s", arrivals.changed.values()),
                **_percentiles(f"ms from list decision to order at {rate}/s", arrivals.ordered.values()),
                "list decisions with orders": len(arrivals.ordered),
            }
    return found


def _percentiles(what: str, seconds: Collection[float]) -> dict[str, float]:
    ranked = sorted(seconds)
    return {
        f"{what}, p50": ranked[len(ranked) // 2] * 1000,
        f"{what}, p99": ranked[int(len(ranked) * 0.99)] * 1000,
    }


def _look_ups(lab: Lab, count: int) -> dict[str, float]:
    """Milliseconds of one audited look-up after another, over HTTP, when the warehouse has come to rest."""
    _wait(lambda: _is_settled(lab))
    time.sleep(_REST_SECONDS)
    taken = []
    with _client(lab) as client:
        keys = [one["subject_key"] for one in client.get("/v1/alerts?limit=200").json()["items"]]
        for number in range(count):
            began = time.perf_counter()
            client.get(f"/v1/subjects/{keys[number % len(keys)]}").raise_for_status()
            taken.append(time.perf_counter() - began)
    return _percentiles("ms a look-up", taken)


def _idle(lab: Lab, seconds: int) -> dict[str, float]:
    """Percent of a core that each process takes while nothing comes but the clock's ticks."""
    time.sleep(10)  # caches are warm, groups have settled
    processes = {one["name"]: psutil.Process(one["process"]["pid"]) for one in _state(lab)["processes"]}

    def spent() -> dict[str, float]:
        return {name: sum(process.cpu_times()[:2]) for name, process in processes.items()}

    before, began = spent(), time.perf_counter()
    time.sleep(seconds)
    after, passed = spent(), time.perf_counter() - began
    return {f"% of a core, idle, {name}": (after[name] - before[name]) / passed * 100 for name in processes}


def _state(lab: Lab) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((lab.places.folder / "state.json").read_text())
    return found


def _memory(lab: Lab) -> dict[str, float]:
    """Resident memory of every process, in MiB."""
    running = _state(lab)["processes"]
    sizes = {one["name"]: psutil.Process(one["process"]["pid"]).memory_info().rss / 2**20 for one in running}
    return {**{f"MiB {name}": size for name, size in sizes.items()}, "MiB whole lab": sum(sizes.values())}


def _client(lab: Lab) -> httpx.Client:
    key = read_lab_keys(lab.places.secrets)["console"]
    headers = {"Authorization": f"Bearer {key}", "X-Purpose": "verification", "X-Basis": "bench"}
    return httpx.Client(base_url=lab.places.lookup_url, headers=headers, timeout=30)


def _flow(lab: Lab) -> dict[str, int]:
    with _client(lab) as client:
        answer: dict[str, Any] = client.get("/v1/flow").json()
    counts = {one["name"]: int(one["count"]) for one in answer["stages"]}
    return {**counts, "lag": sum(int(one["lag"]) for one in answer["stages"])}


def _is_settled(lab: Lab) -> bool:
    """Nothing is on its way: no group is behind, and two looks a second apart are the same."""
    first = _flow(lab)
    time.sleep(1.1)
    return first["lag"] == 0 and first == _flow(lab)


def _wait(holds: Callable[[], bool], seconds: float = 300) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError("the bus did not finish in time; run `creditbus doctor`")
        time.sleep(0.2)


def yesterday() -> date:
    """Decisions lie in the past in Beijing, whatever the hour here."""
    return (datetime.now(UTC) - timedelta(days=1)).date()
