"""``creditbus mirror``: what a MirrorMaker between a region's node and its hub is told, for one that no lab starts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from creditbus.bus.security import HubKafkaSecurity, KafkaSecurity
from creditbus.commands.connecting import console
from creditbus.core.errors import SettingsError
from creditbus.lab.mirror import Mirroring, write_properties
from creditbus.lab.places import bus_places
from creditbus.merge.settings import REGION

Region = Annotated[str, typer.Argument(help="Name of the region, as merge at the hub knows it. 盟市节点名称。")]
Out = Annotated[Path, typer.Option(dir_okay=False, help="File to write; it holds passwords. 输出文件（含口令）。")]
Replication = Annotated[int, typer.Option(min=1, help="Replicas of the mirror's own topics. 镜像自用主题的副本数。")]
Listener = Annotated[str, typer.Option(help="URL on which its workers reach each other. 各进程互连地址。")]


def register(app: typer.Typer) -> None:
    """Add `mirror` to app."""
    app.command("mirror")(mirror)


def mirror(
    region: Region,
    out: Out = Path("mirror.properties"),
    replication: Replication = 3,
    listener: Listener = "http://127.0.0.1:8083",
) -> None:
    """Write MirrorMaker's configuration for a region's node (CREDITBUS_HUB_BROKERS). 生成盟市节点镜像配置。

    Who it is at the node's brokers CREDITBUS_KAFKA_… says, at the hub's CREDITBUS_HUB_KAFKA_….
    """
    places = bus_places()
    if not places.is_region:
        raise SettingsError("CREDITBUS_HUB_BROKERS is missing; name the hub's brokers, host:port")
    if not REGION.fullmatch(region):
        raise typer.BadParameter(
            f"{region!r} is no name of a region: small letters, digits and hyphens, a letter first "
            "盟市名称只能含小写字母、数字和连字符，且以字母开头",
            param_hint="REGION",
        )
    told = Mirroring(
        region=region,
        brokers=places.brokers,
        hub_brokers=places.hub_brokers,
        listener=listener,
        security=KafkaSecurity().for_java(),
        hub_security=HubKafkaSecurity().for_java(),
        replication=replication,
    )
    write_properties(out, told)
    console.print(f"[green]✓[/] {out}: connect-mirror-maker.sh {out}", highlight=False, soft_wrap=True)
