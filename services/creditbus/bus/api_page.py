"""The page that shows an OpenAPI description to people, without anything from the internet."""

from __future__ import annotations

from html import escape
from pathlib import Path

_PAGE = Path(__file__).with_name("api_page.html")


def api_page(title: str, openapi_path: str = "/openapi.json") -> str:
    """HTML that renders the description at ``openapi_path`` of the same server."""
    page = _PAGE.read_text(encoding="utf-8")
    return page.replace("{{title}}", escape(title)).replace("{{openapi}}", escape(openapi_path))
