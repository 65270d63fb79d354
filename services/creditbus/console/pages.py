"""The HTML pages: one shell around two bodies, in the language and colours that the browser remembers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent
STATIC = FOLDER / "static"
LANGUAGES = {"zh": "zh-CN", "en": "en"}
THEMES = ("auto", "light", "dark")


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How a browser wants its pages."""

    language: str
    theme: str


def look_of(cookies: Mapping[str, str], accept_language: str) -> Look:
    """The look by cookies; the language else by what the browser accepts, else Chinese."""
    wanted = cookies.get("language", "")
    theme = cookies.get("theme", "")
    first = accept_language.split(",")[0].strip().lower()
    default = "en" if first and not first.startswith("zh") else "zh"
    return Look(language=wanted if wanted in LANGUAGES else default, theme=theme if theme in THEMES else "auto")


class Pages:
    """The pages, read once; nothing that anybody wrote is put into them on the server."""

    def __init__(self) -> None:
        shell = (FOLDER / "pages" / "shell.html").read_text(encoding="utf-8")
        names = ("home", "subject", "missing")
        self._pages = {
            name: shell.replace("{body}", (FOLDER / "pages" / f"{name}.html").read_text(encoding="utf-8")).replace(
                "{page}", name
            )
            for name in names
        }

    def html(self, name: str, look: Look) -> str:
        """A page in a look."""
        page = self._pages[name]
        return page.replace("{language}", LANGUAGES[look.language]).replace("{theme}", look.theme)
