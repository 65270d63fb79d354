"""Answers of the HTTP services that are no success: problem details (RFC 9457) in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


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
