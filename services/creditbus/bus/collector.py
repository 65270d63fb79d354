"""Python's garbage collector, kept off the hot path.

A batch makes some hundred thousand objects that live until it is committed; the collector would walk them again and
again without finding anything, since reference counts free them all.
"""

from __future__ import annotations

import gc

_LEFT_OVER = (50_000, 10, 10)
"""Objects that may be left over, and younger collections that may have been, before a generation is walked."""


def tune_collector() -> None:
    """For a server of requests: objects of the start are walked no more, and young ones more rarely."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(200_000, 20, 100)


class BetweenBatches:
    """For a loop of batches: nothing is walked during a batch, and after it only what it left over.

    CPython counts the container objects that were made and not freed; between batches, that is what only the
    collector can free, such as errors that refer to themselves, and what is remembered for later.

    One is made for each session: what the last one left over, its clients among it, is freed then.
    """

    def __init__(self) -> None:
        """Objects of the start are walked no more, and the collector does not run by itself any longer."""
        gc.unfreeze()
        gc.collect()
        gc.freeze()
        gc.disable()

    def __call__(self) -> None:
        """To be called when the last batch is dropped."""
        counts = gc.get_count()
        oldest = max((age for age, most in enumerate(_LEFT_OVER) if counts[age] > most), default=None)
        if oldest is not None:
            gc.collect(oldest)
