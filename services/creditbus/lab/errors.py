"""Errors of the lab, named by what the user does next.

LabError
├── OfflineError          the cache is empty and the network does not answer: connect once, or name a mirror
├── ArtifactError         a downloaded file is not what the lock file says
├── JavaMissingError      the lab's Python packages are not installed
├── SettingsError         a setting is unknown or wrong: names it and what would be right
├── PortInUseError        another program holds a port: names it, the holder and the setting to change
├── AlreadyRunningError   a lab runs on this data folder
├── NotRunningError       no lab runs on this data folder
├── AtWorkError           a service works on what a command is to change: stop it first
└── NotReadyError         a process did not become ready: names it, and shows the end of its log
"""

from __future__ import annotations

from creditbus.lab.texts import Text


class LabError(Exception):
    """Something that the user of the lab can put right; the text says how."""

    def __init__(self, *, en: str, zh: str) -> None:
        super().__init__(f"{en}\n{zh}")
        self.text = Text(en=en, zh=zh)


class OfflineError(LabError):
    """The artifacts are not cached and cannot be downloaded."""


class ArtifactError(LabError):
    """A downloaded file differs from the lock file."""


class JavaMissingError(LabError):
    """The packages of the lab extra are missing."""


class SettingsError(LabError):
    """A setting is unknown or wrong."""


class PortInUseError(LabError):
    """A port that the lab needs is taken."""


class AlreadyRunningError(LabError):
    """A lab runs on this data folder already."""


class NotRunningError(LabError):
    """No lab runs on this data folder."""


class AtWorkError(LabError):
    """A service works on what is to be changed."""


class NotReadyError(LabError):
    """A process did not become ready in time, or ended."""
