"""``creditbus reconcile``: a department's own list of what it sent on a day against what reached the bus (对账)."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from creditbus.commands.connecting import ask_lookup, console, department_key
from creditbus.commands.printing import AsJson, WholeTable, print_json
from creditbus.core.records import BEIJING
from creditbus.lab.errors import SettingsError
from creditbus.lab.places import bus_places
from creditbus.lab.secrets import LAB_KEYS

_SHOWN = 20
_WHAT = {
    "missing": "never arrived: send it again under the same id 未收到，请以同一标识重新报送",
    "other_days": "arrived on another day 于其他日期收到",
    "surplus": "arrived, and is not in the file 已收到，但文件中没有",
    "rejected": "refused: mend it and send it again 被退回，请更正后重新报送",
}


def register(app: typer.Typer) -> None:
    """Add the command to app."""
    app.command()(reconcile)


def reconcile(  # noqa: PLR0913 - the options of a command line
    department: Annotated[str, typer.Option(help="Whose events. 报送单位代码。")],
    file: Annotated[Path | None, typer.Argument(help="Ids of the events sent, one a line. 已报送的事件标识。")] = None,
    day: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Day in Beijing, default today. 日期。")
    ] = None,
    lookup: Annotated[str, typer.Option(envvar="CREDITBUS_LOOKUP_URL", help="Default: the lab's.")] = "",
    key_file: Annotated[Path | None, typer.Option(help="API key, or JSON of keys. Default: the lab's.")] = None,
    as_json: AsJson = False,
) -> None:
    """What a department sent on a day against what arrived, id by id; 1 when something differs. 对账。

    Without a file: count and digest of what arrived. `LC_ALL=C sort -u FILE | sha256sum` makes the same digest."""
    places = bus_places()
    key = department_key(key_file or places.secrets / LAB_KEYS, department)
    on = (day or datetime.now(BEIJING)).date().isoformat()
    url, path = lookup or places.lookup_url, "/v1/reconciliation"
    if file is None:
        told = ask_lookup(url, path, key, params={"day": on})
    else:
        told = ask_lookup(url, path, key, body={"day": on, "event_ids": _ids_in(file)})
    if as_json:
        print_json(told)
    else:
        _show(told)
    raise typer.Exit(0 if told.get("agrees", True) else 1)


def _ids_in(file: Path) -> list[str]:
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            en=f"{file} cannot be read: {error}. Name a text file with one event id a line",
            zh=f"无法读取 {file}。请指定每行一个事件标识的文本文件",
        ) from error
    return [line.strip() for line in lines if line.strip()]


def _show(told: dict[str, Any]) -> None:
    table = WholeTable(title=f"Reconciliation 对账 {told['day']}")
    for header in ("kind 种类", "accepted 已接收", "rejected 被退回"):
        table.add_column(header)
    for row in told["kinds"]:
        table.add_row(row["kind"], f"{row['accepted']:,}", f"{row['rejected']:,}")
    console.print(table)
    console.print(f"arrived 已收到: {told['events']:,}  {told['digest']}", highlight=False)
    if "sent" in told:
        console.print(f"sent 已报送: {told['sent']['events']:,}  {told['sent']['digest']}", highlight=False)
    for name, what in _WHAT.items():
        _tell(what, told.get(name, []))
    if told.get("agrees"):
        console.print("[green]✓[/] nothing is missing, nothing surplus 无遗漏，无多余")


def _tell(what: str, events: list[Any]) -> None:
    for one in events[:_SHOWN]:
        text = one if isinstance(one, str) else f"{one['event_id']} ({one['day']})"
        console.print(f"[yellow]•[/] {escape(text)}: {what}", highlight=False)
    if len(events) > _SHOWN:
        console.print(f"  … {len(events) - _SHOWN:,} more, see --json 其余见 --json", highlight=False)
