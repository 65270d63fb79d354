"""Persons as the vault knows them: tokens of their numbers, their sealed data, and which of them are news."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from creditbus.bus.privacy import Draft, Known, Vault
from creditbus.core.errors import RetryLaterError
from creditbus.core.events import NATURAL_PERSON, Event
from creditbus.core.identifiers import Scheme, normalise_identifier
from creditbus.core.identity import Identity
from creditbus.intake.subjects import BY_KEY

_PERSONAL_FACTS = ("sex", "birth_year", "legal_representative")
_MOST_TOLD = 200_000
"""Persons that are remembered as told; beyond that they are told again, which changes nothing."""


class Persons:
    """What intake asks the vault, for one batch after the other.

    Persons that are new become durable together, when the batch is decided: writing to the disk for each of them took a
    fifth of intake's time. Rows of ``credit.identities`` are told once a life of the process: a batch that is
    aborted ends it, and whatever it did not write is told again.
    """

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._told: set[str] = set()
        self._news: dict[str, Identity] = {}
        self._drafts: dict[str, Draft] = {}
        """By number."""
        self._drafted: dict[str, Draft] = {}
        """By subject key."""
        self._expected: dict[str, Known | None] = {}
        """By number: who was asked for ahead."""
        self._known: dict[str, Known] = {}
        """By subject key: those of them that were tokenised since the last ``keep``."""

    def expect(self, events: Iterable[Event]) -> None:
        """Ask for everybody whom these events are about by one question; on a server each would take a fifth of a
        millisecond, twice."""
        numbers = {
            normalise_identifier(one.value)
            for event in events
            if event.head.subject.kind == NATURAL_PERSON
            for one in event.head.subject.identifiers
            if one.scheme == Scheme.CITIZEN.name
        }
        self._expected = self._vault.find_all(numbers) if numbers else {}

    def token_of(self, number: str) -> str:
        """Key of the person that a normalised number leads to; ``keep`` makes it durable before it is used."""
        draft = self._drafts.get(number)
        identity = draft.identity if draft else self._found(number) or self._drafted_for(number)
        if identity.alias not in self._told:
            self._news[identity.alias] = identity
        return identity.subject_key

    def keep(self) -> list[Identity]:
        """Make the batch's new persons durable; whoever was not told of in this life, who counts as told now.

        Raises RetryLaterError when another process was faster with one of them, or somebody was forgotten meanwhile.
        """
        if self._known and not self._vault.has_keys(self._known):
            raise RetryLaterError("a person was forgotten while events about it were read", retry_after_seconds=0.1)
        self._known.clear()
        if self._drafts and not self._vault.keep(self._drafts.values()):
            raise RetryLaterError("another intake was faster with a new person", retry_after_seconds=0.1)
        self._drafts.clear()
        self._drafted.clear()
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
        data = msgspec.json.encode(personal)
        if ready := self._drafted.get(subject_key) or self._known.get(subject_key):
            return ready.seal(data)
        try:
            return self._vault.seal(subject_key, data)
        except KeyError as error:
            if any(one.scheme == BY_KEY for one in subject.identifiers):
                return None
            raise RetryLaterError("a person was forgotten while an event about it was read") from error

    def _found(self, number: str) -> Identity | None:
        if number not in self._expected:
            return self._vault.find(number)
        known = self._expected[number]
        if known is None:
            return None
        self._known[known.identity.subject_key] = known
        return known.identity

    def _drafted_for(self, number: str) -> Identity:
        draft = self._vault.draft(number)
        self._drafts[number] = self._drafted[draft.identity.subject_key] = draft
        return draft.identity

    def close(self) -> None:
        """Close the vault."""
        self._vault.close()
