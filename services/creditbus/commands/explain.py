"""``creditbus explain``: why a legal person has its score, and what would mend it; always recomputed from the log."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from creditbus.commands.connecting import console, fail
from creditbus.commands.printing import AsJson, WholeTable, print_json
from creditbus.commands.signed import Document, asked_day, read_log, verify_signed, write_signed
from creditbus.core.receipt import Receipt, receipt_of
from creditbus.lab.subject_log import SubjectLog, replay_subject


def register(app: typer.Typer) -> None:
    """Add the command to app."""
    app.command()(explain)


def explain(  # noqa: PLR0913 - the options of a command line
    subject: Annotated[str | None, typer.Argument(help="Unified code or subject key 统一社会信用代码或主体键")] = None,
    as_of: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Day, default today 日期")] = None,
    receipt: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the signed receipt 写出凭证")] = None,
    log: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the subject's log, or read it with --verify 日志文件")
    ] = None,
    verify: Annotated[
        Path | None, typer.Option(metavar="RECEIPT", help="Recompute this receipt from --log, offline 离线核验")
    ] = None,
    public_key: Annotated[str | None, typer.Option(metavar="HEX", help="Key to trust, for --verify 公钥")] = None,
    as_json: AsJson = False,
) -> None:
    """Why a legal person has its score: each record, rule and point, and the way back. 评分说明。"""
    if verify is not None:
        verify_signed((verify, log), "receipt", _document, public_key)
    if subject is None:
        fail("name a subject: `creditbus explain 91150102MA0N123408` 请给出主体")
    _explain(subject, asked_day(as_of), (receipt, log), as_json)


def _explain(subject: str, day: int, files: tuple[Path | None, Path | None], as_json: bool) -> None:
    found = read_log(subject)
    computed = _computed(found, day)
    if files[0] is not None:
        write_signed(files[0], "receipt", computed.as_json())
    if files[1] is not None:
        found.save(files[1])
    if as_json:
        print_json(computed.as_json())
    else:
        _show(computed)


def _document(log: SubjectLog, day: int) -> Document:
    return _computed(log, day).as_json()


def _computed(log: SubjectLog, day: int) -> Receipt:
    replayed = replay_subject(log, day)
    if replayed is None:
        fail(f"{log.subject_key} is not on file on that day 该日无此主体的记录")
    computed = receipt_of(replayed.summary, replayed.rules, day)
    if computed is None:
        fail(f"{log.subject_key} is a natural person or sole trader: facts only, never a score 自然人不评分")
    return computed


def _show(receipt: Receipt) -> None:
    table = WholeTable(title=f"{escape(receipt.subject_name)} {receipt.subject_key} · {receipt.day}")
    columns = (
        "document 文号",
        "rule 规则",
        "points 分值",
        "decayed 衰减后",
        "counted 计入",
        "sum 累计",
        "ends 到期",
        "repair from 可修复",
    )
    for column in columns:
        table.add_column(column)
    table.add_row("base 基础分", "", "", "", "", str(receipt.base), "", "")
    for line in receipt.lines:
        number = escape(line.document_number) + (" (disputed 异议中)" if line.disputed else "")
        numbers = (f"{line.rule_points:+}", f"{line.decayed_points:+}", f"{line.points:+}", str(line.running_sum))
        ends = f"{line.ends_on} {line.ends_by}" if line.ends_on else "–"
        table.add_row(number, line.rule, *numbers, ends, line.repair_from or "–")
    console.print(table)
    ceiling = f", capped by {', '.join(receipt.severe_lists)}" if receipt.severe_lists else ""
    console.print(
        f"score 信用分 [bold]{receipt.score}[/], grade 等级 [bold]{receipt.grade}[/]{ceiling}", highlight=False
    )
    for place, reason in enumerate(receipt.reasons, 1):
        ends = f"; ends by itself on {reason.ends_on} 到期自动结束" if reason.ends_on else ""
        console.print(
            f"{place}. {reason.code} {reason.text_zh} {reason.text_en} ({reason.points:+}){ends}", highlight=False
        )
        console.print(f"   → {reason.remedy_zh} {reason.remedy_en}", highlight=False)
    if receipt.next_grade is not None:
        wanted = [f"record {one}" for one in receipt.next_grade.end_records]
        wanted += [f"list {one}" for one in receipt.next_grade.end_listings]
        console.print(
            f"grade {receipt.next_grade.grade} when these end 达到该等级需结束: {', '.join(wanted)}", highlight=False
        )
    if receipt.notices_owed:
        owed = escape(", ".join(receipt.notices_owed))
        console.print(f"no notice how to repair came with 未随附信用修复告知书: {owed}", highlight=False)
    console.print(f"edition {receipt.edition[:16]} · receipt {receipt.receipt_hash}", highlight=False)
