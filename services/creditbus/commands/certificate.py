"""``creditbus certificate``: that nothing stays downstream, measure by measure; always recomputed from the log."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from creditbus.commands.connecting import console, fail
from creditbus.commands.printing import AsJson, WholeTable, id_column, print_json
from creditbus.commands.signed import Document, asked_day, read_log, verify_signed, write_signed
from creditbus.core.certificate import Certificate, certificate_of
from creditbus.lab.subject_log import SubjectLog, replay_subject


def register(app: typer.Typer) -> None:
    """Add the command to app."""
    app.command()(certificate)


def certificate(
    subject: Annotated[str | None, typer.Argument(help="Unified code or subject key 统一社会信用代码或主体键")] = None,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the signed certificate 写出证明")] = None,
    log: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the subject's log, or read it with --verify 日志文件")
    ] = None,
    verify: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Recompute this certificate from --log, offline 离线核验")
    ] = None,
    public_key: Annotated[str | None, typer.Option(metavar="HEX", help="Key to trust, for --verify 公钥")] = None,
    as_json: AsJson = False,
) -> None:
    """Whether any measure stays downstream, and who stopped which; 1 when something is left. 下游无留存证明。"""
    if verify is not None:
        verify_signed((verify, log), "certificate", _document, public_key)
    if subject is None:
        fail("name a subject: `creditbus certificate 91150102MA0N123408` 请给出主体")
    found = read_log(subject)
    computed = _computed(found, asked_day(None))
    if out is not None:
        write_signed(out, "certificate", computed.as_json())
    if log is not None:
        found.save(log)
    if as_json:
        print_json(computed.as_json())
    else:
        _show(computed)
    raise typer.Exit(0 if computed.is_clear else 1)


def _document(log: SubjectLog, day: int) -> Document:
    return _computed(log, day).as_json()


def _computed(log: SubjectLog, day: int) -> Certificate:
    replayed = replay_subject(log, day)
    if replayed is None:
        fail(f"{log.subject_key} is not on file 无此主体的记录")
    return certificate_of(replayed.summary, replayed.rules, replayed.emissions, replayed.answers, day)


def _show(found: Certificate) -> None:
    columns = ("list 名单", "ordered 实施", "lifted 解除", "stopped 已停止", "waited for 未回执")
    title = f"{escape(found.subject_name)} {found.subject_key} · {found.day}"
    table = WholeTable(id_column("measure 措施"), *columns, title=title)
    for one in found.orders:
        ended = f"{one.lifted_on} {one.cause}" if one.lifted_on else "in force 实施中"
        stopped, waited_for = ", ".join(one.stopped_by) or "–", ", ".join(one.waited_for) or "–"
        table.add_row(one.measure, one.list, one.ordered_on, ended, stopped, waited_for)
    if found.orders:
        console.print(table)
    if found.is_clear:
        console.print("[green]✓[/] nothing stays downstream 下游不再留存任何措施")
    else:
        in_force = sum(one.lifted_on is None for one in found.orders)
        unanswered = sum(bool(one.waited_for) for one in found.orders)
        left = f"in force 实施中 {in_force}; lifted, not acknowledged by everybody 已解除未全部回执 {unanswered}"
        console.print(f"[yellow]![/] {left}", highlight=False)
