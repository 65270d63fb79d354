"""Identities: what leads to a subject's key besides the key itself (统一信用主体识别)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from creditbus.core.identifiers import Scheme, normalise_identifier

TOKEN = "TOKEN"  # noqa: S105 - a scheme of identifiers
"""Scheme of a natural person's token, which is the subject's key."""


class Identity(msgspec.Struct, frozen=True):
    """A row of ``credit.identities``: an alias or a token, and the subject that it leads to."""

    scheme: str
    """TOKEN, or the scheme of an organisation's other number."""
    alias: str
    subject_key: str
    token_version: int = 0
    """Version of the platform's key that the token was made with; 0 for organisations."""
    key_id: str = ""
    """Name of that key."""

    @property
    def key(self) -> str:
        """Key of its message."""
        return identity_key(self.scheme, self.alias)


def identity_key(scheme: str, alias: str) -> str:
    """Key of the row of a number."""
    return f"{scheme}|{alias}"


class Forgotten(msgspec.Struct, frozen=True):
    """A person is forgotten (被遗忘): everything about the token is deleted, and later records about it are dropped."""

    control_id: str
    subject_key: str
    reason: str
    """Names nobody."""
    ordered_by: str
    ordered_at: int


def numbers_told(kind: str, facts: Mapping[str, object], subject_key: str) -> list[Identity]:
    """What a registration tells of an organisation's former numbers (原注册号、原代码); other kinds tell none."""
    former = facts.get("former_identifiers") if kind == "Registration" else None
    return identities_of(former, subject_key) if isinstance(former, list) else []


def identities_of(identifiers: Iterable[Mapping[str, str]], subject_key: str) -> list[Identity]:
    """Rows for other numbers of an organisation; never for a person's."""
    known = [(one["scheme"], normalise_identifier(one["value"])) for one in identifiers]
    return [
        Identity(scheme, value, subject_key)
        for scheme, value in known
        if scheme in Scheme.__members__ and scheme != Scheme.CITIZEN.name and value
    ]
