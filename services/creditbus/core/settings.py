"""Settings whose problems are told by the name of their variable."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError
from pydantic_settings import BaseSettings

from creditbus.core.errors import SettingsError


class Settings(BaseSettings):
    """Base of all settings that come from the environment: prefix of the model and name of the field, in capitals.

    Making them raises SettingsError that names each variable with a wrong value, what may stand there, and what does.
    """

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            prefix = self.model_config.get("env_prefix", "")
            told = [
                f"{prefix}{'_'.join(map(str, one['loc'])).upper()}: {one['msg']}, not {one['input']!r}"
                for one in error.errors()
            ]
            raise SettingsError("; ".join(told)) from None
