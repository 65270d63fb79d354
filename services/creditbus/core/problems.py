"""Answers of the HTTP services that are no success: problem details (RFC 9457) in English and Chinese."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One answer that is no success."""

    status: int
    code: str
    title_en: str
    title_zh: str
    detail_en: str
    detail_zh: str
    retry_after_seconds: int | None = None

    def to_json(self) -> dict[str, object]:
        """The body of application/problem+json."""
        return {
            "type": f"urn:creditbus:problem:{self.code}",
            "status": self.status,
            "title": self.title_en,
            "title_zh": self.title_zh,
            "detail": self.detail_en,
            "detail_zh": self.detail_zh,
        }

    @property
    def headers(self) -> Mapping[str, str]:
        """Headers that go with it."""
        found = {}
        if self.retry_after_seconds is not None:
            found["Retry-After"] = str(self.retry_after_seconds)
        if self.status == 401:
            found["WWW-Authenticate"] = 'Bearer realm="creditbus"'
        return found


def malformed_request(errors: Iterable[Mapping[str, Any]]) -> Problem:
    """A request that is not what the interface asks for. errors: as pydantic tells them.

    What was sent is not repeated: it may be a person's.
    """
    told = "; ".join(f"{'.'.join(str(part) for part in one['loc'][1:]) or 'body'}: {one['msg']}" for one in errors)
    return Problem(
        status=422,
        code="malformed",
        title_en="The request is not what is asked for",
        title_zh="请求不符合接口要求",
        detail_en=f"{told}. Mend these fields and send it again; the page /docs has an example.",
        detail_zh=f"下列字段有误：{told}。请更正后重新发送，示例见 /docs。",
    )
