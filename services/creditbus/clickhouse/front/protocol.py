"""What a request of ClickHouse's HTTP protocol asks for: pure parsing, no engine.

Source: ClickHouse's documentation of its HTTP interface.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_NO_SETTINGS = frozenset(
    {
        "query", "database", "default_format", "user", "password", "quota_key", "query_id", "session_id",
        "session_timeout", "session_check", "compress", "decompress", "enable_http_compression", "wait_end_of_query",
        "buffer_size", "send_progress_in_http_headers", "http_headers_progress_interval_ms", "client_protocol_version",
        "role", "stacktrace", "close_session", "add_http_cors_header", "http_response_buffer_size",
    }
)  # fmt: skip
_SETTING_NAME = re.compile(r"[a-z_][a-z0-9_]*")
_INSERT = re.compile(
    rb"\s*(?P<target>INSERT\s+INTO\s+(?:(?!\bFORMAT\b|\bSETTINGS\b|\bSELECT\b|\bVALUES\b).)+?)"
    rb"(?:\s+(?P<settings>SETTINGS\s+(?:(?!\bFORMAT\b|\bSELECT\b|\bVALUES\b).)+?))?"
    rb"\s+FORMAT\s+(?P<format>\w+)(?P<rest>.*)",
    re.IGNORECASE | re.DOTALL,
)
_FORMAT = re.compile(r"\bFORMAT\s+(\w+)\s*(?:SETTINGS\s[^']*)?;?\s*$", re.IGNORECASE)
_KILLS = re.compile(r"\s*KILL\s+QUERY\b", re.IGNORECASE)
_QUOTED_OR_QUERY_ID = re.compile(r"'(?:[^'\\]|\\.)*'|(?<![\w.])query_id\b", re.DOTALL)
_SELECTS = re.compile(r"\s*(?:SELECT|WITH|INSERT)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One statement for the engine."""

    text: str
    """For an insert with data: everything up to the place of FROM INFILE."""
    output_format: str
    parameters: Mapping[str, str]
    query_id: str
    data: bytes | None = None
    """What an insert brings; None for every other statement."""
    tail: str = ""
    """What follows FROM INFILE: settings and format."""
    is_kill: bool = False
    database: str = ""
    """In which names without a database are looked for; the engine's own when empty."""


def statement_of(arguments: Mapping[str, str], body: bytes, query_id: str) -> Statement:
    """The statement of a request. arguments: the URL's. Raises ValueError when there is none."""
    in_url = arguments.get("query", "").encode()
    whole = in_url + (b"\n" if in_url and body else b"") + body
    if not whole.strip():
        raise ValueError("Empty query")
    # the engine gives each query an id of its own; the caller's travels as its comment
    settings = settings_of({"log_comment": query_id, **arguments})
    insert = _INSERT.match(in_url or body)
    parameters = {name[6:]: value for name, value in arguments.items() if name.startswith("param_")}
    default_format = arguments.get("default_format", "TabSeparated")
    database = arguments.get("database", "")
    if insert is not None:
        # data may follow its format in the same text; binary data then begins after exactly one line break
        data = body if in_url else insert["rest"].lstrip(b" \t\r").removeprefix(b"\n")
        clause = _joined_settings((insert["settings"] or b"").decode(), settings)
        return Statement(
            text=insert["target"].decode(),
            tail=f"{clause} FORMAT {insert['format'].decode()}",
            data=data,
            output_format=default_format,
            parameters=parameters,
            query_id=query_id,
            database=database,
        )
    text = whole.decode().rstrip().rstrip(";")
    is_kill = _KILLS.match(text) is not None
    if is_kill:
        text = _QUOTED_OR_QUERY_ID.sub(
            lambda found: "Settings['log_comment']" if found[0] == "query_id" else found[0], text
        )
    named = _FORMAT.search(text)
    if settings and _SELECTS.match(text):
        text = f"{text} SETTINGS {settings}"
    return Statement(
        text=text,
        output_format=named[1] if named else default_format,
        parameters=parameters,
        query_id=query_id,
        is_kill=is_kill,
        database="" if is_kill else database,
    )


def settings_of(arguments: Mapping[str, str]) -> str:
    """The settings among the URL's arguments, as a clause without its keyword."""
    pairs = [
        f"{name} = {_literal(value)}"
        for name, value in arguments.items()
        if name not in _NO_SETTINGS and not name.startswith("param_") and _SETTING_NAME.fullmatch(name)
    ]
    return ", ".join(pairs)


def _joined_settings(clause: str, more: str) -> str:
    if clause and more:
        return f"{clause.strip()}, {more}"
    return clause.strip() or (f"SETTINGS {more}" if more else "")


def _literal(value: str) -> str:
    """A setting's value as SQL: numbers as they are, everything else quoted."""
    if re.fullmatch(r"-?\d+(\.\d+)?", value):
        return value
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


_CODE = re.compile(r"Code: (\d+)")
_UNKNOWN = frozenset({47, 60, 81})
"""Unknown identifier, table, database."""


def status_of_error(text: str) -> tuple[int, int]:
    """HTTP status and ClickHouse's code of an error: 404 for what does not exist, 400 for a bad query, else 500."""
    found = _CODE.search(text)
    code = int(found[1]) if found else 1002
    if code in _UNKNOWN:
        return 404, code
    return (400 if code in (6, 26, 27, 36, 42, 43, 46, 53, 62, 70, 72, 117, 386, 456, 457) else 500), code
