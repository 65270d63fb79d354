"""Persons as the vault knows them: tokens of their numbers, their sealed data, and which of them are news."""

from __future__ import annotations

import msgspec

from creditbus.bus.privacy import Vault
from creditbus.core.errors import RetryLaterError
from creditbus.core.events import Event
from creditbus.core.identity import Identity
from creditbus.intake.subjects import BY_KEY

_PERSONAL_FACTS = ("sex", "birth_year", "legal_representative")
_MOST_TOLD = 200_000
"""Persons that are remembered as told; beyond that they are told again, which changes nothing."""


class Persons:
    """What intake asks the vault. Rows of ``credit.identities`` are told once a life of the process: a batch that is
    aborted ends it, and whatever it did not write is told again.
    """

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._told: set[str] = set()
        self._news: dict[str, Identity] = {}

    def token_of(self, number: str) -> str:
        """Key of the person that a normalised number leads to, durable before it is used."""
        identity = self._vault.identity_of(number)
        if identity.alias not in self._told:
            self._news[identity.alias] = identity
        return identity.subject_key

    def news(self) -> list[Identity]:
        """Persons that were not told of in this life; they count as told now."""
        if not self._news:
            return []
        news = list(self._news.values())
        if len(self._told) > _MOST_TOLD:
            self._told.clear()
        self._told.update(self._news)
        self._news.clear()
        return news

    def seal(self, subject_key: str, event: Event) -> bytes | None:
        """Name, numbers and personal facts of an event, sealed under the person's key.

        None for a person that is quoted by key and was forgotten. Raises RetryLaterError when one was forgotten while
        the batch was decided: the number leads to another person now.
        """
        subject = event.head.subject
        personal = {
            "name": subject.name,
            "identifiers": [(one.scheme, one.value) for one in subject.identifiers],
            "facts": {name: event.facts.get(name) for name in _PERSONAL_FACTS if event.facts.get(name) is not None},
        }
        try:
            return self._vault.seal(subject_key, msgspec.json.encode(personal))
        except KeyError as error:
            if any(one.scheme == BY_KEY for one in subject.identifiers):
                return None
            raise RetryLaterError("a person was forgotten while an event about it was read; reading again") from error

    def close(self) -> None:
        """Close the vault."""
        self._vault.close()
