"""Names of topics stand in one module, and each is a topic of ``deploy/topics.yaml``."""

import re
from pathlib import Path

import pytest

from creditbus.bus.topics import load_topics
from creditbus.core import topics

SERVICES = Path(topics.__file__).parents[1]
NAMES = {name: value for name, value in vars(topics).items() if name.isupper() and value.startswith("credit.")}


@pytest.mark.parametrize("name", NAMES)
def test_every_name_is_that_of_a_topic(name: str) -> None:
    known = [topic.name for topic in load_topics()]
    value = NAMES[name]
    assert any(one.startswith(value) for one in known) if value.endswith(".") else value in known


def test_no_module_writes_such_a_name_itself() -> None:
    own = re.compile(r"= \"credit\.[a-z.]+\"$|[(\[{, ]\"credit\.[a-z.]+\"[,)\]}]", re.MULTILINE)
    allowed = {SERVICES / "core" / "topics.py", SERVICES / "bus" / "topics.py", SERVICES / "intake" / "settings.py"}
    found = {
        path.relative_to(SERVICES).as_posix()
        for path in SERVICES.rglob("*.py")
        if path not in allowed and own.search(path.read_text())
    }
    assert found == set()
