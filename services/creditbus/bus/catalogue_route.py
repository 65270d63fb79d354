"""The edition of the catalogue in force, for everybody: gateway and look-up API tell it alike."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import FastAPI, Header, Response

from creditbus.catalogue.editions import Edition


def add_catalogue(app: FastAPI, in_force: Callable[[], Edition | Response]) -> None:
    """Add the route. in_force: the edition, or what to answer while there is none.

    No key is needed: the law has the catalogue published (公共信用信息目录向社会公布).
    """

    @app.get(
        "/v1/catalogue",
        summary="现行公共信用信息目录 The edition of the catalogue in force",
        description="正文的 SHA-256 即版本号，也是 ETag。 The SHA-256 of the body is the edition's name, and its ETag.",
        response_model=dict[str, Any],
        responses={304: {"description": "未变化 Not changed"}},
    )
    def get_catalogue(if_none_match: Annotated[str, Header()] = "") -> Response:
        edition = in_force()
        if isinstance(edition, Response):
            return edition
        tag = {"ETag": f'"{edition.hash}"'}
        if edition.hash in if_none_match:
            return Response(status_code=304, headers=tag)
        return Response(edition.text, headers=tag, media_type="application/json")
