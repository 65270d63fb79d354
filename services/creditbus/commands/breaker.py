"""``creditbus breaker``: sources that list far more than usual, what waits because of it, and their release."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape

from creditbus.bus.rules import rules_in_force
from creditbus.commands.connecting import Key, Officer, Why, connected, console, fail, send_approval
from creditbus.commands.printing import AsJson, WholeTable, counted, iso_time, minute, picked, print_json
from creditbus.core.breaker import RELEASE, ROLL_BACK
from creditbus.lab.breakers import Standing, radius_of, standings

Source = Annotated[str, typer.Argument(help="Code of the department 报送单位代码")]


def register(app: typer.Typer) -> None:
    """Add `breaker list`, `show` and `release` to app."""
    group = typer.Typer(help="Sources that list far more than usual. 来源熔断。", no_args_is_help=True)
    group.command("list")(list_all)
    group.command("show")(show)
    group.command("release")(release)
    group.command("rollback")(roll_back)
    app.add_typer(group, name="breaker")


def list_all(as_json: AsJson = False) -> None:
    """Every source whose listings wait, and why. 列出被观察或暂缓的来源。"""
    with connected() as (places, registry):
        found = {name: one for name, one in standings(places.brokers, registry).items() if one.is_open}
    if as_json:
        print_json([_document(name, one) for name, one in sorted(found.items())])
        return
    if not found:
        console.print("[green]✓[/] no source is watched or held 无被观察或暂缓的来源")
        return
    table = WholeTable(title="Sources 来源")
    for column in ("source 来源", "state 状态", "since 时间", "reason 原因", "approved by 已批准"):
        table.add_column(column)
    for name, one in sorted(found.items()):
        order = one.order
        officers = ", ".join(approval["officer"] for approval in one.approvals) or "–"
        table.add_row(name, order["action"], minute(order["at"]), escape(order["reason"]), officers)
    console.print(table)
    console.print("`creditbus breaker show SOURCE` tells what waits 查看影响范围")


def show(source: Source, as_json: AsJson = False) -> None:
    """What waits because of a source, and what its release would do. 查看影响范围。"""
    with connected() as (places, registry):
        one = _standing(standings(places.brokers, registry), source)
        rules = rules_in_force(places.brokers)
        radius = radius_of(places.brokers, registry, source, rules)
    if as_json:
        by = {"lists": radius.lists, "regions": radius.regions, "orders_on_release": radius.orders}
        waiting = {"subjects": len(radius.subjects), "listings": radius.listings, **by}
        print_json({**_document(source, one), "waiting": waiting})
        return
    table = WholeTable(title=f"{source} · {one.order['action']}", show_header=False)
    table.add_row("hold 暂缓标识", one.order["control_id"])
    table.add_row("reason 原因", escape(one.order["reason"]))
    table.add_row("subjects 主体", f"{len(radius.subjects):,}")
    table.add_row("listings that wait 暂缓的列入", f"{radius.listings:,}")
    table.add_row("lists 名单", counted(radius.lists))
    table.add_row("regions 地区", counted(radius.regions))
    table.add_row("orders on release 放行后的措施", counted(radius.orders))
    for approval in one.approvals:
        told = f"{approval['action']} {approval['officer']}: {approval['reason']}"
        table.add_row("approved 已批准", escape(told))
    console.print(table)
    console.print("Two different officers release it: `creditbus breaker release SOURCE --as OFFICER --reason …`")
    console.print("or see that nothing of it takes effect: `creditbus breaker rollback SOURCE --as OFFICER --reason …`")


def release(source: Source, officer: Officer, reason: Why, key: Key = "") -> None:
    """Approve the release of a held source; the second officer's approval lets it go. 批准放行。"""
    _approve(source, officer, reason, key, RELEASE)


def roll_back(source: Source, officer: Officer, reason: Why, key: Key = "") -> None:
    """Approve that what waits because of a held source never takes effect; it takes two. 批准批量回退。"""
    _approve(source, officer, reason, key, ROLL_BACK)


def _approve(source: str, officer: str, reason: str, key: str, action: str) -> None:
    with connected() as (places, registry):
        one = _standing(standings(places.brokers, registry), source)
        if one.order["action"] != "HOLD":
            fail(f"{source} is not held: `creditbus breaker list` 该来源未被暂缓")
        body = {"hold_id": str(one.order["control_id"]), "reason": reason, "action": action}
        send_approval(places, f"/v1/breakers/{source}/approvals", body, (officer, key))
    others = {approval["officer"] for approval in one.approvals if approval["action"] == action} - {officer}
    if others:
        done = "released 来源放行" if action == RELEASE else "rolled back 已回退"
        console.print(f"[green]✓[/] approved; {source} is {done}", highlight=False)
    else:
        console.print("[green]✓[/] approved; a second officer has to approve too 已批准，尚须另一名人员批准")


def _standing(found: dict[str, Standing], source: str) -> Standing:
    one = found.get(source)
    if one is None or not one.is_open:
        fail(f"{source} is neither watched nor held: `creditbus breaker list` 该来源未被观察或暂缓")
    return one


def _document(source: str, one: Standing) -> dict[str, object]:
    order = one.order
    return {
        "source": source,
        "state": order["action"],
        "since": iso_time(order["at"]),
        "hold_id": order["control_id"],
        "reason": order["reason"],
        "approvals": [picked(row, "officer", "action", "reason") for row in one.approvals],
    }
