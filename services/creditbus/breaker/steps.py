"""When a source is watched, held and let go: counts against a band, and approvals of two officers. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from creditbus.core.breaker import CALM, ENDS_HOLD, HOLD, RELEASE, ROLL_BACK, WATCH
from creditbus.core.hashing import digest
from creditbus.core.rules import BreakerRule

RuleOf = Callable[[str], BreakerRule | None]
"""The band of a source."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What becomes of a source, for the log."""

    control_id: str
    action: str
    source: str
    at_ms: int
    listings: int = 0
    """Within the window."""
    band: int = 0
    """The band that was crossed; 0 when a source is let go."""
    window_hours: int = 0
    approved_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """An officer's word how a hold ends."""

    source: str
    hold_id: str
    officer: str
    action: str = RELEASE
    """RELEASE or ROLL_BACK."""


@dataclass(slots=True)
class Source:
    """What is known of one source."""

    action: str = CALM
    control_id: str = ""
    since_ms: int = 0
    """When its last order was given; after a release only later listings count."""
    listings: dict[str, int] = field(default_factory=dict)
    """Business time of each listing within the window, by its id."""
    officers: dict[str, list[str]] = field(default_factory=dict)
    """Who approved that the present hold ends in a release or a roll-back, in order."""


class Breaker:
    """All sources. Told of orders, listings and approvals in the order of the log; asked what is to be done."""

    def __init__(self, rule_of: RuleOf) -> None:
        self._rule_of = rule_of
        self.sources: dict[str, Source] = {}

    def ordered(self, source: str, action: str, control_id: str, at_ms: int) -> None:
        """An order stands on the log."""
        one = self._source(source)
        if action == one.action:
            return
        one.action, one.control_id, one.since_ms = action, control_id, at_ms
        one.officers = {}
        if action in ENDS_HOLD:
            one.listings = {key: at for key, at in one.listings.items() if at > at_ms}

    def listed(self, source: str, listing_id: str, at_ms: int) -> None:
        """A source decided a listing; told twice it counts once."""
        one = self._source(source)
        if not (one.action in ENDS_HOLD and at_ms <= one.since_ms):
            one.listings.setdefault(listing_id, at_ms)

    def approved(self, approval: Approval) -> None:
        """An officer approved; only for the present hold, and each officer once."""
        one = self._source(approval.source)
        if one.action == HOLD and one.control_id == approval.hold_id:
            officers = one.officers.setdefault(approval.action, [])
            if approval.officer not in officers:
                officers.append(approval.officer)

    def due(self, now_ms: int) -> Iterator[Decision]:
        """What has to be ordered now, by source."""
        for name, one in sorted(self.sources.items()):
            rule = self._rule_of(name)
            if rule is None:
                continue
            since = now_ms - rule.window_hours * 3_600_000
            one.listings = {key: at for key, at in one.listings.items() if at > since}
            action = _action(one, rule)
            if action is not None:
                yield Decision(
                    control_id=digest("source-order", name, action, one.control_id, str(now_ms)),
                    action=action,
                    source=name,
                    at_ms=now_ms,
                    listings=len(one.listings),
                    band={WATCH: rule.soft, HOLD: rule.hard}.get(action, 0),
                    window_hours=rule.window_hours,
                    approved_by=tuple(one.officers[action]) if action in ENDS_HOLD else (),
                )

    def _source(self, name: str) -> Source:
        return self.sources.setdefault(name, Source())


def _action(one: Source, rule: BreakerRule) -> str | None:
    """What a source becomes; None when it stays as it is. One officer alone changes nothing."""
    count = len(one.listings)
    if one.action == HOLD:
        return next((action for action in (ROLL_BACK, RELEASE) if len(one.officers.get(action, ())) > 1), None)
    if count > rule.hard:
        return HOLD
    if count > rule.soft:
        return WATCH if one.action != WATCH else None
    return CALM if one.action == WATCH else None
