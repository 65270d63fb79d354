"""``creditbus webhooks``: who gets orders, lifts and alerts sent, and how that goes."""

from __future__ import annotations

import uuid
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.markup import escape

from creditbus.bus.rules import rules_in_force
from creditbus.clickhouse.client import ClickHouse
from creditbus.commands.connecting import console, fail, running
from creditbus.commands.printing import AsJson, WholeTable, id_column, minute, print_json
from creditbus.core.records import BEIJING
from creditbus.core.subscribers import families_of
from creditbus.lab.webhooks import WebhookError, Webhooks, sent_to
from creditbus.notifier.bulletin import is_bulletin
from creditbus.notifier.endpoint import Endpoints
from creditbus.notifier.steps import ping_of, refused_families
from creditbus.notifier.subscriptions import Subscription, new_secret
from creditbus.notifier.worker import Condition

Name = Annotated[str, typer.Argument(help="Name of the webhook: small letters, digits, - 名称")]
_PING_SECONDS = 15.0


def register(app: typer.Typer) -> None:
    """Add the commands of `webhooks` to app."""
    group = typer.Typer(
        help="Orders, lifts and alerts by HTTP, alerts by mail and chat: who gets them, and how that goes. 推送。",
        no_args_is_help=True,
    )
    group.command("list")(list_all)
    group.command("add")(add)
    group.command("ping")(ping)
    group.command("history")(history)
    group.command("move")(move)
    group.command("rotate")(rotate)
    group.command("skip")(skip)
    group.command("remove")(remove)
    app.add_typer(group, name="webhooks")


def list_all(as_json: AsJson = False) -> None:
    """Every webhook, what it gets, and how it stands. 列出推送及其状态。"""
    desk = _desk()
    conditions = desk.conditions()
    rows = [{**_public(name, one), **_standing(conditions, name)} for name, one in desk.rows().items()]
    if as_json:
        print_json(rows)
        return
    if not rows:
        console.print("No webhooks yet: creditbus webhooks add --help 尚无推送")
        return
    columns = ("department 单位", "gets 内容", "sent 已送", "state 状态", "told 答复", "message 未送达")
    table = WholeTable(id_column("webhook 名称"), *columns, title="Webhooks 网络回调推送")
    for row in rows:
        gets = ", ".join([*row["families"], *row["alerts"]])
        since = f"{row['state']} {_minute(row['since'])}".strip()
        shown = (row["name"], row["department"], gets, str(row["sent"]), since, row["told"], row["message"])
        table.add_row(*map(escape, shown))
    console.print(table)


def add(  # noqa: PLR0913 - the options of a command line
    name: Name,
    department: Annotated[str, typer.Option(help="Whose webhook it is 单位代码")],
    url: Annotated[str, typer.Option(help="Where messages go: https://; alerts: mailtos://, wecombot:// … 接收地址")],
    families: Annotated[str, typer.Option(help="Families of measures whose orders it gets: M01,M09 措施类别")] = "",
    alerts: Annotated[str, typer.Option(help="Kinds of alerts: DISHONEST_SUBJECT,CLEARED_SUBJECT 预警种类")] = "",
    region: Annotated[str, typer.Option(help="Alerts of this region alone 仅限该地区的预警")] = "",
    persons: Annotated[bool, typer.Option("--persons", help="Also orders against persons 含自然人")] = False,
    at_start: Annotated[
        bool, typer.Option("--from-start", help="Alerts too from the first that the log has 预警也从头开始")
    ] = False,
) -> None:
    """Send a department its orders and lifts from the first on, and alerts from now on. 新增推送。

    The secret is shown once: the receiver checks signatures with it (Standard Webhooks). Mail and chat have none.
    """
    secret = new_secret()
    rights = families_of(department, datetime.now(BEIJING).date(), rules_in_force(running().brokers))
    if refused := refused_families(_split(families), rights, persons=persons):
        carried_out = ", ".join(sorted(rights)) or "-"
        raise WebhookError(
            en=f"--families: {department} does not carry out {', '.join(refused)}, but {carried_out}; "
            "see creditbus catalogue list subscribers",
            zh=f"--families：{department} 不实施 {'、'.join(refused)}，其实施的措施为 {carried_out}",
        )
    row = {
        "department": department, "url": url, "secret": secret, "families": _split(families), "persons": persons,
        "alerts": _split(alerts), "region": region,
    }  # fmt: skip
    _desk().add(name, row, at_start=at_start)
    console.print(f"[green]✓[/] {escape(name)}: the notifier serves it within seconds 数秒内生效", highlight=False)
    if not is_bulletin(url):
        console.print(f"secret 密钥（仅显示一次）: {secret}", highlight=False, soft_wrap=True)


def ping(name: Name) -> None:
    """Send a message that tells nothing of anybody, and say what the endpoint answers. 测试推送。"""
    row = _row(name)
    with closing(Endpoints(_PING_SECONDS)) as endpoints:
        answer = endpoints.send(row, ping_of(str(uuid.uuid4()), datetime.now(UTC).isoformat(timespec="seconds")))
    if not answer.is_taken:
        fail(f"{row.shown_url}: {answer.told}. Is it there, and does it answer 2xx? 接收端未接收（2xx）")
    console.print(f"[green]✓[/] {escape(row.shown_url)}: {answer.told}", highlight=False)


def history(
    name: Name,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="So many 条数")] = 50,
    as_json: AsJson = False,
) -> None:
    """What was sent to a webhook, newest first, as the ledger has it. 推送记录。"""
    _row(name)
    with closing(ClickHouse(running().clickhouse_url)) as clickhouse:
        rows = sent_to(clickhouse, name, limit)
    if as_json:
        print_json(rows)
        return
    columns = ("at 时间", "message 消息", "about 内容", "result 结果")
    table = WholeTable(*columns, id_column("subject 主体"), title=f"Sent to {name} 推送记录")
    for row in rows:
        shown = (_minute(row["at"]), row["message"], row["basis"], row["result"], row["subject_key"])
        table.add_row(*map(escape, shown))
    console.print(table)


def move(name: Name, url: Annotated[str, typer.Option(help="Where messages go from now on 新的接收地址")]) -> None:
    """Send to another address from now on; nothing is left out and nothing begins anew. 变更接收地址。"""
    _desk().change(name, _row(name), url=url)
    console.print(f"[green]✓[/] {escape(name)}: {escape(_row(name).shown_url)}", highlight=False)


def rotate(
    name: Name,
    finish: Annotated[
        bool, typer.Option("--finish", help="Sign with the new secret alone from now on 结束过渡")
    ] = False,
) -> None:
    """A new secret, shown once. Messages are signed with both until --finish. 轮换密钥。"""
    row = _row(name)
    if finish:
        _desk().change(name, row, previous_secret="")
        console.print(f"[green]✓[/] {escape(name)}: the old secret is gone 旧密钥已停用", highlight=False)
        return
    secret = new_secret()
    _desk().change(name, row, secret=secret, previous_secret=row.secret)
    console.print(f"secret 密钥（仅显示一次）: {secret}", highlight=False, soft_wrap=True)
    console.print("Once the receiver has it 接收端更换后: creditbus webhooks rotate NAME --finish", highlight=False)


def skip(
    name: Name,
    message: Annotated[str, typer.Argument(help="Id of the message that it does not take 消息标识")],
    reason: Annotated[str, typer.Option("--reason", help="Why; it stays on the ledger 理由（记入登记）")],
) -> None:
    """Pass over a message that an endpoint will never take; those after it are sent. 跳过一条消息。"""
    row = _row(name)
    _desk().change(name, row, passed_over={**row.passed_over, message: reason})
    console.print(f"[green]✓[/] {escape(message)} is passed over 已跳过", highlight=False)


def remove(name: Name) -> None:
    """Send nothing to a webhook any more. 删除推送。"""
    _row(name)
    _desk().remove(name)
    console.print(f"[green]✓[/] {escape(name)} is removed 已删除", highlight=False)


def _desk() -> Webhooks:
    return Webhooks(running())


def _row(name: str) -> Subscription:
    row = _desk().rows().get(name)
    if row is None:
        fail(f"{name}: there is no such webhook (creditbus webhooks list) 没有该推送")
    return row


def _public(name: str, row: Subscription) -> dict[str, Any]:
    """A webhook without what is secret of it."""
    told = row.model_dump(mode="json", exclude={"secret", "previous_secret"})
    return {"name": name, **told, "url": row.shown_url}


def _standing(conditions: dict[str, dict[str, Any]] | None, name: str) -> dict[str, Any]:
    if conditions is None:
        return asdict(Condition(state="notifier does not answer"))
    return conditions.get(name) or asdict(Condition())


def _minute(since: str) -> str:
    return minute(int(datetime.fromisoformat(since).timestamp() * 1000)) if since else ""


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.replace("，", ",").split(",") if part.strip()]
