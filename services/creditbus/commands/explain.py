"""``creditbus explain``: why a legal person has its score, and what would mend it; always recomputed from the log."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from creditbus.bus.registry import Registry
from creditbus.bus.settings import read_key
from creditbus.bus.signing import canonical, is_signed, sign
from creditbus.catalogue.editions import compile_rules, edition_of
from creditbus.catalogue.loader import load
from creditbus.core.errors import BusError
from creditbus.core.receipt import Receipt, receipt_of
from creditbus.core.records import BEIJING, day_of
from creditbus.lab.secrets import RECEIPT_KEY
from creditbus.lab.settings import load_settings
from creditbus.lab.stack import addresses
from creditbus.lab.subject_log import SubjectLog, read_subject_log, summary_on
from creditbus.lookup.steps import Wanted, wanted_of

console = Console()


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
    as_json: Annotated[bool, typer.Option("--json", help="Print the receipt as JSON 输出 JSON")] = False,
) -> None:
    """Why a legal person has its score: each record, rule and point, and the way back. 评分说明。"""
    try:
        if verify is not None:
            _verify(verify, log, public_key)
            return
        if subject is None:
            _fail("name a subject: `creditbus explain 91150102MA0N123408` 请给出主体")
        _explain(_key_of(subject), _day(as_of), (receipt, log), as_json)
    except BusError as error:
        _fail(str(error))


def _explain(subject: str, day: int, files: tuple[Path | None, Path | None], as_json: bool) -> None:
    settings = load_settings()
    places = addresses(settings)
    registry = Registry(places.registry_url)
    try:
        with console.status("reading the log 读取日志 …") as status:
            found = read_subject_log(
                places.brokers, registry, subject, lambda _, count: status.update(f"{count:,} messages 条消息 …")
            )
    finally:
        registry.close()
    computed = _computed(found, day)
    document = computed.as_json()
    if files[0] is not None:
        signature = sign(document, read_key(places.secrets, RECEIPT_KEY))
        files[0].write_text(json.dumps({"receipt": document, "signature": signature}, ensure_ascii=False, indent=1))
    if files[1] is not None:
        found.save(files[1])
    if as_json:
        print(json.dumps(document, ensure_ascii=False, indent=1))
    else:
        _show(computed)


def _computed(log: SubjectLog, day: int) -> Receipt:
    state = summary_on(log, day)
    if state is None:
        _fail(f"{log.subject_key} is not on file on that day 该日无此主体的记录")
    computed = receipt_of(state[0], state[1], day)
    if computed is None:
        _fail(f"{log.subject_key} is a natural person or sole trader: facts only, never a score 自然人不评分")
    return computed


def _verify(receipt: Path, log: Path | None, public_key: str | None) -> None:
    if log is None:
        _fail("--verify needs --log FILE, as `creditbus explain SUBJECT --receipt … --log …` wrote it 缺少 --log")
    try:
        signed = json.loads(receipt.read_text(encoding="utf-8"))
        document, signature = signed["receipt"], signed["signature"]
        day = day_of(datetime.strptime(document["day"], "%Y-%m-%d").replace(tzinfo=UTC).date())
    except (OSError, ValueError, KeyError, TypeError) as error:
        _fail(f"{receipt} is no signed receipt ({type(error).__name__}) 不是签名凭证")
    found = SubjectLog.load(log)
    computed: dict[str, Any] = json.loads(canonical(_computed(found, day).as_json()))
    checks = {
        "signature 签名": is_signed(document, signature, public_key),
        "recomputed from the log, bit for bit 由日志逐位重算": canonical(computed) == canonical(document),
    }
    for name, holds in checks.items():
        console.print(f"{'[green]✓[/]' if holds else '[red]✗[/]'} {name}")
    for name in document:
        if computed.get(name) != document[name]:
            console.print(f"  {name}: receipt {document[name]!r}, log {computed.get(name)!r}", highlight=False)
    if public_key is None:
        console.print(f"The key is the receipt's own ({signature.get('key_id')}); --public-key names the one to trust.")
    raise typer.Exit(0 if all(checks.values()) else 1)


def _show(receipt: Receipt) -> None:
    table = Table(title=f"{escape(receipt.subject_name)} {receipt.subject_key} · {receipt.day}")
    columns = ("document 文号", "rule 规则", "points 分值", "decayed 衰减后", "counted 计入", "sum 累计", "ends 到期")
    for column in columns:
        table.add_column(column)
    table.add_row("base 基础分", "", "", "", "", str(receipt.base), "")
    for line in receipt.lines:
        number = escape(line.document_number) + (" (disputed 异议中)" if line.disputed else "")
        numbers = (f"{line.rule_points:+}", f"{line.decayed_points:+}", f"{line.points:+}", str(line.running_sum))
        table.add_row(number, line.rule, *numbers, line.ends_on or "–")
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
    console.print(f"edition {receipt.edition[:16]} · receipt {receipt.receipt_hash}", highlight=False)


def _key_of(subject: str) -> str:
    """Subject key from any identifier."""
    wanted = wanted_of(subject, compile_rules(edition_of(load())).regions)
    return wanted.key if isinstance(wanted, Wanted) and wanted.key is not None else subject


def _day(as_of: datetime | None) -> int:
    latest = datetime.now(BEIJING).date()
    today = day_of(latest)
    if as_of is None:
        return today
    day = day_of(as_of.date())
    if day > today:
        _fail(f"--as-of {as_of.date()} lies in the future; the latest day is {latest} 日期在未来")
    return day


def _fail(text: str) -> NoReturn:
    console.print(f"[red]✗[/] {escape(text)}", highlight=False)
    raise typer.Exit(1)
