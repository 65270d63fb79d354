"""``creditbus keys create``, ``register``, ``list``, ``revoke``: keys of departments that write to Kafka themselves."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from creditbus.commands.connecting import console
from creditbus.commands.printing import AsJson, WholeTable, id_column, print_json
from creditbus.core.records import BEIJING
from creditbus.lab.places import bus_places
from creditbus.lab.signingkeys import Registration, SigningKeyDesk, make_pair

_DAYS = ["%Y-%m-%d"]


def add_to(group: typer.Typer) -> None:
    """Add the commands to the group `keys`."""
    group.command("create")(create)
    group.command("register")(register)
    group.command("list")(list_all)
    group.command("revoke")(revoke)


def create(
    file: Annotated[Path, typer.Argument(help="New file of the private key, for you alone 私钥文件")],
) -> None:
    """A pair of keys for a department that writes to Kafka itself; needs no bus. 生成签名密钥。

    The public key goes to who operates the bus, the file to nobody.
    """
    pair = make_pair(file)
    console.print(f"[green]✓[/] {escape(str(file))}: private key 私钥", highlight=False, soft_wrap=True)
    console.print(f"key id 密钥标识: {pair.kid}", highlight=False)
    console.print(f"public key 公钥: {pair.public.hex()}", highlight=False, soft_wrap=True)


def register(
    public_key: Annotated[str, typer.Argument(help="Public key, 64 hex digits 公钥")],
    department: Annotated[str, typer.Option(help="Whose key it is 单位代码")],
    since: Annotated[
        datetime | None, typer.Option("--from", formats=_DAYS, help="First day in Beijing, default today 生效日")
    ] = None,
    until: Annotated[
        datetime | None, typer.Option("--until", formats=_DAYS, help="Last day, default open 失效日")
    ] = None,
) -> None:
    """Take what a department signs with this key; intake knows it within seconds. 登记公钥。

    The brokers have to let the department write to its topic too: see docs/operate.md.
    """
    row = _desk().register(
        Registration(
            public_key=public_key,
            department=department,
            valid_from=(since or datetime.now(BEIJING)).date(),
            valid_to=until.date() if until is not None else None,
        )
    )
    console.print(f"[green]✓[/] {row.kid} {escape(row.department)} 已登记", highlight=False)


def list_all(as_json: AsJson = False) -> None:
    """Every key that was registered, revoked ones among them. 列出已登记的公钥。"""
    rows = [{"key_id": row.kid, **row.model_dump(mode="json")} for row in _desk().rows()]
    if as_json:
        print_json(rows)
        return
    columns = ("department 单位", "from 生效", "until 失效", "revoked 吊销")
    table = WholeTable(id_column("key 密钥"), *columns, title="Signing keys of departments 单位签名密钥")
    for row in rows:
        shown = (row["key_id"], row["department"], row["valid_from"], row["valid_to"], row["revoked_on"])
        table.add_row(*(escape(one or "") for one in shown))
    console.print(table)


def revoke(kid: Annotated[str, typer.Argument(help="Key id, as `keys list` shows it 密钥标识")]) -> None:
    """Take nothing any more that is signed with a key, whenever it was signed; for ever. 吊销密钥。"""
    row = _desk().revoke(kid, datetime.now(BEIJING).date())
    console.print(f"[green]✓[/] {row.kid} {escape(row.department)} 已吊销", highlight=False)


def _desk() -> SigningKeyDesk:
    return SigningKeyDesk(bus_places().secrets)
