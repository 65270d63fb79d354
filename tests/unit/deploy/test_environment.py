"""What is installed is what the lock file says, whatever the order in which it was written to disk."""

from __future__ import annotations

from collections import defaultdict
from importlib.metadata import distributions


def test_no_module_is_installed_by_two_packages() -> None:
    owners: dict[str, set[str]] = defaultdict(set)
    for distribution in distributions():
        for file in distribution.files or ():
            if file.suffix == ".py":
                owners[str(file)].add(distribution.name)
    # which of two wins would be chance, and with it types and behaviour: seen with chdb and chdb-core
    assert not {file: sorted(names) for file, names in owners.items() if len(names) > 1}
