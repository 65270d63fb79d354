"""The schema registry, through its Confluent-compatible API.

Schemas are registered by a deploy step (``push``), never by a producer: a producer looks up the id of exactly the
schema it was built with and does not start without it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import httpx
from pydantic_settings import SettingsConfigDict

from creditbus.bus.schemacache import SchemaCache
from creditbus.bus.schemas import Schema
from creditbus.bus.settings import ServiceSettings
from creditbus.core.errors import RetryLaterError, SettingsError
from creditbus.security import REFUSED, HttpSecurity

_AT_ONCE = 8
COMPATIBILITY = "FULL_TRANSITIVE"
_CONTENT = {"Content-Type": "application/vnd.schemaregistry.v1+json"}


class RegistrySecurity(HttpSecurity):
    """Settings of every client of the registry; each from the environment variable CREDITBUS_REGISTRY_<NAME>."""

    model_config = SettingsConfigDict(env_prefix="CREDITBUS_REGISTRY_", frozen=True, extra="ignore")


class UnknownSchemaError(LookupError):
    """The registry has no schema of that id or subject."""


class IncompatibleSchemaError(SettingsError):
    """The registry refuses a schema because old readers or writers would break."""


def subject_of(topic: str, schema: Schema) -> str:
    """Subject by TopicRecordNameStrategy: each kind on a topic evolves alone."""
    return f"{topic}-{schema.name}"


@dataclass(frozen=True, slots=True)
class Pushed:
    """What a push did about one subject."""

    subject: str
    schema_id: int
    is_new: bool


class Registry:
    """Client of one registry. For several threads at once."""

    def __init__(self, url: str, timeout_seconds: float = 10.0, cache: Path | None = None) -> None:
        """url: base of the Confluent-compatible API, such as http://127.0.0.1:18081/apis/ccompat/v7.

        cache: file of what was answered; an id stands for one schema for ever, so nobody need ask again.
        Raises SettingsError.
        """
        self._cache = SchemaCache(cache)
        self._security = RegistrySecurity()
        self._http = self._security.client(url, timeout_seconds, _CONTENT)
        self._url = url

    def close(self) -> None:
        """Close its connections."""
        self._http.close()

    def require_full_compatibility(self) -> None:
        """Set the global level FULL_TRANSITIVE."""
        self._call("PUT", "/config", {"compatibility": COMPATIBILITY})

    def push(self, pairs: Iterable[tuple[str, Schema]]) -> Iterator[Pushed]:
        """Register each (topic, schema); those of one subject in order, different subjects at the same time.

        Raises IncompatibleSchemaError, with nothing registered for that subject from there on.
        """
        by_subject: dict[str, list[Schema]] = {}
        for topic, schema in pairs:
            by_subject.setdefault(subject_of(topic, schema), []).append(schema)
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="push") as pool:
            for pushed in pool.map(self._push_subject, by_subject, by_subject.values()):
                yield from pushed

    def _push_subject(self, subject: str, schemas: Iterable[Schema]) -> list[Pushed]:
        pushed = []
        for schema in schemas:
            known = self._id_or_none(subject, schema)
            is_new = known is None
            pushed.append(Pushed(subject, self._add(subject, schema) if known is None else known, is_new))
        return pushed

    def id_of(self, topic: str, schema: Schema) -> int:
        """Id under which this very schema is registered for the topic. Raises UnknownSchemaError."""
        subject = subject_of(topic, schema)
        found = self._cache.id_of(subject, schema.text) or self._id_or_none(subject, schema)
        if found is None:
            raise UnknownSchemaError(
                f"{subject} is not registered as this release has it; run `creditbus schemas push`"
            )
        self._cache.remember(found, schema.text, subject)
        return found

    def is_compatible(self, topic: str, schema: Schema) -> bool:
        """Whether the registry would accept the schema."""
        path = f"/compatibility/subjects/{subject_of(topic, schema)}/versions"
        status, answer = self._request("POST", path, {"schema": schema.text})
        return status == httpx.codes.NOT_FOUND or bool(answer.get("is_compatible"))

    def name_and_text(self, schema_id: int) -> tuple[str, str]:
        """Full name and JSON text of a registered schema. Raises UnknownSchemaError."""
        text = self._cache.text_of(schema_id) or self._text_of(schema_id)
        self._cache.remember(schema_id, text)
        definition = json.loads(text)
        return f"{definition.get('namespace', '')}.{definition['name']}", text

    def _text_of(self, schema_id: int) -> str:
        status, answer = self._request("GET", f"/schemas/ids/{schema_id}")
        if status == httpx.codes.NOT_FOUND:
            raise UnknownSchemaError(f"the registry has no schema {schema_id}")
        if status != httpx.codes.OK:
            raise RetryLaterError(f"schema registry {self._url}: HTTP {status} while asking for schema {schema_id}")
        return str(answer["schema"])

    def subjects(self) -> list[str]:
        """All registered subjects."""
        return cast("list[str]", self._call("GET", "/subjects"))

    def _id_or_none(self, subject: str, schema: Schema) -> int | None:
        status, answer = self._request("POST", f"/subjects/{subject}", {"schema": schema.text})
        if status == httpx.codes.OK:
            return int(answer["id"])
        if status == httpx.codes.NOT_FOUND:
            return None
        raise RetryLaterError(f"schema registry {self._url}: HTTP {status} while looking up {subject}")

    def _add(self, subject: str, schema: Schema) -> int:
        status, answer = self._request("POST", f"/subjects/{subject}/versions", {"schema": schema.text})
        if status == httpx.codes.CONFLICT:
            raise IncompatibleSchemaError(
                f"{subject}: the registry refuses this change under {COMPATIBILITY}; "
                "add fields with defaults, keep old ones, and never change a type"
            )
        if status != httpx.codes.OK:
            raise RetryLaterError(f"schema registry {self._url}: HTTP {status} while registering {subject}: {answer}")
        return int(answer["id"])

    def _call(self, method: str, path: str, body: object = None) -> Any:
        status, answer = self._request(method, path, body)
        if status >= httpx.codes.BAD_REQUEST:
            raise RetryLaterError(f"schema registry {self._url}: HTTP {status} for {path}")
        return answer

    def _request(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        content = json.dumps(body) if body is not None else None
        try:
            answer = self._http.request(method, path, content=content)
        except httpx.HTTPError as error:
            raise RetryLaterError(self._security.silence(f"schema registry {self._url}", error)) from error
        if answer.status_code in REFUSED:
            raise RetryLaterError(self._security.refusal(f"schema registry {self._url}", answer.status_code))
        if answer.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise RetryLaterError(f"schema registry {self._url}: HTTP {answer.status_code} for {path}")
        return answer.status_code, answer.json() if answer.content else {}


def registry_of(settings: ServiceSettings) -> Registry:
    """The registry of a service."""
    return Registry(settings.registry_url, cache=settings.schema_cache)
