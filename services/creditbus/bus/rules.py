"""Editions of the catalogue and their rules, by the hash that the log names."""

from __future__ import annotations

from collections.abc import Callable

from creditbus.bus.editions import read_editions
from creditbus.catalogue.editions import Edition, compile_rules
from creditbus.core.rules import Rules


def published_edition(brokers: str, name: str) -> Edition:
    """An edition by its hash. Raises StopError when it is not on the topic."""
    return read_editions(brokers).edition(name)


def present_edition(brokers: str) -> Edition:
    """The edition in force. Raises RetryLaterError while there is none."""
    return read_editions(brokers).present


def rules_in_force(brokers: str) -> Rules:
    """The rules of the edition in force. Raises RetryLaterError while there is none."""
    return compile_rules(present_edition(brokers))


def rules_by_hash(brokers: str) -> Callable[[str], Rules]:
    """A function from an edition's hash to its rules, compiled once each. It raises StopError for an unknown hash."""
    known: dict[str, Rules] = {}

    def rules_of(name: str) -> Rules:
        rules = known.get(name)
        if rules is None:
            rules = compile_rules(published_edition(brokers, name))
            known[name] = rules
        return rules

    return rules_of
