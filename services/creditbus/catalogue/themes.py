"""The catalogue by themes: every row under its code, as people look it up."""

from __future__ import annotations

import re
from typing import Any

from pydantic import BaseModel

from creditbus.catalogue.models import Catalogue, Named, PublicityRow, TierRow, TransitionRow, Wording

ROW_THEMES = (
    "regions", "authority_types", "departments", "items", "instruments", "lists", "grounds", "measures", "subscribers",
    "ratings", "incentives", "terms", "breakers", "required", "repair", "former_departments", "restricted",
    "kept_out", "retention", "honours", "indicators", "consumption",
)  # fmt: skip
"""Themes with a file of rows each."""
THEMES = (*ROW_THEMES, "points", "grades", "publicity", "tiers", "transitions", "code_lists", "reasons")


_NUMBERED = re.compile(r"([A-Z]\d\d)-")


def rows_of(catalogue: Catalogue, theme: str) -> list[tuple[str, Any]]:
    """(code, row) of a theme."""
    if theme in ROW_THEMES:
        return [(row.code, row) for row in getattr(catalogue, theme)]
    if theme == "code_lists":
        return list(catalogue.code_lists.items())
    if theme == "reasons":
        texts = catalogue.reasons
        return [item for part in (texts.score, texts.messages, texts.faults) for item in part.items()]
    score, publicity = catalogue.score, catalogue.publicity
    rows = {
        "points": score.points,
        "grades": score.grades,
        "publicity": publicity.rows,
        "tiers": publicity.tiers,
        "transitions": publicity.transitions,
    }
    return [(row.code, row) for row in rows[theme]]  # type: ignore[attr-defined]


def called(code: str, row: Any) -> set[str]:
    """What a row is found under: code, its number in the national catalogues (C05, M09), Chinese name, the short
    names of a former department, and each code of a list of codes.
    """
    numbered = _NUMBERED.match(code)
    names = {code, numbered[1] if numbered else "", getattr(row, "zh", ""), *getattr(row, "aliases", ())}
    return (names | set(row) if isinstance(row, list | tuple) else names) - {""}


def names_of(row: Any) -> tuple[str, str]:
    """What a row says in a line, in both languages."""
    if isinstance(row, tuple):
        return ", ".join(row), ""
    if isinstance(row, PublicityRow):
        months = f"{row.minimum_months}-{row.maximum_months}"
        return f"{row.kind} {row.severity}：{months} 个月", f"{row.kind} {row.severity}: {months} months"
    if isinstance(row, TierRow):
        return f"含{row.type}：至少 {row.severity}", f"with {row.type}: at least {row.severity}"
    if isinstance(row, TransitionRow):
        return (
            f"{row.earlier} 的决定适用 {row.later}（较轻时）",
            f"{row.later} for decisions under {row.earlier} where milder",
        )
    if isinstance(row, Named | Wording) or hasattr(row, "zh"):
        return row.zh, row.en
    return f"{row.kind} → {row.reason}：{row.points:+} 分", f"{row.kind} → {row.reason}: {row.points:+} points"


def span_of(row: Any) -> str:
    """The days on which a row is in force."""
    since, until = getattr(row, "since", None), getattr(row, "until", None)
    return "" if since is None else f"{since} – {until or ''}"


def fields_of(row: Any) -> dict[str, Any]:
    """Every field of a row by name."""
    return row.model_dump(mode="json", by_alias=True) if isinstance(row, BaseModel) else {"values": list(row)}


def shown(value: object) -> str:
    """A field as text."""
    return ", ".join(map(str, value)) if isinstance(value, list) else "" if value is None else str(value)
