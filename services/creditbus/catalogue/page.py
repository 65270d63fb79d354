"""The catalogue as one HTML page: themes to unfold, every row with its fields, references as links. No scripts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path
from typing import Any

from creditbus.catalogue.models import Catalogue
from creditbus.catalogue.themes import THEMES, fields_of, names_of, rows_of, shown, span_of

TITLES: Mapping[str, str] = {
    "regions": "行政区划 Regions",
    "authority_types": "登记管理部门与机构类别 Authorities and types of organisation",
    "departments": "成员单位 Departments",
    "former_departments": "机构沿革 Former departments",
    "items": "目录条目 Items",
    "instruments": "法律文件 Legal instruments",
    "lists": "失信名单 Lists",
    "grounds": "列入事由 Grounds of lists",
    "consumption": "限制消费行为 Consumption that a court may limit",
    "measures": "惩戒措施 Measures",
    "subscribers": "措施实施单位 Subscribers",
    "ratings": "信用评价 Ratings",
    "incentives": "守信激励 Incentives",
    "honours": "荣誉 Honours",
    "terms": "办理期限 Terms",
    "breakers": "熔断 Breakers",
    "required": "前提条件 Required facts",
    "repair": "信用修复 Repair",
    "restricted": "禁止与限制归集 What may not be recorded",
    "kept_out": "不予归集 What is not collected",
    "retention": "保存期限 Retention",
    "indicators": "考核指标 Assessment",
    "points": "计分 Points of the score",
    "grades": "评价等级 Grades of the score",
    "publicity": "公示期 Publicity",
    "tiers": "处罚种类与程度 Types of penalty and their severity",
    "transitions": "从旧兼从轻 Milder later rules",
    "code_lists": "代码表 Code lists",
    "reasons": "文本 Texts",
}
_COMMON = frozenset({"code", "zh", "en", "since", "until", "mark"})


def page_style() -> str:
    """The page's style sheet."""
    return Path(__file__).with_name("page.css").read_text(encoding="utf-8")


def catalogue_page(catalogue: Catalogue, edition: str, style_path: str = "") -> str:
    """The page. edition: hash of the catalogue; style_path: where a server has the style sheet, empty: inside."""
    style = f'<link rel="stylesheet" href="{escape(style_path)}">' if style_path else f"<style>{page_style()}</style>"
    rows = {theme: rows_of(catalogue, theme) for theme in THEMES}
    known = {code for pairs in rows.values() for code, _ in pairs}
    links = "".join(
        f'<a href="#{theme}">{escape(TITLES[theme])} <small>{len(rows[theme])}</small></a>' for theme in THEMES
    )
    sections = "".join(_section(theme, pairs, known) for theme, pairs in rows.items())
    return (
        '<!doctype html>\n<html lang="zh-CN"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>公共信用信息目录 Catalogue</title>{style}</head><body>"
        "<h1>公共信用信息目录 Catalogue of public credit information</h1>"
        f"<p>版本 edition <code>{edition[:16]}</code>。标记 marks: V 已核对 verified, S0 行动计划 the plan, "
        "C 计算 computed, GK 未核对 not verified.</p>"
        f"<nav>{links}</nav>{sections}</body></html>\n"
    )


def _section(theme: str, rows: Iterable[tuple[str, Any]], known: set[str]) -> str:
    lines = "".join(_row(code, row, known) for code, row in rows)
    return (
        f'<section id="{theme}"><details open><summary>{escape(TITLES[theme])}</summary><div class="wide"><table>'
        "<tr><th>代码 code</th><th>名称 name</th><th>内容 content</th><th>有效期 in force</th><th>标记</th></tr>"
        f"{lines}</table></div></details></section>"
    )


def _row(code: str, row: Any, known: set[str]) -> str:
    zh, en = names_of(row)
    fields = (
        (name, value) for name, value in fields_of(row).items() if name not in _COMMON and value not in ("", None, [])
    )
    content = "<br>".join(f"<small>{escape(name)}</small> {_value(value, known)}" for name, value in fields)
    name = escape(zh) + (f"<br><small>{escape(en)}</small>" if en and en != zh else "")
    mark = escape(str(getattr(row, "mark", "")))
    return (
        f'<tr id="{escape(code)}"><td>{escape(code)}</td><td>{name}</td><td>{content}</td>'
        f"<td>{escape(span_of(row))}</td><td>{mark}</td></tr>"
    )


def _value(value: object, known: set[str]) -> str:
    values = [str(one) for one in value] if isinstance(value, list) else [shown(value)]
    return ", ".join(f'<a href="#{escape(one)}">{escape(one)}</a>' if one in known else escape(one) for one in values)
