"""What sets right what a wrong state told of its subjects, as messages: changes, emissions and dossiers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import msgspec.structs

from creditbus.bus.topics import topic_for
from creditbus.core.context import Context, Emission
from creditbus.core.hashing import output_id
from creditbus.core.processing import Output
from creditbus.core.rebuilding import REBUILT, reconcile, told_of
from creditbus.core.records import Change, MeasureOrder
from creditbus.core.rules import Rules
from creditbus.core.topics import DOSSIERS
from creditbus.dossier.outputs import Outputs
from creditbus.dossier.steps import Standing, change_of_no_event
from creditbus.dossier.view import PartitionView, SubjectState, fact_of, subject_of


@dataclass(slots=True)
class SetRight:
    """Messages, and how many of them there are of each kind that subscribers hear."""

    outputs: list[Output] = field(default_factory=list)
    told: Counter[str] = field(default_factory=Counter)


def set_right(
    partition: int,
    views: tuple[PartitionView, PartitionView],
    differing: Iterable[bytes],
    cause_id: str,
    tools: tuple[Outputs, Callable[[str], Rules]],
) -> SetRight:
    """What is to be told of each subject whose state differs, and which both know.

    A subject that the state as it was does not know at all was lost, not wrong: what was told of it was right.

    views: the state as it was, and as the log leads to; both are used up. differing: keys; cause_id: id of the rebuild.
    """
    found = SetRight()
    before, after = views
    for subject, facts in _facts_by_subject(differing).items():
        if not before.subject(subject).is_new:
            _set_right((before, after), subject, facts, output_id(cause_id, subject), (partition, *tools), found)
    return found


def _set_right(
    views: tuple[PartitionView, PartitionView],
    key: str,
    facts: Iterable[str],
    cause_id: str,
    tools: tuple[int, Outputs, Callable[[str], Rules]],
    found: SetRight,
) -> None:
    partition, outputs, rules_of = tools
    was, due = (view.subject(key) for view in views)
    meta = views[1].meta
    ctx = Context(rules_of(meta.edition), meta.tick_ms, meta.turns, emissions=[])
    is_unknown = due.is_new and not due.is_forgotten
    if due.is_new:  # the log does not know it; it was told of as something
        due.summary = msgspec.structs.replace(due.summary, kind=was.summary.kind, name=was.summary.name)
    due.touch(meta.tick_ms, due.summary.timer, meta.edition)
    found.outputs += outputs.changes(_changes(was, due, facts, cause_id, ctx), partition)
    if is_unknown:
        found.outputs.append(Output(topic_for(DOSSIERS, due.summary.kind), key.encode(), None, partition))
    else:
        found.outputs.append(outputs.dossier(due, ctx.rules, partition))
    reconcile(was.summary, due.summary, cause_id, ctx)
    found.outputs += [outputs.emission(one, partition) for one in ctx.emissions]
    found.told.update(map(_name_of, ctx.emissions))


def _changes(was: SubjectState, due: SubjectState, facts: Iterable[str], cause_id: str, ctx: Context) -> list[Change]:
    standing: Standing = (was.summary.score, was.summary.grade)
    told: list[tuple[str | None, str, str]] = []
    for fact in facts:
        told += told_of(was.row(fact), due.row(fact))
    return [
        change_of_no_event(due, (output_id(cause_id, f"change {about[0]}"), REBUILT), about, standing, ctx)
        for about in told or [(None, "", REBUILT)]
    ]


def _facts_by_subject(keys: Iterable[bytes]) -> dict[str, list[str]]:
    facts: dict[str, list[str]] = {}
    for key in sorted(keys):
        if subject := subject_of(key):
            facts.setdefault(subject, []).extend([fact] if (fact := fact_of(key)) else [])
    return facts


def _name_of(emission: Emission) -> str:
    return emission.action if isinstance(emission, MeasureOrder) else type(emission).__name__
