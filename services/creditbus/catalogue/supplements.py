"""Supplements: what a region adds to the catalogue on the basis of a local regulation (地方补充目录, domain.md 3.1).

A supplement adds items, lists, measures and shorter terms that hold in its region only. It changes nothing that the
catalogue has, and touches neither score nor publicity, which are one for everybody.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from creditbus.catalogue.errors import CatalogueError, told
from creditbus.catalogue.models import (
    ALL_STEPS,
    Catalogue,
    GroundRow,
    Instrument,
    Item,
    ListRow,
    MeasureRow,
    RepairRow,
    TermRow,
)
from creditbus.catalogue.settings import CatalogueSettings
from creditbus.catalogue.yamltext import parse_yaml
from creditbus.core.identifiers import covers

_THEMES = ("instruments", "items", "lists", "grounds", "measures", "terms", "repair")
_IN_REGION = ("instruments", "items", "lists", "measures", "terms")
_LEVELS = ("REGION", "LEAGUE", "COUNTY")
_TOLD_OF_ITEMS = ("conduct", "channel", "coverage", "valid", "update")
"""What an item has to say of itself, besides its sharing (深圳经济特区社会信用条例第三十三、三十四条)."""


class Supplement(BaseModel):
    """What one region adds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    region: str
    zh: str = Field(min_length=1)
    en: str = Field(min_length=1)
    instruments: tuple[Instrument, ...] = ()
    items: tuple[Item, ...] = ()
    lists: tuple[ListRow, ...] = ()
    grounds: tuple[GroundRow, ...] = ()
    measures: tuple[MeasureRow, ...] = ()
    terms: tuple[TermRow, ...] = ()
    repair: tuple[RepairRow, ...] = ()


def supplement_files(folder: Path | None) -> list[Path]:
    """Files of the supplements to the catalogue of a folder; None: to the program's own, as the settings name them."""
    if folder is not None:
        return sorted((folder / "supplements").glob("*.yaml"))
    named = CatalogueSettings().supplements
    if named is None:
        return []
    if not named.is_dir():
        raise CatalogueError(f"CREDITBUS_SUPPLEMENTS: {named} is no folder; name that of the supplements, or unset it")
    return sorted(named.glob("*.yaml"))


def supplemented(catalogue: Catalogue, files: Iterable[Path]) -> Catalogue:
    """The catalogue with its supplements. Raises CatalogueError."""
    whole, problems = catalogue, []
    for path in files:
        supplement = _read(path)
        problems += [f"{path.name}: {one}" for one in problems_of_supplement(catalogue, supplement)]
        whole = _joined(whole, supplement)
    if problems:
        raise CatalogueError("\n".join(problems))
    return whole


def _read(path: Path) -> Supplement:
    values: dict[str, Any] = {}
    try:
        values = parse_yaml(path.read_text(encoding="utf-8"))
        for theme in _IN_REGION:
            for row in values.get(theme) or ():
                row.setdefault("region", values.get("region"))
        return Supplement.model_validate(values)
    except ValidationError as error:
        raise CatalogueError("\n".join(f"{path.name}: {one}" for one in told(error, values))) from error
    except (yaml.YAMLError, AttributeError, UnicodeDecodeError) as error:
        raise CatalogueError(f"{path.name}: not readable as a supplement: {error}; write it as YAML, UTF-8") from error


def _joined(catalogue: Catalogue, supplement: Supplement) -> Catalogue:
    """Its rows behind those of the catalogue; whoever provides its items may send them."""
    added: dict[str, Any] = {theme: (*getattr(catalogue, theme), *getattr(supplement, theme)) for theme in _THEMES}
    departments = []
    for department in catalogue.departments:
        own = [
            item.code
            for item in supplement.items
            if covers(item.region, department.region) and department.domain in item.providers
        ]
        # who has no items of its own may send every one
        more = (*department.items, *own) if department.items else ()
        departments.append(department.model_copy(update={"items": more}))
    return catalogue.model_copy(update={**added, "departments": tuple(departments)})


def problems_of_supplement(catalogue: Catalogue, supplement: Supplement) -> Iterator[str]:
    """What a supplement may not do, one line each: theme, row, field, problem, remedy."""
    known = {row.code: row for row in catalogue.regions}
    region = known.get(supplement.region)
    if region is None or region.level not in _LEVELS or region.until is not None:
        yield f"region: {supplement.region} is no region, league, city or county of today; `catalogue list regions`"
        return
    for theme in _THEMES:
        for row in getattr(supplement, theme):
            if not row.code.startswith(f"{supplement.region}-"):
                yield f"{theme}: {row.code}: code: begins otherwise; begin it with {supplement.region}-"
            if theme in _IN_REGION and not covers(supplement.region, row.region):
                yield f"{theme}: {row.code}: region: {row.region} lies outside {supplement.region}; correct it"
    for instrument in supplement.instruments:
        if instrument.level != "LOCAL_REGULATION":
            yield (
                f"instruments: {instrument.code}: level: a supplement rests on a local regulation (地方性法规); "
                "use LOCAL_REGULATION, or leave it out"
            )
    yield from _of_items(catalogue, supplement)
    yield from _of_lists(supplement)
    yield from _of_others_lists(supplement)
    yield from _of_measures(catalogue, supplement)
    yield from _of_terms(catalogue, supplement)


def _regulations(catalogue: Catalogue, supplement: Supplement) -> set[str]:
    return {row.code for row in (*catalogue.instruments, *supplement.instruments) if row.level == "LOCAL_REGULATION"}


def _of_items(catalogue: Catalogue, supplement: Supplement) -> Iterator[str]:
    regulations = _regulations(catalogue, supplement)
    for item in supplement.items:
        at = f"items: {item.code}"
        for name in _TOLD_OF_ITEMS:
            if not getattr(item, name):
                yield f"{at}: {name}: is empty; a supplement says it of each item"
        if not item.providers:
            yield f"{at}: providers: is empty; name the domains whose departments send it"
        if regulations.isdisjoint(item.basis):
            yield f"{at}: basis: no local regulation among them; nothing is collected without one (domain.md 3.1)"
        if item.nature == "ADVERSE" and not item.needs_basis:
            yield f"{at}: needs_basis: what is adverse names its legal basis; set it to true"
        for kind in item.kinds:
            yield from _beyond(catalogue, item, kind)


def _beyond(catalogue: Catalogue, item: Item, kind: str) -> Iterator[str]:
    """A region's item opens no kind of event to whom the catalogue keeps it from."""
    like = [row for row in catalogue.items if kind in row.kinds]
    at = f"items: {item.code}"
    if not like:
        yield f"{at}: kinds: the catalogue has no {kind}; use a kind of event that it has"
        return
    if all(row.providers for row in like):
        allowed = {domain for row in like for domain in row.providers}
        for domain in sorted(set(item.providers) - allowed):
            yield f"{at}: providers: {domain} may not send {kind}; leave it to {', '.join(sorted(allowed))}"
    for subject in sorted(set(item.subjects) - {one for row in like for one in row.subjects}):
        yield f"{at}: subjects: {kind} is not collected about {subject}; remove it"


def _of_lists(supplement: Supplement) -> Iterator[str]:
    for row in supplement.lists:
        at = f"lists: {row.code}"
        if row.scope != "REGIONAL":
            yield f"{at}: scope: a list of a supplement is REGIONAL; set it"
        if row.entry_kinds != ("ListDecision",) or row.nature != "LIST":
            yield f"{at}: entry_kinds: courts' lists and orders are not a region's; use [ListDecision]"
        if row.term_months is None:
            yield f"{at}: term_months: is missing; a region's list ends by itself"
        if set(row.steps) != ALL_STEPS:
            yield f"{at}: steps: notice, heard and served come before every listing; name all three"
        if row.proposes is not None:
            yield f"{at}: proposes: a region's list leads to no other one; remove it"


def _of_others_lists(supplement: Supplement) -> Iterator[str]:
    own = {row.code for row in supplement.lists}
    for ground in supplement.grounds:
        if ground.list not in own:
            yield f"grounds: {ground.code}: list: {ground.list} is none of its own; a supplement leaves it as it is"
    for repair in supplement.repair:
        for code in sorted({*repair.kinds, *repair.lists} - own):
            yield f"repair: {repair.code}: {code} is no list of its own; a supplement leaves its repair as it is"


def _of_measures(catalogue: Catalogue, supplement: Supplement) -> Iterator[str]:
    regulations = _regulations(catalogue, supplement)
    for row in supplement.measures:
        if regulations.isdisjoint(row.basis):
            yield f"measures: {row.code}: basis: a region adds measures by a local regulation only; name it"
        if not row.effect:
            yield f"measures: {row.code}: effect: is empty; say RIGHTS, MANAGEMENT or MARKET"


def _of_terms(catalogue: Catalogue, supplement: Supplement) -> Iterator[str]:
    for row in supplement.terms:
        holds = [one for one in catalogue.terms if one.term == row.term and covers(one.region, row.region)]
        at = f"terms: {row.code}"
        if any(one.region == row.region for one in holds):
            yield f"{at}: region: {row.region} has a row for {row.term} already; correct that one"
        for one in holds:
            longest, most = row.extended or row.working_days[-1], one.extended or one.working_days[-1]
            if row.working_days[0] > one.working_days[0] or longest > most:
                yield f"{at}: working_days: longer than {one.code}; a region may only shorten it"
            if one.suspends and not row.suspends:
                yield f"{at}: suspends: {one.code} suspends what is disputed; set it to true"
            if row.alert != one.alert:
                yield f"{at}: alert: {one.code} tells {one.alert}; use the same"
