"""What sets right what a wrong state told of its subjects, as messages: changes, emissions and dossiers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import msgspec.structs

from creditbus.bus.topics import topic_for
from creditbus.core.context import Context, Emission
from creditbus.core.hashing import output_id
from creditbus.core.processing import Output
from creditbus.core.rebuilding import REBUILT, reconcile, told_of
from creditbus.core.records import Change
from creditbus.core.rules import Rules
from creditbus.core.state import Summary
from creditbus.core.topics import DOSSIERS
from creditbus.dossier.outputs import Outputs
from creditbus.dossier.steps import change_of_no_event
from creditbus.dossier.view import PartitionView, SubjectState, fact_of, is_summary, subject_of


@dataclass(slots=True, kw_only=True)
class Righting:
    """Collects what is to be told of the subjects of one partition. Both views are used up."""

    partition: int
    before: PartitionView
    """The state as it was lived with."""
    after: PartitionView
    """The state that the log leads to."""
    cause_id: str
    """Id of the rebuild."""
    write: Outputs
    rules_of: Callable[[str], Rules]
    outputs: list[Output] = field(default_factory=list)
    told: list[Emission] = field(default_factory=list)
    """What of the outputs subscribers hear."""

    def set_right(self, differing: Iterable[bytes]) -> None:
        """Every subject of which both know something else. differing: keys of the state.

        A subject that the state as it was does not know at all was lost, not wrong: what was told of it was right.
        """
        facts: dict[str, list[str]] = {}
        for key in sorted(differing):
            if (fact := fact_of(key)) or is_summary(key):
                facts.setdefault(subject_of(key), []).append(fact)
        for subject, about in facts.items():
            was, due = self.before.subject(subject), self.after.subject(subject)
            if not was.is_new:
                self._set_right(subject, was, due, [fact for fact in about if fact])

    def _set_right(self, key: str, was: SubjectState, due: SubjectState, facts: Iterable[str]) -> None:
        meta = self.after.meta
        ctx = Context(self.rules_of(meta.edition), meta.tick_ms, meta.turns, emissions=[])
        cause_id, is_unknown = output_id(self.cause_id, key), due.is_new and not due.is_forgotten
        if due.is_new:
            due.summary = _known_as(was.summary, due.summary)
        due.touch(meta.tick_ms, due.summary.timer, meta.edition)
        self.outputs += self.write.changes(_changes(was, due, facts, cause_id, ctx), self.partition)
        if is_unknown:
            self.outputs.append(Output(topic_for(DOSSIERS, due.summary.kind), key.encode(), None, self.partition))
        else:
            self.outputs.append(self.write.dossier(due, ctx.rules, self.partition))
        reconcile(was.summary, due.summary, cause_id, ctx)
        self.outputs += [self.write.emission(one, self.partition) for one in ctx.emissions]
        self.told += ctx.emissions


def _known_as(told: Summary, unknown: Summary) -> Summary:
    """Whom the log does not know was told of under these names."""
    return msgspec.structs.replace(
        unknown, kind=told.kind, name=told.name, identifier=told.identifier, region=told.region
    )


def _changes(was: SubjectState, due: SubjectState, facts: Iterable[str], cause_id: str, ctx: Context) -> list[Change]:
    """A row of history for each record that was told of otherwise; one for the score where there is none."""
    told: list[tuple[str | None, str, str]] = []
    for fact in facts:
        told += told_of(was.row(fact), due.row(fact))
    if not told and _standing(was.summary) != _standing(due.summary):
        told.append((None, "", REBUILT))
    before = was.summary.score, was.summary.grade
    return [
        change_of_no_event(due, (output_id(cause_id, f"change {about[0]}"), REBUILT), about, before, ctx)
        for about in told
    ]


def _standing(summary: Summary) -> tuple[object, ...]:
    return summary.score, summary.grade, summary.is_listed, summary.version, summary.receipt
