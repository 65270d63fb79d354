"""``creditbus keys``: the keys that keep persons unknown, new versions of them, and keys that departments sign with."""

from __future__ import annotations

from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from creditbus.bus.keyfiles import PLATFORM
from creditbus.bus.wire import Types
from creditbus.commands import signingkeys
from creditbus.commands.connecting import connected, console
from creditbus.commands.printing import AsJson, WholeTable, id_column, print_json
from creditbus.lab.forgetting import forgotten_persons
from creditbus.lab.keys import KeyDesk
from creditbus.lab.places import bus_places

_WORDS = {"platform-token": "tokens of persons 自然人令牌", "vault-master": "data keys of persons 数据密钥"}


def register(app: typer.Typer) -> None:
    """Add the group `keys` to app."""
    group = typer.Typer(
        help="Keys of persons: show, rotate, backup, restore; of departments that write to Kafka: create, register, "
        "list, revoke. 自然人密钥与单位签名密钥。",
        no_args_is_help=True,
    )
    group.command("show")(show)
    group.command("rotate")(rotate)
    group.command("backup")(backup)
    group.command("restore")(restore)
    signingkeys.add_to(group)
    app.add_typer(group, name="keys")


def show(as_json: AsJson = False) -> None:
    """Every version of the platform's key and of the vault's master key, and how much rests on it. 查看密钥版本。"""
    with _desk() as desk:
        uses = desk.uses()
    if as_json:
        print_json([asdict(use) for use in uses])
        return
    columns = ("for 用途", "version 版本", "for new ones 用于新增", "in use by 使用数")
    table = WholeTable(id_column("key 密钥"), *columns, title="Keys of persons 自然人密钥")
    for use in uses:
        newest = "✓" if use.is_newest else ""
        table.add_row(use.key_id, _WORDS[use.kind], str(use.version), newest, str(use.used_by))
    console.print(table)


def rotate(
    master: Annotated[
        bool, typer.Option("--master", help="The vault's master key instead: every data key is wrapped anew 主密钥")
    ] = False,
) -> None:
    """A new version of the platform's key for persons that are new from now on. 轮换密钥。

    Known persons keep their subject key, and their numbers go on leading to it.
    """
    with _desk() as desk:
        made = desk.rotate_master() if master else desk.rotate_platform()
    console.print(f"[green]✓[/] {made.key_id} 已启用", highlight=False)
    if master:
        console.print(f"{made.used_by} data keys are wrapped under it; older versions are destroyed. 旧版本已销毁。")
    else:
        console.print("New persons get it at once; known persons keep their keys. 仅用于新增自然人。")


def backup(file: Annotated[Path, typer.Argument(help="New file 新文件")]) -> None:
    """Copy the vault of persons while it is in use. 备份密钥库。

    Its data keys are wrapped under the vault's master key: keep the copy apart from the folder of secrets.
    """
    with _desk() as desk:
        desk.back_up(file)
        persons = sum(use.used_by for use in desk.uses() if use.kind == PLATFORM)
    console.print(f"[green]✓[/] {escape(str(file))}: {persons} persons 自然人", highlight=False)
    console.print("Keep it apart from the folder of secrets. 请与密钥文件夹分开保管。")


def restore(file: Annotated[Path, typer.Argument(help="What `keys backup` wrote 备份文件")]) -> None:
    """Bring back from a copy what the vault has lost; whoever was forgotten since stays so. 恢复密钥库。"""
    with connected() as (places, registry), _desk() as desk:
        taken = desk.restore(file, forgotten_persons(places.brokers, Types(registry)))
    console.print(
        f"[green]✓[/] {taken.persons} persons 自然人, {taken.data_keys} data keys 数据密钥 came back 已恢复; "
        f"{taken.left_out} were forgotten since 其后已遗忘",
        highlight=False,
    )
    if taken.instead:
        console.print(f"{taken.instead} had become a new person meanwhile, with records of its own. 其间另立新主体。")


def _desk() -> closing[KeyDesk]:
    places = bus_places()
    return closing(KeyDesk(places.vault, places.secrets))
