"""The law as the bus applies it: each rule of the catalogue, its basis, and the test that shows it (docs/law.md)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from creditbus.catalogue.models import FIRST_DAY, Catalogue, ListRow, TermRow

SHOWN_BY: Mapping[str, str] = {
    "lists": "tests/unit/law/test_lists.py",
    "orders": "tests/unit/law/test_restriction_orders.py",
    "measures": "tests/unit/law/test_lists.py",
    "incentives": "tests/unit/dossier/test_incentives.py",
    "subscribers": "tests/unit/dossier/test_subscribers.py",
    "publicity": "tests/unit/law/test_publicity.py",
    "terms": "tests/unit/dossier/test_way_back.py",
    "tickets": "tests/unit/dossier/test_tickets.py",
    "retention": "tests/unit/law/test_retention.py",
    "breakers": "tests/unit/dossier/test_breaker.py",
    "required": "tests/unit/intake/test_checks.py",
    "repair": "tests/unit/law/test_repair.py",
    "points": "tests/unit/law/test_points.py",
}
"""The test that plays every row of a theme."""

_HEAD = (
    "# The law, rule by rule 规则与法律依据对照表",
    "",
    "Every rule that the bus decides with is a row of `services/creditbus/catalogue/data/`; this page is generated",
    "from them by `creditbus catalogue law`, and a test keeps the two the same. Marks: V verified, S0 the plan,",
    "C computed, GK not verified: look it up before relying on it.",
)
_DELETES = {
    "ADVERSE": "adverse facts",
    "LIST": "entries of these lists",
    "REVOKED": "decisions that were revoked",
    "": "nothing: it binds look-ups and others",
}
_OF_TICKETS = ("RECTIFICATION", "RECHECK")
_STEPS = {"notice": "告知", "heard": "陈述申辩", "served": "送达"}
Row = Sequence[str]


def law_as_markdown(catalogue: Catalogue) -> str:
    """The text of docs/law.md."""
    named = {row.code: row.zh for row in catalogue.instruments}
    lines = [*_HEAD]
    for theme, title, columns, rows in _themes(catalogue, named):
        lines += ["", f"## {title}", "", f"Shown by `{SHOWN_BY[theme]}`, row by row.", ""]
        lines += [_line(columns), _line(["---"] * len(columns)), *map(_line, rows)]
    return "\n".join(lines) + "\n"


def _themes(catalogue: Catalogue, named: Mapping[str, str]) -> Iterator[tuple[str, str, Sequence[str], Iterable[Row]]]:
    yield (
        "lists",
        "Lists of dishonest subjects 失信名单",
        ("code", "名称", "severe", "after which steps", "ends after", "removal from", "legal basis", "mark"),
        (
            (
                row.code,
                row.zh,
                "yes" if row.severe else "no",
                "、".join(_STEPS[step] for step in row.steps) or "the source's feed carries none",
                _term(row),
                f"{row.earliest_exit_months} months" if row.earliest_exit_months else "–",
                _bases(row.basis, named),
                row.mark,
            )
            for row in catalogue.lists
            if row.nature == "LIST"
        ),
    )
    yield (
        "lists",
        "Grounds with a term of their own 列入事由",
        ("code", "名称", "list", "ends after", "legal basis", "mark"),
        (
            (
                row.code,
                row.zh,
                row.list,
                f"{row.term_months} months" if row.term_months else "performance",
                _bases(row.basis, named),
                row.mark,
            )
            for row in catalogue.grounds
        ),
    )
    yield (
        "orders",
        "Orders of courts, which are no lists 限制消费令",
        ("code", "名称", "made by", "ends after", "legal basis", "mark"),
        (
            (
                row.code,
                row.zh,
                "、".join(row.domains),
                f"{row.term_months} months" if row.term_months else "lifted by the court",
                _bases(row.basis, named),
                row.mark,
            )
            for row in catalogue.lists
            if row.nature == "ORDER"
        ),
    )
    yield (
        "orders",
        "What such an order may limit 限制消费行为",
        ("code", "名称", "legal basis", "article", "mark"),
        ((row.code, row.zh, _bases(row.basis, named), row.article, row.mark) for row in catalogue.consumption),
    )
    yield (
        "measures",
        "Measures 惩戒措施",
        ("code", "名称", "follows from", "effect", "force", "carried out by", "legal basis", "published", "mark"),
        (
            (
                row.code,
                row.zh,
                "、".join(row.lists),
                row.effect,
                row.binding,
                row.executor,
                _bases(row.basis, named),
                row.since.isoformat(),
                row.mark,
            )
            for row in catalogue.measures
        ),
    )
    yield (
        "incentives",
        "Incentives 守信激励",
        ("code", "名称", "follows from", "force", "carried out by", "legal basis", "since", "mark"),
        (
            (
                row.code,
                row.zh,
                "、".join(row.deserving),
                row.binding,
                row.executor,
                _bases(row.basis, named),
                row.since.isoformat(),
                row.mark,
            )
            for row in catalogue.incentives
        ),
    )
    yield (
        "subscribers",
        "Who carries measures out, and answers each order and lift 措施实施单位",
        ("code", "名称", "department", "families", "against persons", "basis", "mark"),
        (
            (
                row.code,
                row.zh,
                row.department,
                "、".join(row.families),
                "yes" if row.persons else "no",
                row.basis,
                row.mark,
            )
            for row in catalogue.subscribers
        ),
    )
    yield (
        "publicity",
        "How long a fact is published and counts 公示期",
        ("code", "kind", "severity", "sectors", "at least", "at most", "decided", "legal basis", "mark"),
        (
            (
                row.code,
                row.kind,
                row.severity or "any",
                "、".join(row.domains) or "all",
                f"{row.minimum_months} months",
                f"{row.maximum_months} months",
                f"{row.since} – {row.until or ''}",
                row.basis,
                row.mark,
            )
            for row in catalogue.publicity.rows
        ),
    )
    yield (
        "publicity",
        "Several types of penalty in one decision: the longest 处罚种类与程度",
        ("code", "type", "at least", "decided", "legal basis", "mark"),
        (
            (row.code, row.type, row.severity, f"{row.since} – {row.until or ''}", row.basis, row.mark)
            for row in catalogue.publicity.tiers
        ),
    )
    yield (
        "publicity",
        "Milder later rules 从旧兼从轻",
        ("code", "decisions under", "have the end of", "legal basis", "mark"),
        ((row.code, row.earlier, row.later, row.basis, row.mark) for row in catalogue.publicity.transitions),
    )
    yield (
        "terms",
        "Terms of the way back 办理期限",
        ("code", "名称", "region", "working days", "extended", "when missed", "basis", "mark"),
        (_term_cells(row) for row in catalogue.terms if row.term not in _OF_TICKETS),
    )
    yield (
        "tickets",
        "Terms of the supervision of departments 督办期限",
        ("code", "名称", "region", "working days", "extended", "when missed", "basis", "mark"),
        (_term_cells(row) for row in catalogue.terms if row.term in _OF_TICKETS),
    )
    yield (
        "retention",
        "How long something is kept 保存期限与删除",
        ("code", "名称", "kept", "counted from", "deleted then", "of whom", "basis", "mark"),
        (
            (
                row.code,
                row.zh,
                f"{row.working_days} working days" if row.working_days else f"{row.years} years",
                row.counted_from,
                _DELETES[row.deletes] + (f" ({'、'.join(row.lists)})" if row.lists else ""),
                "、".join(row.subjects) or "all",
                row.basis,
                row.mark,
            )
            for row in catalogue.retention
        ),
    )
    yield (
        "breakers",
        "Breakers 熔断",
        ("code", "名称", "source", "window", "soft", "hard", "wait", "basis", "mark"),
        (
            (
                row.code,
                row.zh,
                "every department" if row.source == "*" else row.source,
                f"{row.window_hours} hours",
                str(row.soft),
                str(row.hard),
                f"{row.wait_seconds} s",
                row.basis,
                row.mark,
            )
            for row in catalogue.breakers
        ),
    )
    yield (
        "required",
        "Facts that a decision rests on 前提条件",
        ("code", "名称", "event", "needs", "basis", "mark"),
        (
            (row.code, row.zh, f"{row.kind}, {row.field} = {row.value}", row.needs, row.basis, row.mark)
            for row in catalogue.required
        ),
    )
    yield (
        "repair",
        "Repair: its conditions, and the notice that comes with the decision 信用修复",
        ("code", "名称", "condition", "of", "days", "legal basis", "mark"),
        (
            (
                row.code,
                row.zh,
                row.condition,
                "、".join(row.kinds or row.lists),
                f"{row.since if row.since > FIRST_DAY else ''} – {row.until or ''}",
                _bases(row.basis, named),
                row.mark,
            )
            for row in catalogue.repair
        ),
    )
    yield (
        "points",
        "Points of the score of legal persons 信用评价计分",
        ("code", "kind", "when", "points", "decay", "dimension", "mark"),
        (
            (
                row.code,
                row.kind,
                "; ".join(f"{name} = {' or '.join(values)}" for name, values in row.match.items()) or "always",
                f"{row.points:+}",
                "to nought over its window" if row.decays else "none",
                row.dimension,
                row.mark,
            )
            for row in catalogue.score.points
        ),
    )


def _term_cells(row: TermRow) -> Row:
    return (
        row.code,
        row.zh,
        row.region,
        "、".join(map(str, row.working_days)),
        str(row.extended or "–"),
        f"{row.alert}{'; effects are suspended' if row.suspends else ''}",
        row.basis,
        row.mark,
    )


def _term(row: ListRow) -> str:
    if not row.term_months:
        return "removal"
    longer = row.extension_months
    return f"{row.term_months} months{f', by decision {longer[0]}–{longer[1]} more' if longer else ''}"


def _bases(codes: Iterable[str], named: Mapping[str, str]) -> str:
    return "、".join(f"《{named[code]}》" for code in codes)


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
