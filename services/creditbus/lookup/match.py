"""Matching by number: subscribers see keys of persons, never numbers, so whoever has a number asks here.

The number comes in the body, since addresses are logged on their way. Annotations are evaluated here, not postponed:
FastAPI reads dependencies that are made inside a function.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Header
from pydantic import BaseModel, ConfigDict, Field

from creditbus.core.problems import Problem
from creditbus.core.subscribers import families_of
from creditbus.lookup import problems
from creditbus.lookup.access import Caller, Ports, RefusedError, audited, stated_purpose
from creditbus.lookup.steps import Wanted, number_of, orders_of, wanted_of

_SHOWN_WITH = frozenset({"records", "listings"})
"""A purpose that shows one of these is told the subject's key; any other only where there are orders to carry out."""


class Question(BaseModel):
    """Whom somebody has in front of them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    scheme: str = Field(pattern="^(CITIZEN|USCC|ORGANISATION|TAX|REGISTRATION)$", description="标识类型")
    value: str = Field(min_length=1, max_length=64, description="号码 the number, in any spelling")


def add_match(app: FastAPI, ports: Ports, caller_of: Callable[..., Awaitable[Caller]]) -> None:
    """Add the route."""

    @app.post("/v1/match", summary="以号码核对本单位应执行的措施 Orders of one's own families, by number")
    def match(
        question: Question,
        caller: Annotated[Caller, Depends(caller_of)],
        x_purpose: Annotated[str, Header()] = "",
        x_basis: Annotated[str, Header()] = "",
    ) -> dict[str, Any]:
        purpose = stated_purpose(ports, caller, x_purpose, x_basis)
        wanted = _wanted(question, ports)
        dossier = ports.queries.dossier(wanted) if wanted is not None else None
        if dossier is None:
            return {"subject_key": None, "orders": []}
        key = str(dossier["subject_key"])
        orders = orders_of(dossier, families_of(caller.department, None, ports.law.now.rules))
        access_id = audited(ports, caller, purpose, x_basis, key, endpoint="/v1/match")
        is_told = bool(orders) or not _SHOWN_WITH.isdisjoint(purpose.shows)
        return {"subject_key": key if is_told else None, "orders": orders, "access_id": access_id}


def _wanted(question: Question, ports: Ports) -> Wanted | None:
    """Whom the number names; None when it leads to nobody."""
    if question.scheme == "CITIZEN":
        number = number_of(question.value, ports.law.now.rules.regions)
        if number is None:
            raise RefusedError(problems.bad_identifier(["citizen number"]))
        key = ports.persons.key_of(number)
        return Wanted(key) if key is not None else None
    wanted = wanted_of(question.value, ports.law.now.rules.regions)
    if isinstance(wanted, Problem):
        raise RefusedError(wanted)
    return wanted
