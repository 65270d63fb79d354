"""What commands share that ask a running bus: where it is, and how they end when something is wrong."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Annotated, Any, NoReturn

import httpx
import typer
from rich.markup import escape

from creditbus.bus.registry import Registry
from creditbus.client.producer import problem_of
from creditbus.commands.printing import terminal
from creditbus.lab.errors import NotRunningError, SettingsError
from creditbus.lab.places import bus_places
from creditbus.lab.secrets import read_lab_keys
from creditbus.lab.stack import LabAddresses

console = terminal()
_errors = terminal(stderr=True)
_LISTENS_WITHIN_SECONDS = 2.0

Officer = Annotated[str, typer.Option("--as", help="Department of the officer who approves 批准人所在单位")]
Why = Annotated[str, typer.Option("--reason", help="Why; it stays on the log 理由（记入日志）")]
Key = Annotated[str, typer.Option(envvar="CREDITBUS_API_KEY", help="The officer's key; the lab's by default")]
"""Options of every command with which an officer approves something."""


def running() -> LabAddresses:
    """The places of the bus. Raises NotRunningError at once where there is none; Kafka's clients look for long."""
    places = bus_places()
    if not any(_listens(one.strip()) for one in places.brokers.split(",")):
        raise NotRunningError(
            en=f"Nothing listens at {places.brokers}. Start the lab: creditbus up --detach, "
            "or name the bus by CREDITBUS_BROKERS and what else `creditbus settings` has of commands",
            zh=f"{places.brokers} 无服务。请先启动：creditbus up --detach；或以 CREDITBUS_BROKERS 等变量指定总线",
        )
    return places


def _listens(broker: str) -> bool:
    host, _, port = broker.rpartition(":")
    try:
        socket.create_connection((host, int(port)), _LISTENS_WITHIN_SECONDS).close()
    except (OSError, ValueError):
        return False
    return True


@contextmanager
def connected() -> Iterator[tuple[LabAddresses, Registry]]:
    """The places of the bus, and its registry."""
    places = running()
    with closing(Registry(places.registry_url)) as registry:
        yield places, registry


def send_approval(places: LabAddresses, path: str, body: dict[str, str], officer: tuple[str, str]) -> None:
    """Put an officer's approval on the log through the gateway. officer: department, and its key ("" = the lab's)."""
    url, headers = f"{places.gateway_url}{path}", {"Authorization": f"Bearer {secret_of(places, *officer)}"}
    answer = httpx.post(url, json=body, headers=headers, timeout=15)
    if not answer.is_success:
        told = answer.json()
        fail(f"{told.get('detail_zh', '')} {told.get('detail', told)}")


def secret_of(places: LabAddresses, department: str, key: str) -> str:
    """The key that was named; the lab's of that department by default, "" where it has none."""
    return key or read_lab_keys(places.secrets).get(department, "")


def ask_lookup(
    url: str, path: str, key: str, *, params: Mapping[str, str] | None = None, body: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """An answer of the look-up to whoever holds a key; ends the command with its problem where it refuses.

    body: of a POST; a GET without. Raises NotRunningError when nothing answers.
    """
    headers = {"Authorization": f"Bearer {key}"}
    try:
        answer = httpx.request(
            "GET" if body is None else "POST", f"{url}{path}", params=params, json=body, headers=headers, timeout=60
        )
    except httpx.TransportError as error:
        raise NotRunningError(
            en=f"The look-up does not answer at {url}. Start the lab: creditbus up --detach",
            zh=f"{url} 的查询服务未响应。请先启动：creditbus up --detach",
        ) from error
    if not answer.is_success:
        fail(problem_of(answer))
    return dict(answer.json())


def department_key(path: Path, department: str) -> str:
    """A department's key: in a file that holds only it, or in the JSON of all keys of a lab. Raises SettingsError."""
    try:
        text = path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SettingsError(
            en=f"--key-file: {path} cannot be read. Start the lab, or name the file with your department's key",
            zh=f"--key-file：无法读取 {path}。请启动 lab，或指定本单位密钥文件",
        ) from error
    if not text.startswith("{"):
        return text
    key = json.loads(text).get(department)
    if not isinstance(key, str):
        raise SettingsError(
            en=f"--key-file: {path} has no key for {department}", zh=f"--key-file：{path} 中没有 {department} 的密钥"
        )
    return key


def tell_checks(checks: Mapping[str, bool]) -> None:
    """Say which checks of a signed file hold."""
    for name, holds in checks.items():
        console.print(f"{'[green]✓[/]' if holds else '[red]✗[/]'} {name}")


def tell_key(signature: Mapping[str, str], public_key: str | None) -> None:
    """Say whose key it was where none was named as the one to trust."""
    if public_key is None:
        console.print(f"The key is the file's own ({signature.get('key_id')}); --public-key names the one to trust.")


def tell_approved(lacking: int, command: str) -> None:
    """Say that an approval was taken, and what comes next. lacking: officers who have yet to approve."""
    more = f"{lacking} more has to approve 尚须 {lacking} 个单位批准" if lacking else f"`{command}`"
    console.print(f"[green]✓[/] approved 已批准; {more}", highlight=False)


def fail(text: str) -> NoReturn:
    """End the command with what is wrong and what to do."""
    _errors.print(f"[red]✗[/] {escape(text)}", highlight=False)
    raise typer.Exit(1)
