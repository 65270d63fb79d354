"""``creditbus catalogue``: the data that decisions rest on, checked and shown."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
import yaml
from pydantic import ValidationError
from rich.markup import escape
from rich.table import Table

from creditbus.bus.rules import present_edition
from creditbus.bus.schemas import SchemaSet
from creditbus.catalogue.differences import differences_of
from creditbus.catalogue.editions import catalogue_from, compile_rules, edition_of
from creditbus.catalogue.errors import CatalogueError
from creditbus.catalogue.law import law_as_markdown
from creditbus.catalogue.loader import code_lists_of, load
from creditbus.catalogue.models import Catalogue, FormerDepartment
from creditbus.catalogue.page import catalogue_page
from creditbus.catalogue.purposes import load_purposes
from creditbus.catalogue.supplements import supplement_files
from creditbus.catalogue.themes import THEMES, called, fields_of, names_of, rows_of, shown, span_of
from creditbus.commands.connecting import running
from creditbus.commands.formats import format_of
from creditbus.commands.printing import WholeTable, terminal

console = terminal()

Folder = Annotated[Path | None, typer.Option("--folder", help="Folder of the data 数据文件夹")]
InForce = Annotated[
    bool, typer.Option("--in-force", help="As it is in force on the running bus, whatever this program has 现行版本")
]


def register(app: typer.Typer) -> None:
    """Add the group `catalogue` to app."""
    group = typer.Typer(
        help="The catalogue: check, show, explain, format, list, diff, law, page. 目录数据。", no_args_is_help=True
    )
    group.command("check")(check)
    group.command("show")(show)
    group.command("explain")(explain)
    group.command("format")(show_format)
    group.command("list")(list_theme)
    group.command("diff")(diff)
    group.command("law")(law)
    group.command("page")(page)
    app.add_typer(group, name="catalogue")


def check(folder: Folder = None) -> None:
    """Validate every file and every reference; tell the edition. 检查目录数据。"""
    catalogue = _loaded(folder)
    edition = edition_of(catalogue)
    try:
        compile_rules(edition)
        purposes = load_purposes(folder)
    except (ValidationError, ValueError, FileNotFoundError, yaml.YAMLError) as error:
        _fail(str(error))
    table = WholeTable(title=f"edition 版本 {edition.hash[:16]}")
    table.add_column("theme 主题")
    table.add_column("rows 行数", justify="right")
    for theme in THEMES:
        table.add_row(theme, f"{len(rows_of(catalogue, theme)):,}")
    table.add_row("purposes", str(len(purposes)))
    console.print(table)
    for path in supplement_files(folder):
        console.print(f"with the supplement 含补充目录 {escape(str(path))}", highlight=False, soft_wrap=True)
    console.print("[green]✓[/] nothing wrong 无问题")


def show(
    code: Annotated[str, typer.Argument(help="Code or name: L01, 150100-scjg, 自治区工商行政管理局 代码或名称")],
    folder: Folder = None,
    in_force: InForce = False,
) -> None:
    """Every row that has this code or name; of a former department also who does its work today. 按代码或名称查看。"""
    catalogue = _loaded(folder, in_force)
    found = [
        (theme, name, row) for theme in THEMES for name, row in rows_of(catalogue, theme) if code in called(name, row)
    ]
    if not found:
        _fail(f"no row has the code or name {code}; `creditbus catalogue list THEME` lists them 没有该代码或名称")
    heirs = {heir for _, _, row in found if isinstance(row, FormerDepartment) for heir in row.successors}
    found += [("departments", row.code, row) for row in catalogue.departments if row.code in heirs]
    for theme, name, row in found:
        console.print(_table_of_row(f"{theme}: {name}", row))


def explain(
    code: Annotated[str, typer.Argument(help="Code of a row, such as XZCFF or R302 代码")],
    folder: Folder = None,
    in_force: InForce = False,
) -> None:
    """What a code is, and every row that refers to it. 代码释义与引用。"""
    catalogue = _loaded(folder, in_force)
    found = [(theme, row) for theme in THEMES for name, row in rows_of(catalogue, theme) if name == code]
    used = [
        (theme, name, row)
        for theme in THEMES
        for name, row in rows_of(catalogue, theme)
        if name != code and code in _values_of(row)
    ]
    if not found and not used:
        _fail(f"no row has or names the code {code}; `creditbus catalogue list THEME` lists them 没有该代码")
    for theme, row in found:
        console.print(f"[bold]{code}[/] {theme}: {escape(' · '.join(filter(None, names_of(row))))}", highlight=False)
    for theme, name, row in used:
        console.print(f"  ← {theme} {name}: {escape(' · '.join(filter(None, names_of(row))))}", highlight=False)


def show_format(
    code: Annotated[str, typer.Argument(help="Code of an item, such as F01-FRAUD 条目代码")],
    folder: Folder = None,
    in_force: InForce = False,
) -> None:
    """The facts that an item's events carry: type, allowed values, meaning. 条目的数据格式。"""
    catalogue = _loaded(folder, in_force)
    item = next((row for row in catalogue.items if row.code == code), None)
    if item is None:
        _fail(f"there is no item {code}; `creditbus catalogue list items` lists them 没有该条目")
    schemas = SchemaSet.load()
    console.print(f"[bold]{code}[/] {escape(item.zh)} · {escape(item.en)}", highlight=False)
    for kind in item.kinds:
        table = WholeTable(title=kind)
        for column in ("field 字段", "type 类型", "values 取值", "中文", "English"):
            table.add_column(column)
        for row in format_of(item, kind, code_lists_of(catalogue), schemas):
            table.add_row(*map(escape, row))
        console.print(table)
    console.print("What every event carries besides 其他字段: `creditbus schemas show KIND`")


def diff(
    before: Annotated[Path, typer.Argument(help="Folder of the earlier data 旧数据文件夹")],
    after: Annotated[Path | None, typer.Argument(help="Folder of the later data; the program's own 新数据")] = None,
) -> None:
    """What changed between two catalogues, row by row and field by field. 目录差异。"""
    old, new = _loaded(before), _loaded(after)
    table = WholeTable(title=f"{edition_of(old).hash[:16]} → {edition_of(new).hash[:16]}")
    for column in ("theme 主题", "code 代码", "field 字段", "before 原", "after 现"):
        table.add_column(column)
    for row in differences_of(old, new):
        table.add_row(*map(escape, row))
    console.print(table if table.row_count else "[green]✓[/] the same 无差异")


def law(folder: Folder = None, in_force: InForce = False) -> None:
    """The text of docs/law.md: every rule with its legal basis and test. 规则与法律依据对照表。"""
    typer.echo(law_as_markdown(_loaded(folder, in_force)), nl=False)


def page(folder: Folder = None, in_force: InForce = False) -> None:
    """The whole catalogue as one HTML page, to browse and search. 目录网页。"""
    catalogue = _loaded(folder, in_force)
    typer.echo(catalogue_page(catalogue, edition_of(catalogue).hash), nl=False)


def list_theme(
    theme: Annotated[str, typer.Argument(help=f"One of {', '.join(THEMES)} 主题")],
    folder: Folder = None,
    in_force: InForce = False,
) -> None:
    """Every row of a theme: code, Chinese and English. 按主题列出。"""
    if theme not in THEMES:
        _fail(f"there is no theme {theme}; choose from {', '.join(THEMES)} 没有该主题")
    table = WholeTable(title=theme)
    for column in ("code 代码", "中文", "English", "in force 有效期"):
        table.add_column(column)
    for code, row in rows_of(_loaded(folder, in_force), theme):
        table.add_row(escape(code), *map(escape, names_of(row)), span_of(row))
    console.print(table)


def _table_of_row(title: str, row: Any) -> Table:
    table = WholeTable(title=escape(title))
    table.add_column("field 字段")
    table.add_column("value 值")
    for name, value in fields_of(row).items():
        table.add_row(name, escape(shown(value)))
    return table


def _values_of(row: Any) -> set[str]:
    """Every code that a row may name."""
    found: set[str] = set()
    for value in fields_of(row).values():
        nested = value.values() if isinstance(value, dict) else [value]
        found |= {str(one) for part in nested for one in (part if isinstance(part, list) else [part])}
    return found


def _loaded(folder: Path | None, in_force: bool = False) -> Catalogue:
    if in_force and folder is not None:
        _fail("--folder and --in-force name two catalogues: leave one out 两者只能选一")
    if in_force:
        return catalogue_from(present_edition(running().brokers).text)
    try:
        return load(folder)
    except CatalogueError as error:
        _fail(str(error))


def _fail(text: str) -> NoReturn:
    for line in text.splitlines():
        console.print(f"[red]✗[/] {escape(line)}", highlight=False)
    raise typer.Exit(1)
