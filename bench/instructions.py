"""Instructions that intake and dossier take for an event, as valgrind counts them.

The same program on the same events takes the same instructions, so that a change of one percent shows on a machine
whose speed changes by half from minute to minute. What it does not show is time spent waiting for memory.

Run as a script it is the counted program: instructions.py intake|dossier EVENTS.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

import psutil

from bench.inprocess import applied, decided, prepared
from creditbus.bus.collector import BetweenBatches
from creditbus.bus.store import RocksStores

PARTS = ("intake", "dossier")
_COUNTED = re.compile(r"Collected : (\d+)")


def measure(events: int) -> dict[str, float]:
    """Instructions an event of each part, over the second half of the events. Exits without valgrind."""
    if shutil.which("valgrind") is None:
        sys.exit("instructions are counted by valgrind: install it (Debian: apt-get install valgrind)")
    return {f"instructions an event, {part}": _counted(part, events) for part in PARTS}


def _counted(part: str, events: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        valgrind = ["valgrind", "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={folder}/out"]
        program = [sys.executable, "-m", "bench.instructions", part, str(events)]
        done = subprocess.run(  # strings hash alike in every run
            ["env", "PYTHONHASHSEED=0", *valgrind, *program], capture_output=True, text=True, check=True
        )
    return counted_in(done.stderr) / int(done.stdout.split()[-1])


def counted_in(report: str) -> int:
    """Instructions of a report of callgrind. Raises ValueError when there are none in it."""
    found = _COUNTED.search(report)
    if found is None:
        raise ValueError(f"callgrind counted nothing: {report[-500:]}")
    return int(found[1])


def main() -> None:
    """Do the first half of the work to warm up, the second half counted; print how many messages that were."""
    part, events = sys.argv[1], int(sys.argv[2])
    with tempfile.TemporaryDirectory() as folder, prepared(events) as work:
        messages = work.all_events if part == "intake" else work.log
        half = len(messages) // 2
        store = RocksStores(Path(folder))("bench", 0)
        between = BetweenBatches()
        do = (
            partial(decided, work.intake, between=between)
            if part == "intake"
            else partial(applied, work.dossier, store=store, between=between)
        )
        do(messages[:half])
        _count(on=True)
        do(messages[half:])
        _count(on=False)
        store.close()
    print(len(messages) - half)


def _count(*, on: bool) -> None:
    """Tell the valgrind that runs this program."""
    switch = ["callgrind_control", "-i", "on" if on else "off", str(psutil.Process().pid)]
    subprocess.run(switch, check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
