"""Intake and the dossier, each as the only service beside the broker: how fast one process works off what waits for it.

All that a process does is in it, from reading to the commit and the local store; the broker works on the same cores,
and has taken in all of the load before, so that it is warm.
"""

from __future__ import annotations

import re
import time
from collections import defaultdict

import httpx
from prometheus_client.parser import text_string_to_metric_families

from bench.stack import Lab, a_lab, yesterday
from creditbus.lab.process import running
from creditbus.lab.settings import load_settings
from creditbus.lab.simulator.sending import onto_kafka
from creditbus.lab.simulator.story import Mix, Story
from creditbus.lab.stack import service_process

_SERVICES = ("intake", "dossier")
_STAGES = ("decide", "produce", "commit", "store")
_LOOK_SECONDS = 0.2
_STILL_SECONDS = 8.0
"""After so long without progress everything is worked off: longer than a process takes to join its group."""
_WITHIN_SECONDS = 600.0


_TOLD = re.compile("creditbus_(messages_decided|stage_seconds|commit_seconds|batch_seconds)")


def measure(events: int) -> dict[str, float]:
    """Events per second of each, and the share of each stage in its time."""
    found: dict[str, float] = {}
    with a_lab() as lab:
        lab.run("up", "--detach", "--services", "none")
        story = Story(seed=1, subjects=events // 10, day=yesterday(), mix=Mix())
        expected = sum(onto_kafka(lab.places, story.events(events)))
        for service in _SERVICES:
            process = service_process(service, load_settings(lab.environment), lab.places)
            with running(process, lab.places.folder / "logs" / f"{service}.log"):
                found |= _worked_off(lab, service, expected)
    return found


def _worked_off(lab: Lab, service: str, expected: int) -> dict[str, float]:
    """Follow a process until nothing more comes. Raises TimeoutError when it does not get through."""
    began = time.perf_counter()
    seen = [(began, 0.0)]
    port = lab.environment[f"CREDITBUS_LAB_{service.upper()}_PORT"]
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as asking:
        while time.perf_counter() - seen[-1][0] < _STILL_SECONDS or seen[-1][1] < expected // 2:
            now, decided = time.perf_counter(), _read(asking)["decided"]
            if decided > seen[-1][1]:
                seen.append((now, decided))
            if now - began > _WITHIN_SECONDS:
                raise TimeoutError(f"{service} decided {decided:.0f} of {expected} in {now - began:.0f} s")
            time.sleep(_LOOK_SECONDS)
        spent = _read(asking)
    (first, was), (last, total) = seen[1], seen[-1]
    name = f"{service}, a process alone"
    shares = {f"{name}: % of its time, {stage}": spent[stage] / spent["all"] * 100 for stage in _STAGES}
    return {f"{name}: events/s": (total - was) / (last - first), **shares}


def _read(asking: httpx.Client) -> dict[str, float]:
    """Messages decided, and seconds by stage and of all batches, as the process itself tells."""
    lines = asking.get("/metrics").text.splitlines(keepends=True)
    text = "".join(line for line in lines if _TOLD.search(line) and "_bucket" not in line)
    found: dict[str, float] = defaultdict(float)
    names = {
        "creditbus_messages_decided_total": "decided",
        "creditbus_commit_seconds_sum": "commit",
        "creditbus_batch_seconds_sum": "all",
    }
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name == "creditbus_stage_seconds_sum":
                found[sample.labels["stage"]] += sample.value
            elif sample.name in names:
                found[names[sample.name]] += sample.value
    return found
