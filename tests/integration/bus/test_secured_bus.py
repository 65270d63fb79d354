"""The whole bus, its commands among it, on brokers, a registry and a ClickHouse that take only who proves who it is."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from creditbus.lab.artifacts import Artifacts
from creditbus.lab.clickhouse import CLICKHOUSE, clickhouse_process
from creditbus.lab.process import Process, running
from creditbus.lab.registry import RegistryNode, registry_process
from creditbus.lab.settings import load_settings
from creditbus.lab.stack import SERVICES, addresses, service_process
from guarded_http import guarded
from ports import free_ports
from running_lab import PARTS, RunningLab
from secured_kafka import SERVICE, Secured, secured_kafka
from waiting import wait_until

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]


@pytest.fixture
def secured(tmp_path: Path, lab_artifacts: Artifacts) -> Iterator[Secured]:
    with secured_kafka(tmp_path, lab_artifacts, (SERVICE,)) as made:
        yield made


@pytest.fixture
def bus(secured: Secured, monkeypatch: pytest.MonkeyPatch, lab_artifacts: Artifacts) -> Iterator[RunningLab]:
    """Everything but the brokers as the lab runs it. The registry, which is not ours, uses their open listener.

    Services and `deploy` reach registry and ClickHouse through fronts that ask who they are.
    """
    folder = secured.folder / "data"
    ports = {part: str(port) for part, port in zip(PARTS, free_ports(len(PARTS)), strict=True)}
    ports["kafka"] = str(secured.port)
    environment = {
        **{f"CREDITBUS_LAB_{part.upper()}_PORT": port for part, port in ports.items()},
        **secured.proof(SERVICE, f"of {SERVICE}"),
        "CREDITBUS_LAB_DATA": str(folder),
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    settings = load_settings()
    places = addresses(settings)
    with ExitStack() as started:

        def start(one: Process) -> None:
            started.enter_context(running(one, folder / "logs" / f"{one.name}.log"))

        start(registry_process(RegistryNode(port=settings.registry_port, brokers=secured.open_brokers), lab_artifacts))
        start(clickhouse_process(folder / CLICKHOUSE, settings.clickhouse_port))
        guards = {
            name: started.enter_context(guarded(url, secured.folder / name))
            for name, url in (("registry", places.registry_url), ("clickhouse", places.clickhouse_url))
        }
        for name, guard in guards.items():
            for variable, value in guard.environment(f"CREDITBUS_{name.upper()}_").items():
                monkeypatch.setenv(variable, value)
        places = replace(places, registry_url=guards["registry"].url, clickhouse_url=guards["clickhouse"].url)
        lab = RunningLab(folder, {**os.environ, "COLUMNS": "200"})
        deploy = {"BROKERS": places.brokers, "REGISTRY_URL": places.registry_url, "SECRETS": str(places.secrets)}
        for name, value in deploy.items():
            lab.environment[f"CREDITBUS_{name}"] = value
        lab.creditbus("deploy")
        for service in SERVICES:
            one = service_process(service, settings, places)
            if service == "monitor":  # whose client is another one: by a certificate, for once
                mutual = {"CREDITBUS_BROKERS": f"127.0.0.1:{secured.mutual_port}", **secured.certificate()}
                one = replace(one, env={**one.env, **mutual})
            start(one)
        yield lab
        assert all(guard.let_in for guard in guards.values()), "nothing went through the fronts"


def test_a_firm_is_listed_repaired_and_cleared_on_secured_brokers(bus: RunningLab) -> None:
    bus.creditbus("scenario", "hohhot")
    assert [check["wrong"] for check in bus.verify() if check["wrong"]] == []
    monitor = f"http://127.0.0.1:{bus.port('monitor')}/metrics"
    counted = re.compile(r'^creditbus_messages_decided_total\{.*outcome="ok".*\} [1-9]', re.MULTILINE)
    wait_until("the monitor to count", lambda: counted.search(httpx.get(monitor).text) is not None)
