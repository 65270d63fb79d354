"""``creditbus rules propose``, ``approve``, ``activate`` and ``list``: how an edition of the catalogue takes effect."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from creditbus.bus.editions import publish_edition
from creditbus.catalogue.differences import differences_of
from creditbus.catalogue.editions import catalogue_from, edition_of
from creditbus.catalogue.loader import load
from creditbus.commands.connecting import Key, Officer, Why, connected, console, fail, send_approval, tell_approved
from creditbus.commands.printing import AsJson, WholeTable, picked, print_json
from creditbus.lab.deployment import ensure_keys
from creditbus.lab.editions import Proposal, activate, proposals
from creditbus.lab.secrets import LAB_KEYS

_MOST_SHOWN = 40

Hash = Annotated[str, typer.Argument(help="Hash of the edition, or its first characters 版本摘要或其前几位")]


def add_to(group: typer.Typer) -> None:
    """Add the commands to the group."""
    group.command("propose")(propose)
    group.command("approve")(approve)
    group.command("activate")(put_in_force)
    group.command("list")(list_all)


def propose(
    folder: Annotated[Path | None, typer.Argument(help="Folder of the catalogue; the program's own 目录文件夹")] = None,
) -> None:
    """Publish an edition, and tell what it changes; it takes effect when two officers approved it. 提交新版本。"""
    with connected() as (places, registry):
        edition = edition_of(load(folder))
        before = next((one for one in proposals(places.brokers, registry).values() if one.is_in_force), None)
        publish_edition(places.brokers, edition.text)
    if before is not None:
        _show_changes(before, edition.text)
    console.print(f"[green]✓[/] proposed 已提交 {edition.hash}", highlight=False, soft_wrap=True)
    console.print("Try it on the log first: `creditbus rules backtest BEFORE AFTER` 建议先试算")
    console.print(f"Then two officers: `creditbus rules approve {edition.hash[:16]} --as OFFICER --reason …`")


def approve(edition: Hash, officer: Officer, reason: Why, key: Key = "") -> None:
    """Approve that an edition takes effect. 批准启用。"""
    with connected() as (places, registry):
        one = _found(proposals(places.brokers, registry), edition)
        send_approval(places, f"/v1/editions/{one.hash}/approvals", {"reason": reason}, (officer, key))
    tell_approved(one.lacks(officer), "creditbus rules activate HASH")


def put_in_force(edition: Hash) -> None:
    """Put an approved edition in force, from this moment of the log on. 启用已批准的版本。"""
    with connected() as (places, registry):
        one = _found(proposals(places.brokers, registry), edition)
        done = activate(places.brokers, registry, one)
        ensure_keys(places)
    officers = " and ".join(done.approved_by)
    console.print(f"[green]✓[/] {one.hash[:16]} is in force, approved by {officers} 已启用", highlight=False)
    console.print("The dossier follows at once, everything else within half a minute 约半分钟内全部生效")
    console.print(
        f"New departments have an API key in {places.secrets / LAB_KEYS} 新增单位的密钥见该文件", soft_wrap=True
    )


def list_all(as_json: AsJson = False) -> None:
    """Every edition, who approved it, and which is in force. 列出各版本。"""
    with connected() as (places, registry):
        found = proposals(places.brokers, registry)
    if as_json:
        print_json([_document(one) for one in found.values()])
        return
    table = WholeTable(title="Editions 目录版本")
    for column in ("edition 版本", "in force 现行", "approved by 批准", "reasons 理由"):
        table.add_column(column)
    for one in found.values():
        reasons = "\n".join(f"{approval['officer']}: {approval['reason']}" for approval in one.approvals)
        table.add_row(one.hash[:16], "✓" if one.is_in_force else "", ", ".join(one.officers) or "–", escape(reasons))
    console.print(table)


def _document(one: Proposal) -> dict[str, object]:
    approvals = [picked(row, "officer", "reason") for row in one.approvals]
    return {"edition": one.hash, "is_in_force": one.is_in_force, "approvals": approvals}


def _show_changes(before: Proposal, text: bytes) -> None:
    rows = differences_of(catalogue_from(before.text), catalogue_from(text))
    table = WholeTable(title=f"Changes against {before.hash[:16]} 与现行版本的差异")
    for column in ("theme 主题", "code 代码", "field 字段", "before 原", "after 现"):
        table.add_column(column)
    for row in rows[:_MOST_SHOWN]:
        table.add_row(*map(escape, row))
    console.print(table if rows else "the same as the one in force 与现行版本相同")
    if len(rows) > _MOST_SHOWN:
        console.print(f"… {len(rows) - _MOST_SHOWN} more: `creditbus catalogue diff BEFORE AFTER` 其余见")


def _found(known: dict[str, Proposal], edition: str) -> Proposal:
    matching = [one for name, one in known.items() if name.startswith(edition)]
    if len(matching) != 1:
        what = "no edition begins so" if not matching else f"{len(matching)} editions begin so"
        fail(f"{edition}: {what}; `creditbus rules list` tells them 请核对版本摘要")
    return matching[0]
