"""Views over HTTP: the files and databases that the plan names.

Annotations are evaluated here, not postponed: FastAPI reads dependencies that are made inside a function.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Query

from creditbus.catalogue.views import View
from creditbus.lookup import problems
from creditbus.lookup.access import (
    Asked,
    Caller,
    Ports,
    RefusedError,
    When,
    asked_of,
    page,
    place,
    subject_answer,
    when_of,
)
from creditbus.lookup.queries import Cut

_SEES_LISTS = frozenset({"officer", "producer", "operator"})


def add_views(app: FastAPI, ports: Ports, caller_of: Callable[..., Awaitable[Caller]]) -> None:
    """Add the routes."""

    @app.get("/v1/views", summary="信用档案与信息库 The files and databases of the plan")
    def get_views(caller: Annotated[Caller, Depends(caller_of)]) -> list[dict[str, Any]]:
        return [
            {"code": view.code, "zh": view.zh, "en": view.en, "plan": list(view.plan)} for view in ports.views.values()
        ]

    @app.get("/v1/views/{code}/subjects", summary="档案中的单位 Organisations with records in a view; never persons")
    def get_view(
        code: str,
        caller: Annotated[Caller, Depends(caller_of)],
        cursor: str | None = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 50,
    ) -> dict[str, Any]:
        if not caller.roles & _SEES_LISTS:
            raise RefusedError(problems.not_allowed("views", _SEES_LISTS))
        _, chosen = _view(ports, code)
        after = place(cursor, 1)
        rows = ports.queries.subjects_of(chosen, after[0] if after else "", limit)
        return page(rows, limit, ("subject_key",))

    @app.get("/v1/views/{code}/subjects/{identifier}", summary="一个主体在档案中的信息 A subject's records in a view")
    def get_subject_in_view(
        code: str,
        caller: Annotated[Caller, Depends(caller_of)],
        asked: Annotated[Asked, Depends(asked_of)],
        when: Annotated[When, Depends(when_of)],
    ) -> dict[str, Any]:
        view, chosen = _view(ports, code)
        return {**subject_answer(ports, caller, asked, when, chosen), "view": view.code}


def _view(ports: Ports, code: str) -> tuple[View, Cut]:
    view = ports.views.get(code)
    if view is None:
        raise RefusedError(problems.unknown_view(code[:40], ports.views))
    return view, ports.law.now.cuts[code]
