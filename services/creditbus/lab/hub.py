"""The hub of a region's node: where its lab on this machine has its parts, as it last wrote them down."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from creditbus.lab.errors import SettingsError
from creditbus.lab.settings import LabSettings
from creditbus.lab.state import read_state


@dataclass(frozen=True, slots=True, kw_only=True)
class Hub:
    """The hub, as a region's node needs it. Secrets and vault of persons are one for the whole autonomous region."""

    folder: Path
    brokers: str
    registry_url: str


def hub_of(settings: LabSettings) -> Hub | None:
    """The hub of a region's node, also while it is away; None at the hub. Raises SettingsError when it never ran."""
    if settings.hub is None:
        return None
    folder = settings.hub.expanduser().absolute()
    state = read_state(folder)
    known = {part.name: part.address for part in state.processes} if state is not None else {}
    if not {"kafka", "registry"} <= known.keys():
        raise SettingsError(
            en=f"CREDITBUS_LAB_HUB: no lab has run on {folder}. Start the hub first: CREDITBUS_LAB_MERGES="
            f"{settings.region} CREDITBUS_LAB_DATA={folder} creditbus up --detach",
            zh=f"CREDITBUS_LAB_HUB：{folder} 上没有运行过 lab。请先启动全区中心：CREDITBUS_LAB_MERGES="
            f"{settings.region} CREDITBUS_LAB_DATA={folder} creditbus up --detach",
        )
    return Hub(folder=folder, brokers=known["kafka"], registry_url=known["registry"])
