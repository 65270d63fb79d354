"""``creditbus deadletters``: messages that a reader could not use, and loading them once they can be read."""

from __future__ import annotations

from contextlib import closing

import msgspec
import typer
from rich.markup import escape

from creditbus.clickhouse.client import ClickHouse
from creditbus.commands.connecting import running
from creditbus.commands.printing import AsJson, WholeTable, id_column, iso_time, minute, print_json, terminal
from creditbus.core.deadletter import DeadLetter
from creditbus.lab.deadletters import DeadLetterFile
from creditbus.lab.places import bus_places

console = terminal()
_PLACE = "place 位置"


def register(app: typer.Typer) -> None:
    """Add `deadletters list` and `load` to app."""
    group = typer.Typer(help="Messages that could not be read: list, load. 无法读取的消息。", no_args_is_help=True)
    group.command("list")(list_all)
    group.command("load")(load)
    app.add_typer(group, name="deadletters")


def list_all(as_json: AsJson = False) -> None:
    """Every message that a reader passed over, and why. 列出被跳过的消息。"""
    with _file() as file:
        letters = file.letters()
    if as_json:
        print_json([{**msgspec.structs.asdict(one), "at": iso_time(one.at)} for one in letters])
        return
    if not letters:
        console.print("[green]✓[/] every message could be read 所有消息均可读取")
        return
    columns = ("bytes 长度", "reader 读取方", "reason 原因", "found at 发现时间")
    table = WholeTable(id_column(_PLACE), *columns, title="Dead letters 无法读取的消息")
    for one in letters:
        table.add_row(_place(one), str(one.size), one.reader, escape(one.reason), minute(one.at))
    console.print(table)
    console.print(
        "The messages are still on their topics. Mend what is missing (a schema: `creditbus schemas push`), then "
        "`creditbus deadletters load`. 原消息仍在主题中，修复后可补录。"
    )


def load() -> None:
    """Put the messages that can be read by now into their tables. 补录现在可读取的消息。"""
    with _file() as file, closing(ClickHouse(bus_places().clickhouse_url)) as clickhouse:
        results = file.load(clickhouse)
    table = WholeTable(id_column(_PLACE), "table 数据表", "problem 问题", title="Dead letters loaded 补录结果")
    for one in results:
        table.add_row(_place(one.letter), one.table or "–", escape(one.problem))
    console.print(table)
    console.print(f"{sum(bool(one.table) for one in results)} of {len(results)} loaded 已补录")


def _place(letter: DeadLetter) -> str:
    return escape(f"{letter.topic} [{letter.partition}] {letter.offset}")


def _file() -> closing[DeadLetterFile]:
    places = running()
    return closing(DeadLetterFile(places.brokers, places.registry_url))
