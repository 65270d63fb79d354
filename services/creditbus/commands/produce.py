"""`creditbus import`: files of departments to the gateway, with a file of the rows that were refused."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated

import httpx
import typer
from pydantic import ValidationError
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from creditbus.catalogue.editions import compile_rules, edition_of
from creditbus.catalogue.import_columns import load_import_columns
from creditbus.catalogue.loader import load
from creditbus.client.direct import DirectProducer, DirectSender
from creditbus.client.importing.columns import KINDS
from creditbus.client.importing.delivery import DryRun, Import, Options, Sender, Tally
from creditbus.client.importing.files import ImportFileError
from creditbus.client.importing.rows import Context
from creditbus.client.producer import BusClient, RetryPolicy, SendError
from creditbus.client.receipts import REJECTED, Lookup, wait_for_states
from creditbus.commands.connecting import department_key
from creditbus.commands.printing import WholeTable, terminal
from creditbus.core.rules import Department, Rules
from creditbus.lab.errors import SettingsError
from creditbus.lab.places import bus_places
from creditbus.lab.secrets import LAB_KEYS
from creditbus.lab.texts import Text, user_language

console = terminal()
errors = terminal(stderr=True)

EXIT_ALL, EXIT_SOME, EXIT_NOTHING = 0, 1, 2
AUTO = "auto"
_WAIT_SECONDS = 120.0
_BRIEFLY = RetryPolicy(attempts=1, timeout_seconds=3)
_NEAR = 5
"""So many departments are named to whoever writes one that there is none of."""
_ALL_DEPARTMENTS = "creditbus catalogue list departments"


@dataclass(frozen=True, slots=True, kw_only=True)
class Direct:
    """A department's own key, and where it writes with it."""

    key_file: Path
    brokers: str
    registry_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the user asked for."""

    file: Path
    kind: str
    department: str
    item: str
    dry_run: bool
    fictitious: bool
    gateway: str
    lookup: str
    key_file: Path
    wait: bool
    load: str = ""
    """Id of the initial load that the rows belong to; "" for none."""
    direct: Direct | None = None
    """Writes to Kafka instead of the gateway."""


def register(app: typer.Typer) -> None:
    """Add `import` to app."""
    app.command("import")(import_file)


def import_file(  # noqa: PLR0913 - the options of a command line
    file: Annotated[Path, typer.Argument(help="CSV or XLSX, any usual encoding. 报送文件。")],
    department: Annotated[str, typer.Option(help="Code of the sending department. 报送单位代码。")],
    kind: Annotated[str, typer.Option(help=f"auto, {', '.join(KINDS)}. 种类。")] = AUTO,
    item: Annotated[str, typer.Option(help="Catalogue item, where several fit. 目录条目。")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check the rows, send nothing. 只检查。")] = False,
    fictitious: Annotated[bool, typer.Option("--fictitious", help="Mark facts as made up. 标为虚构。")] = False,
    gateway: Annotated[str, typer.Option(envvar="CREDITBUS_GATEWAY_URL", help="Default: the lab's.")] = "",
    lookup: Annotated[str, typer.Option(envvar="CREDITBUS_LOOKUP_URL", help="Default: the lab's.")] = "",
    key_file: Annotated[Path | None, typer.Option(help="API key, or JSON of keys. Default: the lab's.")] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for what becomes of each. 等待处理结果。")] = False,
    load_id: Annotated[str, typer.Option("--load", help="Open initial load it belongs to. 所属初始导入批次。")] = "",
    own_key: Annotated[
        Path | None, typer.Option(help="Write to Kafka, signed with this key, not to the gateway. 直接报送私钥。")
    ] = None,
) -> None:
    """Send a file of permits, penalties, court enforcement, lists, ratings, honours or answers to orders.

    导入双公示、失信被执行人、名单、信用评价、荣誉和措施反馈；退回的行写入 <文件名>.errors.csv，更正后可再导入。"""
    places = bus_places()
    wish = Wish(
        file=file,
        kind=kind,
        department=department,
        item=item,
        dry_run=dry_run,
        fictitious=fictitious,
        gateway=gateway or places.gateway_url,
        lookup=lookup or places.lookup_url,
        key_file=key_file or places.secrets / LAB_KEYS,
        wait=wait and not dry_run,
        load=load_id,
        direct=Direct(key_file=own_key, brokers=places.brokers, registry_url=places.registry_url) if own_key else None,
    )
    raise typer.Exit(_import(wish))


def _import(wish: Wish) -> int:
    """Import the file and say how it went; returns the exit code."""
    if wish.kind not in (AUTO, *KINDS):
        raise SettingsError(
            en=f"--kind is {wish.kind}; use auto, {', '.join(KINDS)}", zh=f"--kind 可用：auto、{'、'.join(KINDS)}"
        )
    with_gateway = not wish.dry_run and wish.direct is None
    key = department_key(wish.key_file, wish.department) if with_gateway else ""
    with ExitStack() as opened:
        client = opened.enter_context(BusClient(wish.gateway, key, None if with_gateway else _BRIEFLY))
        rules = _rules(client, wish, is_needed=with_gateway)
        department = _department(wish.department, rules)
        run = Import(
            wish.file,
            load_import_columns(),
            Options(kind=None if wish.kind == AUTO else wish.kind, keep_receipts=wish.wait),
        )
        sender: Sender = client
        if wish.dry_run:
            sender = DryRun()
        elif wish.direct is not None:
            sender = opened.enter_context(_direct(wish.direct, department))
        problem = _send(run, sender, wish, department, rules)
    late = _wait_for_rest(run, wish) if wish.wait else 0
    console.print(_table(run.tally, late, dry_run=wish.dry_run))
    if problem is not None:
        _complain(problem)
    return exit_code(run.tally, late, stopped=problem is not None)


def _direct(to: Direct, department: Department) -> DirectProducer:
    own = DirectSender(department=department.code, domain=department.domain, key_file=to.key_file)
    return DirectProducer(to.brokers, to.registry_url, own)


def _rules(client: BusClient, wish: Wish, *, is_needed: bool) -> Rules:
    """Of the edition in force, as the gateway tells it. Rows can be checked without a gateway too."""
    try:
        return compile_rules(client.edition())
    except SendError as error:
        if is_needed:
            raise SettingsError(en=str(error), zh=f"{wish.gateway} 未答复现行目录，请确认网关已启动") from error
        words = Text(
            en=f"Checked against this program's own catalogue: {wish.gateway} does not tell the one in force",
            zh=f"{wish.gateway} 未答复，按本程序自带的目录检查",
        )
        errors.print(words.in_language(user_language()), highlight=False)
        return compile_rules(edition_of(load()))
    except ValidationError as error:
        raise SettingsError(
            en=f"{wish.gateway} goes by a catalogue of another release: use the release of creditbus that runs there",
            zh=f"{wish.gateway} 的目录属于其他版本，请使用与其相同版本的 creditbus",
        ) from error


def exit_code(tally: Tally, late_rejections: int, *, stopped: bool) -> int:
    """0 when every row was received, 2 when none was, else 1."""
    if tally.received == 0 or tally.received == late_rejections:
        return EXIT_NOTHING
    complete = not stopped and tally.received == tally.rows and late_rejections == 0
    return EXIT_ALL if complete else EXIT_SOME


def _send(run: Import, sender: Sender, wish: Wish, department: Department, rules: Rules) -> Text | None:
    """Send everything with a bar; returns why it stopped early, if it did."""
    at = datetime.now(UTC).isoformat(timespec="milliseconds")
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    label = Text(en="{received} received, {rejected} refused", zh="已接收 {received}，退回 {rejected}")
    with Progress(*columns, console=console) as bars:
        bar = bars.add_task(wish.file.name)
        try:
            for tally in run.run(sender, lambda kind: context_for(kind, wish, department, rules, at)):
                progress = run.file.progress
                words = label.in_language(user_language()).format(received=tally.received, rejected=tally.rejected)
                bars.update(bar, completed=progress.done, total=progress.total, description=words)
        except SendError as error:
            return Text(en=str(error), zh=f"发送中断，更正后重新导入整个文件即可（重复导入无害）：{error}")
        except ImportFileError as error:
            if run.tally.received == 0:
                raise
            return Text(en=error.en, zh=error.zh)
        bars.update(bar, completed=1, total=1)
    return None


def context_for(kind: str, wish: Wish, department: Department, rules: Rules, at: str) -> Context:
    """What all events of the file have in common. Raises SettingsError when the item is not clear."""
    authorities = sorted(department.authorities)
    # the number of the order stands in brackets behind the name and is seldom quoted
    names = {
        name: code
        for code, instrument in rules.instruments.items()
        for name in (instrument.name.zh, instrument.name.zh.partition("（")[0])
    }
    return Context(
        sender=department.code,
        item=wish.item or _only_item(kind, department, rules),
        authority=authorities[0] if len(authorities) == 1 else "",
        region=department.region,
        instruments={**names, **{code: code for code in rules.instruments}},
        reported_at=at,
        fictitious=wish.fictitious,
        load_id=wish.load or None,
    )


def _only_item(kind: str, department: Department, rules: Rules) -> str:
    items = [
        code
        for code, item in sorted(rules.items.items())
        if kind in item.kinds
        and (not department.items or code in department.items)
        and (not item.providers or department.domain in item.providers)
    ]
    if len(items) == 1:
        return items[0]
    if not items:
        raise SettingsError(
            en=f"{department.code} may report no catalogue item of kind {kind}. Use another department",
            zh=f"{department.code} 没有可报送的 {kind} 目录条目，请换用其他单位",
        )
    raise SettingsError(
        en=f"Several catalogue items fit: name one with --item: {', '.join(items)}",
        zh=f"有多个目录条目可用，请以 --item 指明：{'、'.join(items)}",
    )


def _department(code: str, rules: Rules) -> Department:
    department = rules.departments.get(code)
    if department is None:
        near = ", ".join(get_close_matches(code, sorted(rules.departments), _NEAR, cutoff=0))
        raise SettingsError(
            en=f"--department: {code} is not in the catalogue. Nearest: {near}; all: {_ALL_DEPARTMENTS}",
            zh=f"--department：目录中没有 {code}。相近：{near}；全部：{_ALL_DEPARTMENTS}",
        )
    return department


def _wait_for_rest(run: Import, wish: Wish) -> int:
    """Follow what was received to its end; rejections go into the error file too. Returns how many there were."""
    lines = {receipt.event_id: line for line, receipt in run.tally.tracks}
    place = Lookup(url=wish.lookup, api_key=department_key(wish.key_file, wish.department), department=wish.department)
    rejected = known = 0
    label = Text(en="waiting for the bus", zh="等待处理结果").in_language(user_language())
    with Progress(console=console) as bars:
        bar = bars.add_task(label, total=len(lines))
        try:
            for state in wait_for_states(place, lines, _WAIT_SECONDS):
                known += 1
                bars.update(bar, completed=known)
                if state.state == REJECTED:
                    rejected += 1
                    reasons = [f"{one.problem_zh}（{one.remedy_zh}）/ {one.problem_en}" for one in state.faults]
                    run.write_error(lines[state.event_id], "; ".join(reasons))
        except httpx.HTTPStatusError as error:
            status = error.response.status_code
            _complain(Text(en=f"look-up answers HTTP {status}", zh=f"查询服务返回 HTTP {status}"))
        finally:
            run.close_errors()
    if known < len(lines):
        left = len(lines) - known
        _complain(Text(en=f"{left} events are still under way", zh=f"仍有 {left} 个事件在处理中"))
    return rejected


def _table(tally: Tally, late_rejections: int, *, dry_run: bool) -> Table:
    language = user_language()
    table = WholeTable(show_header=False)
    good = Text(en="fit for sending", zh="可发送") if dry_run else Text(en="received", zh="已接收")
    rows: list[tuple[Text, object]] = [
        (Text(en="kind", zh="种类"), tally.kind),
        (Text(en="encoding", zh="编码"), tally.encoding),
        (Text(en="rows", zh="行数"), tally.rows),
        (good, tally.received),
        (Text(en="refused", zh="退回"), tally.rejected),
        (Text(en="refused later", zh="处理时退回"), late_rejections),
        (Text(en="not acknowledged", zh="未获确认"), tally.unknown),
        (Text(en="columns not used", zh="未使用的列"), "、".join(tally.ignored_headers)),
        (Text(en="refused rows in", zh="退回的行"), tally.error_file or ""),
    ]
    rows += [(Text(en=f"  {code}", zh=f"  {code}"), count) for code, count in tally.codes.most_common()]
    for label, value in rows:
        if value not in (0, "") or label is good:
            table.add_row(label.in_language(language), str(value))
    return table


def _complain(text: Text) -> None:
    errors.print(text.in_language(user_language()), style="red", highlight=False, markup=False)
