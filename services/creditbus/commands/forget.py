"""``creditbus forget``: a natural person is forgotten, everywhere and for good."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape

from creditbus.commands.connecting import connected, console, fail
from creditbus.commands.printing import WholeTable
from creditbus.core.identifiers import normalise_identifier
from creditbus.dossier.view import PERSON_PREFIX
from creditbus.lab.forgetting import Forgetting, Known


def register(app: typer.Typer) -> None:
    """Add the command to app."""
    app.command("forget")(forget)


def forget(
    subject: Annotated[
        str, typer.Argument(help="Key of the person (p:…); without it the number is asked for 主体键")
    ] = "",
    reason: Annotated[str, typer.Option("--reason", help="Why; it stays on the log, so name nobody 理由")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask 不再询问")] = False,
) -> None:
    """Forget a natural person: keys are destroyed, dossier and rows deleted, orders lifted. 遗忘自然人。

    What stays is on the log under a key that leads to nobody, sealed with a key that is gone. The same number makes a
    new person. Copies of the vault from before are covered by `creditbus keys rotate --master`.
    """
    if not reason.strip():
        fail("--reason is needed: it stays on the log, so that whoever audits knows why 须写明理由")
    with connected() as (places, registry):
        desk = Forgetting(places, registry)
        try:
            key = _key(subject, desk)
            _show(key, desk.known(key))
            if not yes:
                typer.confirm("Forget this person for good? 确认永久遗忘？", abort=True)
            order = desk.forget(key, reason.strip())
        finally:
            desk.close()
    console.print(f"[green]✓[/] order {order.control_id} is on the log; dossier and warehouse obey it. 已写入日志。")
    console.print("`creditbus keys rotate --master` makes older copies of the vault useless. 请轮换主密钥以覆盖备份。")


def _key(subject: str, desk: Forgetting) -> str:
    if subject:
        if not subject.startswith(PERSON_PREFIX):
            fail(f"{subject}: only natural persons are forgotten; their keys begin with {PERSON_PREFIX} 仅适用于自然人")
        return subject
    number = typer.prompt("Number of the person, not shown 公民身份号码（不显示）", hide_input=True)
    key = desk.key_of(normalise_identifier(number))
    if key is None:
        fail("the number leads to nobody 该号码没有对应的主体")
    return key


def _show(key: str, known: Known | None) -> None:
    if known is None:
        console.print("no dossier is known of this person; keys are destroyed all the same 没有档案，仍销毁密钥")
        return
    table = WholeTable(title=escape(key), show_header=False)
    records = ", ".join(f"{number} {kind}" for kind, number in sorted(known.records.items()))
    table.add_row("records 信息", records or "–")
    table.add_row("lists whose orders are lifted 解除的名单", ", ".join(known.lists) or "–")
    table.add_row("in quarantine 隔离中", str(known.parked))
    console.print(table)
