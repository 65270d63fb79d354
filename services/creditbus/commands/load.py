"""``creditbus load``: what a department already has on file comes in without any noise, and is released by two."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from typing import Annotated, Any

import typer
from rich.markup import escape

from creditbus.bus.registry import Registry
from creditbus.bus.wire import Types
from creditbus.commands.connecting import (
    Key,
    Officer,
    Why,
    ask_lookup,
    connected,
    console,
    fail,
    secret_of,
    send_approval,
)
from creditbus.commands.printing import AsJson, WholeTable, counted, iso_time, minute, picked, print_json
from creditbus.core.breaker import HOLD, RELEASE, ROLL_BACK
from creditbus.core.loading import COMPLETE, LOAD_ID, OPEN, department_of, is_load, load_id_of, load_source
from creditbus.core.topics import BREAKER
from creditbus.lab.reading import read_values
from creditbus.lab.stack import LabAddresses

Department = Annotated[str, typer.Argument(help="Code of the department 报送单位代码")]
LoadId = Annotated[str, typer.Argument(help="Id that the department gives the load: a-z, 0-9, - 导入批次标识")]
_PROPOSED = "PROPOSED"
_STATES = {HOLD: "OPEN"}
_MAY_APPROVE = {OPEN: (_PROPOSED,), RELEASE: (COMPLETE,), ROLL_BACK: ("OPEN", COMPLETE)}


def register(app: typer.Typer) -> None:
    """Add `load list`, `show`, `open`, `complete`, `release` and `rollback` to app."""
    group = typer.Typer(help="Initial loads of what departments have on file. 初始导入。", no_args_is_help=True)
    group.command("list")(list_all)
    group.command("show")(show)
    group.command("open")(open_load)
    group.command("complete")(complete)
    group.command("release")(release)
    group.command("rollback")(roll_back)
    app.add_typer(group, name="load")


def list_all(as_json: AsJson = False) -> None:
    """Every load and where it stands. 列出初始导入。"""
    with connected() as (places, registry):
        found = _loads(places, registry)
    if as_json:
        print_json([_document(source, said) for source, said in sorted(found.items())])
        return
    if not found:
        console.print("[green]✓[/] no initial load so far 尚无初始导入")
        return
    table = WholeTable(title="Initial loads 初始导入")
    for column in ("department 单位", "load 批次", "state 状态", "since 时间", "said by 意见"):
        table.add_column(column)
    for source, said in sorted(found.items()):
        by = ", ".join(f"{row['action']} {row['officer']}" for row in said if "officer" in row)
        table.add_row(department_of(source), load_id_of(source), _state(said), minute(said[-1]["at"]), escape(by))
    console.print(table)
    console.print("`creditbus load show DEPARTMENT LOAD` tells what it brings 查看报告")


def show(department: Department, load_id: LoadId, officer: Officer, key: Key = "", as_json: AsJson = False) -> None:
    """What a load brought, and what its release would do: the report to read before. 查看报告。"""
    with connected() as (places, registry):
        said = _loads(places, registry).get(_source(department, load_id), [])
        path = f"/v1/loads/{department}/{load_id}"
        report = ask_lookup(places.lookup_url, path, secret_of(places, officer, key))
    if as_json:
        print_json({"state": _state(said), **report})
        return
    waiting = report["waiting"]
    table = WholeTable(title=f"{department} {load_id} · {_state(said)}", show_header=False)
    table.add_row("events on file 事件", f"{report['events']:,}")
    table.add_row("subjects 主体", f"{report['subjects']:,}")
    table.add_row("records by kind 种类", counted(report["kinds"]))
    table.add_row("records by outcome 处理结果", counted(report["outcomes"]))
    table.add_row("listings that wait 暂缓的列入", f"{waiting['listings']:,} ({waiting['subjects']:,} subjects 主体)")
    table.add_row("lists 名单", counted(waiting["lists"]))
    table.add_row("regions 地区", counted(waiting["regions"]))
    table.add_row("orders on release, at most 放行后的措施至多", counted(waiting["orders_at_most"]))
    for one in waiting["examples"]:
        told = f"{one['subject_key']} {one['subject_name']} · {one['list']} · {one['document_number']}"
        table.add_row("for example 例如", escape(told))
    console.print(table)
    console.print(f"What did not arrive or was refused: `creditbus reconcile --department {department}` 对账")
    console.print(f"`creditbus load release {department} {load_id} --as OFFICER --reason …`, by two 须两名人员批准")


def open_load(department: Department, load_id: LoadId, officer: Officer, reason: Why, key: Key = "") -> None:
    """Approve that a department begins a load; it takes two of other departments. 批准开始。"""
    _approve(_source(department, load_id), officer, reason, key, OPEN)


def complete(department: Department, load_id: LoadId, key: Key = "") -> None:
    """Say that everything of one's own load is sent. 报送完毕。"""
    source = _source(department, load_id)
    with connected() as (places, registry):
        _must_be(source, _state(_loads(places, registry).get(source, [])), ("OPEN",))
        send_approval(places, f"/v1/loads/{load_id}/completion", {}, (department, key))
    console.print("[green]✓[/] complete; nothing more is taken under this id 已报送完毕，不再接收")


def release(department: Department, load_id: LoadId, officer: Officer, reason: Why, key: Key = "") -> None:
    """Approve, having read the report, that what a load brings takes effect; it takes two. 批准放行。"""
    _approve(_source(department, load_id), officer, reason, key, RELEASE)


def roll_back(department: Department, load_id: LoadId, officer: Officer, reason: Why, key: Key = "") -> None:
    """Approve that listings, measures and offers of a load never take effect; it takes two. 批准回退。"""
    _approve(_source(department, load_id), officer, reason, key, ROLL_BACK)


def _approve(source: str, officer: str, reason: str, key: str, action: str) -> None:
    with connected() as (places, registry):
        said = _loads(places, registry).get(source, [])
        _must_be(source, _state(said), _MAY_APPROVE[action])
        body = {"reason": reason, "action": action}
        send_approval(places, f"/v1/loads/{department_of(source)}/{load_id_of(source)}/approvals", body, (officer, key))
    others = {row["officer"] for row in said if row["action"] == action and "officer" in row} - {officer}
    more = "by two 已由两名人员批准" if others else "a second officer has to approve too 尚须另一名人员批准"
    console.print(f"[green]✓[/] approved 已批准; {more}", highlight=False)


def _must_be(source: str, state: str, allowed: tuple[str, ...]) -> None:
    if state not in allowed:
        fail(f"{source} is {state}, not {' or '.join(allowed)}: `creditbus load list` 该导入当前状态不允许此操作")


def _source(department: str, load_id: str) -> str:
    if re.fullmatch(LOAD_ID, load_id) is None:
        fail(f"“{load_id}” is no id of a load: a-z, 0-9 and -, at most 40 批次标识只能含小写字母、数字和连字符")
    return load_source(department, load_id)


def _loads(places: LabAddresses, registry: Registry) -> dict[str, list[Mapping[str, Any]]]:
    """What was ordered and said about each load, in order."""
    found: dict[str, list[Mapping[str, Any]]] = defaultdict(list)

    def note(_: str, value: dict[str, Any]) -> None:
        if is_load(value["source"]):
            found[value["source"]].append(value)

    read_values(places.brokers, BREAKER, Types(registry), note)
    return dict(found)


def _state(said: list[Mapping[str, Any]]) -> str:
    """PROPOSED, OPEN, COMPLETE, RELEASE or ROLL_BACK, by the last order."""
    orders = [str(row["action"]) for row in said if "control_id" in row]
    return _STATES.get(orders[-1], orders[-1]) if orders else _PROPOSED


def _document(source: str, said: list[Mapping[str, Any]]) -> dict[str, object]:
    return {
        "department": department_of(source),
        "load_id": load_id_of(source),
        "state": _state(said),
        "since": iso_time(said[-1]["at"]),
        "said": [picked(row, "officer", "action", "reason") for row in said if "officer" in row],
    }
