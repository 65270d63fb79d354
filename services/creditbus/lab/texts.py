"""Texts for the user, in Chinese and English, and the choice between them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """One message in both languages."""

    en: str
    zh: str

    def in_language(self, language: str) -> str:
        """The Chinese text for "zh", else the English one."""
        return self.zh if language == "zh" else self.en


def user_language(environment: Mapping[str, str] | None = None) -> str:
    """ "zh" or "en": CREDITBUS_LANG, else the locale as other programs read it."""
    variables = os.environ if environment is None else environment
    for name in ("CREDITBUS_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        if value := variables.get(name):
            return "zh" if value.lower().startswith("zh") else "en"
    return "en"
