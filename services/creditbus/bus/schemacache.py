"""What a registry said of schemas, kept in a file: an id stands for one schema for ever."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path


class SchemaCache:
    """Ids and texts of schemas in a file of JSON lines; without a path it remembers nothing. For one process."""

    def __init__(self, path: Path | None) -> None:
        """A line that a crash cut short is passed over: it is asked for and written again."""
        self._path = path
        self._ids: dict[str, int] = {}
        self._texts: dict[int, str] = {}
        if path is not None and path.exists():
            for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
                try:
                    known = json.loads(line)
                    self._take(int(known["id"]), str(known["text"]), str(known["subject"]))
                except (ValueError, KeyError, TypeError):
                    continue

    def id_of(self, subject: str, text: str) -> int | None:
        """Id of a schema under a subject; None when it was never asked for."""
        return self._ids.get(_name(subject, text))

    def text_of(self, schema_id: int) -> str | None:
        """Text of a schema; None when it was never asked for."""
        return self._texts.get(schema_id)

    def remember(self, schema_id: int, text: str, subject: str = "") -> None:
        """Write down what the registry answered, unless it is known."""
        if self._path is None or (schema_id in self._texts and (not subject or _name(subject, text) in self._ids)):
            return
        self._take(schema_id, text, subject)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a", encoding="utf-8") as file:
            file.write("\n" + json.dumps({"id": schema_id, "subject": subject, "text": text}, ensure_ascii=False))

    def _take(self, schema_id: int, text: str, subject: str) -> None:
        self._texts[schema_id] = text
        if subject:
            self._ids[_name(subject, text)] = schema_id


def _name(subject: str, text: str) -> str:
    return f"{subject} {sha256(text.encode()).hexdigest()}"
