"""Editions of before a release that stay in force under it."""

from __future__ import annotations

import json

from creditbus.catalogue.editions import compile_rules, edition_of, named
from creditbus.catalogue.loader import load
from creditbus.core.outcome import Reason


def test_a_refusal_that_an_edition_does_not_know_yet_has_the_program_s_own_words() -> None:
    """Intake must not stop at a message because its edition is older than the reason to refuse it."""
    edition = edition_of(load())
    earlier = json.loads(edition.text)
    for reason in Reason:
        earlier["reasons"]["faults"].pop(reason.value)
    earlier["reasons"]["faults"]["forged"] = {"zh": "旧", "en": "old", "remedy_zh": "旧", "remedy_en": "old"}
    rules, now = compile_rules(named(json.dumps(earlier).encode())), compile_rules(edition)
    assert rules.reasons["unknown-key"] == now.reasons["unknown-key"]
    assert rules.reasons["forged"].text.en == "old"
