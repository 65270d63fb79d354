"""What a region's mirror copies, and how: every topic with one writer, both ways exactly once."""

from __future__ import annotations

import re

from creditbus.bus.topics import load_topics, mirrored_records
from creditbus.lab.mirror import Mirroring, properties, topics_down

TOLD = Mirroring(region="baotou", brokers="127.0.0.1:1", hub_brokers="127.0.0.1:2", listener="http://127.0.0.1:3")
FROM_THE_NODE = {"gateway", "lookup", "warehouse", "departments"}


def test_what_comes_down_is_written_by_nobody_at_the_region() -> None:
    topics = {topic.name: topic for topic in load_topics()}
    for name in topics_down():
        writers = set(topics[name].written_by)
        if name == "credit.breaker":
            writers.discard("gateway")  # a node's takes no approvals: lab/stack.py
        assert not writers & FROM_THE_NODE, name
        assert "intake" not in writers or name in ("credit.records", "credit.identities"), name


def test_a_region_s_intake_writes_elsewhere_or_the_same_row_as_the_hub_under_its_key() -> None:
    topics = {topic.name: topic for topic in load_topics()}
    assert topics["credit.records.local"].written_by == ("intake",)
    assert topics["credit.identities"].settings["cleanup.policy"] == "compact"
    assert "credit.identities" in topics_down(), "intake knows subjects by numbers that another region told of"


def test_everything_that_a_region_s_warehouse_reads_is_there() -> None:
    own = {"credit.records.local", "credit.rejections", "credit.access"}
    read = {topic.name for topic in load_topics() if "warehouse" in topic.read_by}
    assert read - own <= set(topics_down())
    assert "credit.editions" in topics_down(), "intake and gateway decide by it"


def test_the_patterns_match_whole_names_and_nothing_else() -> None:
    told = properties(TOLD)
    up, down = (told[f"{way}.topics"] for way in ("baotou->hub", "hub->baotou"))
    names = [topic.name for topic in load_topics(regions=["baotou"])]
    assert [name for name in names if re.fullmatch(up, name)] == ["credit.records.local"]
    assert [name for name in names if re.fullmatch(down, name)] == topics_down()
    assert mirrored_records("baotou") in names


def test_both_ways_are_exactly_once() -> None:
    told = properties(TOLD)
    assert {told[f"{cluster}.exactly.once.source.support"] for cluster in ("hub", "baotou")} == {"enabled"}
    assert told["consumer.isolation.level"] == "read_committed"
