"""Loading ``data/``: every file validated, every reference resolved, all errors told at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from creditbus.catalogue.errors import CatalogueError, told
from creditbus.catalogue.models import ALL_STEPS, Catalogue, Item, MeasureRow, Reasons
from creditbus.catalogue.supplements import supplement_files, supplemented
from creditbus.catalogue.themes import ROW_THEMES
from creditbus.catalogue.yamltext import parse_yaml
from creditbus.core.alerts import ALERT_KINDS
from creditbus.core.conditions import Condition
from creditbus.core.outcome import Reason

DATA = Path(__file__).parent / "data"
_OBJECT_FILES = ("score", "publicity", "code_lists", "reasons")
_MARKET_FAMILIES = frozenset({"M13", "M14"})
ADVERSE_ARE_SHOWN = "RT-ADVERSE"
"""Code of the row of retention.yaml that says for how long after their end adverse facts are shown (查询披露期限)."""
_COUNTIES = 103
_MESSAGES = (
    "LISTED", "WAITING", "DISPUTED", "UNDISPUTED", "SUSPENDED", "RESUMED", "REMOVED", "ORDER", "LIFT", "SUSPEND",
    "RESUME", "OFFER", "WITHDRAW", "WAITING_LOAD", *sorted(ALERT_KINDS),
)  # fmt: skip


def load(folder: Path | None = None) -> Catalogue:
    """The catalogue of a folder with its supplements; by default the one that ships with the package.

    Raises CatalogueError.
    """
    source = folder or DATA
    values: dict[str, Any] = {name: _read(source / f"{name}.yaml")["rows"] for name in ROW_THEMES}
    values |= {name: _read(source / f"{name}.yaml") for name in _OBJECT_FILES}
    values["calendar"] = (source / "calendar.yaml").read_text(encoding="utf-8")
    try:
        catalogue = Catalogue.model_validate(values)
    except ValidationError as error:
        raise CatalogueError("\n".join(told(error, values))) from error
    catalogue = supplemented(catalogue, supplement_files(folder))
    problems = list(problems_of(catalogue))
    if problems:
        raise CatalogueError("\n".join(problems))
    return catalogue


@lru_cache(1)
def own_reasons() -> Reasons:
    """The texts of this program's own catalogue."""
    return Reasons.model_validate(_read(DATA / "reasons.yaml"))


def code_lists_of(catalogue: Catalogue) -> dict[str, tuple[str, ...]]:
    """Allowed values of coded facts by <Kind>.<field>; those of ratings and honours have files of their own."""
    found = dict(catalogue.code_lists)
    if catalogue.honours:
        found["Honor.honor"] = tuple(row.code for row in catalogue.honours)
    if catalogue.consumption:
        found["RestrictionOrder.consumptions"] = tuple(row.code for row in catalogue.consumption)
    if catalogue.ratings:
        found["Rating.scheme"] = tuple(row.code for row in catalogue.ratings)
        found |= {f"Rating.grade:{row.code}": row.grades for row in catalogue.ratings}
    return found


def problems_of(catalogue: Catalogue) -> Iterator[str]:
    """What is wrong between the rows, one line each: file, row, field, problem, remedy."""
    yield from _unknown_references(catalogue)
    yield from _doubles(catalogue)
    yield from _ethics(catalogue)
    yield from _missing_texts(catalogue)
    if all(row.code != ADVERSE_ARE_SHOWN for row in catalogue.retention):
        yield f"retention: no row {ADVERSE_ARE_SHOWN}: add it, look-ups hide by it what has expired"
    counties = sum(region.level == "COUNTY" for region in catalogue.regions)
    if counties != _COUNTIES:
        yield f"regions: {counties} county-level units, the region has {_COUNTIES}: complete the list"


def _unknown_references(catalogue: Catalogue) -> Iterator[str]:
    regions = {row.code for row in catalogue.regions}
    instruments = {row.code for row in catalogue.instruments}
    lists = {row.code for row in catalogue.lists}
    items = {row.code for row in catalogue.items}
    for department in catalogue.departments:
        yield from _unknown("departments", department.code, "region", [department.region], regions)
        yield from _unknown("departments", department.code, "items", department.items, items)
    for region in catalogue.regions:
        yield from _unknown(
            "regions", region.code, "successor", [region.successor] if region.successor else [], regions
        )
    for listed in catalogue.lists:
        yield from _unknown("lists", listed.code, "basis", listed.basis, instruments)
        yield from _unknown("lists", listed.code, "reason", [listed.reason], catalogue.reasons.score)
    for measure in catalogue.measures:
        yield from _unknown("measures", measure.code, "basis", measure.basis, instruments)
        yield from _unknown("measures", measure.code, "lists", measure.lists, lists)
    domains = {row.domain for row in catalogue.departments}
    for rating in catalogue.ratings:
        yield from _unknown("ratings", rating.code, "raters", rating.raters, domains)
    for term in catalogue.terms:
        yield from _unknown("terms", term.code, "region", [term.region], regions)
    for listed in catalogue.lists:
        yield from _unknown("lists", listed.code, "domains", listed.domains, domains)
        yield from _unknown("lists", listed.code, "proposes", [listed.proposes] if listed.proposes else [], lists)
    yield from _unknown_codes(catalogue)
    yield from _unknown_in_lists_of_law(catalogue)
    yield from _unknown_in_takes(catalogue)
    yield from _unknown_sources(catalogue)
    yield from _unknown_departments(catalogue)
    yield from _unknown_in_publicity(catalogue)
    yield from _unknown_in_grounds(catalogue)
    yield from _unknown_in_repair(catalogue)


def _unknown_sources(catalogue: Catalogue) -> Iterator[str]:
    known = {"*"} | {code for row in catalogue.departments for code in (row.code, row.domain)}
    for breaker in catalogue.breakers:
        yield from _unknown("breakers", breaker.code, "source", [breaker.source], known)


def _unknown_departments(catalogue: Catalogue) -> Iterator[str]:
    departments = {row.code for row in catalogue.departments}
    for subscriber in catalogue.subscribers:
        yield from _unknown("subscribers", subscriber.code, "department", [subscriber.department], departments)
    for former in catalogue.former_departments:
        yield from _unknown("former_departments", former.code, "successors", former.successors, departments)


def _unknown_in_repair(catalogue: Catalogue) -> Iterator[str]:
    lists = {row.code for row in catalogue.lists}
    kinds = {kind for item in catalogue.items for kind in item.kinds}
    instruments = {row.code for row in catalogue.instruments}
    for row in catalogue.repair:
        yield from _unknown("repair", row.code, "lists", row.lists, lists)
        yield from _unknown("repair", row.code, "kinds", row.kinds, kinds)
        yield from _unknown("repair", row.code, "basis", row.basis, instruments)


def _unknown_in_grounds(catalogue: Catalogue) -> Iterator[str]:
    lists = {row.code for row in catalogue.lists}
    instruments = {row.code for row in catalogue.instruments}
    grounds = code_lists_of(catalogue)["CourtEnforcement.ground"]
    for kept in catalogue.retention:
        yield from _unknown("retention", kept.code, "lists", kept.lists, lists)
    for row in catalogue.grounds:
        yield from _unknown("grounds", row.code, "list", [row.list], lists)
        yield from _unknown("grounds", row.code, "basis", row.basis, instruments)
        yield from _unknown("grounds", row.code, "ground", [row.ground], grounds)


def _unknown_in_publicity(catalogue: Catalogue) -> Iterator[str]:
    periods = {row.code for row in catalogue.publicity.rows}
    domains = {row.domain for row in catalogue.departments}
    for period in catalogue.publicity.rows:
        yield from _unknown("publicity", period.code, "domains", period.domains, domains)
    for row in catalogue.publicity.transitions:
        yield from _unknown("publicity", row.code, "earlier, later", [row.earlier, row.later], periods)
    types = code_lists_of(catalogue).get("Penalty.penalty_types", ())
    for tier in catalogue.publicity.tiers:
        yield from _unknown("publicity", tier.code, "type", [tier.type], types)


def _unknown_in_lists_of_law(catalogue: Catalogue) -> Iterator[str]:
    """References of items, honours and restrictions."""
    instruments = {row.code for row in catalogue.instruments}
    domains = {row.domain for row in catalogue.departments}
    for item in catalogue.items:
        yield from _unknown("items", item.code, "basis", item.basis, instruments)
        yield from _unknown("items", item.code, "providers", item.providers, domains)
    for honour in catalogue.honours:
        yield from _unknown("honours", honour.code, "basis", honour.basis, instruments)
        yield from _unknown("honours", honour.code, "grantors", honour.grantors, domains)
    for limited in catalogue.consumption:
        yield from _unknown("consumption", limited.code, "basis", limited.basis, instruments)
    for row in catalogue.restricted:
        yield from _unknown("restricted", row.code, "basis", row.basis, instruments)
        yield from _unknown("restricted", row.code, "allowed_by", row.allowed_by, instruments)
    codes = code_lists_of(catalogue)
    for out in catalogue.kept_out:
        yield from _unknown("kept_out", out.code, "values", out.values, codes.get(f"{out.kind}.{out.field}", ()))


def _unknown_in_takes(catalogue: Catalogue) -> Iterator[str]:
    codes = code_lists_of(catalogue)
    for item in catalogue.items:
        for name, values in item.takes.items():
            for kind in item.kinds:
                known = codes.get(f"{kind}.{name}", ())
                yield from _unknown("items", item.code, f"takes.{name}", values, known)


def _unknown_codes(catalogue: Catalogue) -> Iterator[str]:
    """Codes of honours, grades and facts that no code list has: the row would never apply."""
    codes = code_lists_of(catalogue)
    grades = {f"{row.code}:{grade}" for row in catalogue.ratings for grade in row.grades}
    instruments = {row.code for row in catalogue.instruments}
    deserving = grades | set(codes["Honor.honor"])
    for incentive in catalogue.incentives:
        yield from _unknown("incentives", incentive.code, "basis", incentive.basis, instruments)
        yield from _unknown("incentives", incentive.code, "for", incentive.deserving, deserving)
    for point in catalogue.score.points:
        yield from _unknown("score", point.code, "reason", [point.reason], catalogue.reasons.score)
        for name, values in point.match.items():
            scheme = point.match["scheme"][0] if name == "grade" else ""
            allowed = codes.get(f"{point.kind}.{name}:{scheme}" if scheme else f"{point.kind}.{name}", ())
            yield from _unknown("score", point.code, f"match.{name}", values, allowed)


def _unknown(file: str, row: str, field: str, values: Iterable[str], known: Iterable[str]) -> Iterator[str]:
    for value in set(values) - set(known):
        yield f"{file}: {row}: {field}: {value} is not in the catalogue; add it or correct the reference"


def _doubles(catalogue: Catalogue) -> Iterator[str]:
    for file in ROW_THEMES:
        seen: set[str] = set()
        for row in getattr(catalogue, file):
            if row.code in seen:
                yield f"{file}: {row.code}: code: stands twice; give each row a code of its own"
            seen.add(row.code)


def _ethics(catalogue: Catalogue) -> Iterator[str]:
    """Lines that the data may not cross (design.md section 1)."""
    yield from (problem for measure in catalogue.measures for problem in _forced_market(measure))
    yield from _taken_rights(catalogue)
    yield from (problem for item in catalogue.items for problem in _financial(item))
    levels = {row.code: row.level for row in catalogue.instruments}
    for listed in catalogue.lists:
        if listed.severe and "ListDecision" in listed.entry_kinds and set(listed.steps) != ALL_STEPS:
            yield f"lists: {listed.code}: steps: a severe list needs notice, heard and served before it takes effect"
        if listed.nature == "ORDER" and (listed.severe or "LAW" not in {levels.get(code) for code in listed.basis}):
            yield f"lists: {listed.code}: nature: an order is no severe list and rests on a law; correct them"
        if all(levels.get(code) in ("LOCAL_RULE", "POLICY") for code in listed.basis):
            yield f"lists: {listed.code}: basis: a list needs a law, a regulation or a rule of a ministry as its basis"
        if listed.scope == "REGIONAL" and {levels.get(code) for code in listed.basis} != {"LOCAL_REGULATION"}:
            yield f"lists: {listed.code}: basis: a regional list rests on a regional regulation alone (domain.md 0.1-3)"


def _financial(item: Item) -> Iterator[str]:
    """Credit data of persons stay with the credit reporting system, a peer (征信业管理条例; domain.md 1, row 21)."""
    if item.namespace != "FINANCIAL":
        return
    if set(item.subjects) - {"LEGAL_PERSON", "ORGAN"}:
        yield f"items: {item.code}: subjects: financial credit information is exchanged about organisations only"
    if item.sharing == "public":
        yield f"items: {item.code}: sharing: financial credit information is not published; use shared or authorised"
    if not item.providers:
        yield f"items: {item.code}: providers: is empty; name the domains that send it"


def _forced_market(measure: MeasureRow) -> Iterator[str]:
    if measure.family in _MARKET_FAMILIES and measure.binding != "ADVISORY":
        yield f"measures: {measure.code}: binding: market bodies are never forced; use ADVISORY"


def _taken_rights(catalogue: Catalogue) -> Iterator[str]:
    """What takes rights needs a law, and a severe list (上海 31, 河南 34, 浙江 26: domain.md 4.1) or a court order."""
    levels = {row.code: row.level for row in catalogue.instruments}
    severe = {row.code for row in catalogue.lists if row.severe or row.nature == "ORDER"}
    for measure in catalogue.measures:
        if measure.effect == "RIGHTS":
            if not any(levels.get(code) in ("LAW", "ADMINISTRATIVE_REGULATION") for code in measure.basis):
                yield f"measures: {measure.code}: basis: what takes rights needs a law or an administrative regulation"
            for code in sorted(set(measure.lists) - severe):
                yield f"measures: {measure.code}: lists: {code} is not severe; what takes rights may not follow"


def _missing_texts(catalogue: Catalogue) -> Iterator[str]:
    for reason in Reason:
        if reason.value not in catalogue.reasons.faults:
            yield f"reasons: faults: {reason.value}: no text; add zh, en and the remedy"
    for name in _MESSAGES:
        if f"EMIT_{name}" not in catalogue.reasons.messages:
            yield f"reasons: messages: EMIT_{name}: no text; add zh and en"
    for condition in Condition:
        if f"CONDITION_{condition}" not in catalogue.reasons.messages:
            yield f"reasons: messages: CONDITION_{condition}: no text; add zh and en"


def _read(path: Path) -> Any:
    try:
        return parse_yaml(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise CatalogueError(f"{path.name} is missing in {path.parent}") from error
    except yaml.YAMLError as error:
        raise CatalogueError(f"{path.name}: not readable as YAML: {error}") from error
