"""What commands share that hand out a signed document about a subject, made from its log and checked against it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

import typer

from creditbus.bus.rules import rules_in_force
from creditbus.bus.settings import read_key
from creditbus.bus.signing import canonical, is_signed, sign
from creditbus.commands.connecting import connected, console, fail, tell_checks, tell_key
from creditbus.core.identifiers import RegionTable
from creditbus.core.records import BEIJING, day_of
from creditbus.lab.places import bus_places
from creditbus.lab.secrets import RECEIPT_KEY
from creditbus.lab.subject_log import SubjectLog, read_subject_log
from creditbus.lookup.steps import Wanted, wanted_of

Document = Mapping[str, Any]
Compute = Callable[[SubjectLog, int], Document]
"""A document from a subject's log, as of a day."""


def read_log(subject: str) -> SubjectLog:
    """The log of a subject, named by any identifier, from the running bus."""
    with connected() as (places, registry), console.status("reading the log 读取日志 …") as status:

        def told(_topic: str, count: int) -> None:
            status.update(f"{count:,} messages 条消息 …")

        key = _key_of(subject, rules_in_force(places.brokers).regions)
        return read_subject_log(places.brokers, registry, key, told)


def write_signed(path: Path, kind: str, document: Document) -> None:
    """Write a document with its signature. kind: what it is called in the file."""
    signature = sign(document, read_key(bus_places().secrets, RECEIPT_KEY))
    path.write_text(json.dumps({kind: document, "signature": signature}, ensure_ascii=False, indent=1))


def verify_signed(files: tuple[Path, Path | None], kind: str, compute: Compute, public_key: str | None) -> NoReturn:
    """Check a signed document against its signature and against the log, offline; exits with 0 when both hold.

    files: the document, and the log of its subject. public_key: hex of the key to trust; None takes the file's own.
    """
    path, log = files
    if log is None:
        fail("--verify needs --log FILE, as the command that wrote the document wrote it too 缺少 --log")
    try:
        signed = json.loads(path.read_text(encoding="utf-8"))
        document, signature = signed[kind], signed["signature"]
        day = day_of(datetime.strptime(document["day"], "%Y-%m-%d").replace(tzinfo=UTC).date())
    except (OSError, ValueError, KeyError, TypeError) as error:
        fail(f"{path} is no signed {kind} ({type(error).__name__}) 不是签名文件")
    computed: dict[str, Any] = json.loads(canonical(compute(SubjectLog.load(log), day)))
    checks = {
        "signature 签名": is_signed(document, signature, public_key),
        "recomputed from the log, bit for bit 由日志逐位重算": canonical(computed) == canonical(document),
    }
    tell_checks(checks)
    for name in document:
        if computed.get(name) != document[name]:
            console.print(f"  {name}: {kind} {document[name]!r}, log {computed.get(name)!r}", highlight=False)
    tell_key(signature, public_key)
    raise typer.Exit(0 if all(checks.values()) else 1)


def asked_day(as_of: datetime | None) -> int:
    """The business day that was asked for; today when none was."""
    latest = datetime.now(BEIJING).date()
    today = day_of(latest)
    if as_of is None:
        return today
    day = day_of(as_of.date())
    if day > today:
        fail(f"--as-of {as_of.date()} lies in the future; the latest day is {latest} 日期在未来")
    return day


def _key_of(subject: str, regions: RegionTable) -> str:
    """Subject key from any identifier."""
    wanted = wanted_of(subject, regions)
    return wanted.key if isinstance(wanted, Wanted) and wanted.key is not None else subject
