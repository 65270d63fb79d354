"""A member that the group forgot notices it."""

from __future__ import annotations

from creditbus.bus.membership import JoinPolicy, Membership

POLICY = JoinPolicy(patience_seconds=20)


def test_a_member_without_an_answer_is_lost_after_its_patience() -> None:
    member = Membership(POLICY, now=100)
    assert not member.is_lost(120)
    assert member.is_lost(120.1)


def test_a_member_that_joined_waits_for_work_as_long_as_it_takes() -> None:
    member = Membership(POLICY, now=100)
    member.joined()
    assert not member.is_lost(10_000)


def test_patience_begins_again_when_the_assignment_is_taken_back() -> None:
    member = Membership(POLICY, now=100)
    member.joined()
    member.left(500)
    assert not member.is_lost(520)
    assert member.is_lost(521)
