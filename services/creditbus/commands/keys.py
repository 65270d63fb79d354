"""``creditbus keys``: the keys that keep persons unknown, and new versions of them."""

from __future__ import annotations

from contextlib import closing
from dataclasses import asdict
from typing import Annotated

import typer

from creditbus.commands.connecting import console
from creditbus.commands.printing import AsJson, WholeTable, id_column, print_json
from creditbus.lab.keys import KeyDesk
from creditbus.lab.settings import load_settings
from creditbus.lab.stack import addresses

_WORDS = {"platform-token": "tokens of persons 自然人令牌", "vault-master": "data keys of persons 数据密钥"}


def register(app: typer.Typer) -> None:
    """Add `keys show` and `keys rotate` to app."""
    group = typer.Typer(help="Keys of persons: show, rotate. 自然人密钥。", no_args_is_help=True)
    group.command("show")(show)
    group.command("rotate")(rotate)
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


def _desk() -> closing[KeyDesk]:
    places = addresses(load_settings())
    return closing(KeyDesk(places.vault, places.secrets))
