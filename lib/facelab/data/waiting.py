"""A word to whoever waits: the first use of a large dataset takes minutes."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

Progress = Callable[[int, int], None]
FIRST, EVERY = 4.0, 10.0  # seconds before the first line, and between two


def said_in_lines(what: str) -> Progress:
    """Make a function to call with (done, all) after each picture; it prints a line on stderr now and then.

    The first line estimates nothing, for it knows too little; work that was spoken of is also said to be done.

    Args:
        what: begins each line, such as "decoding orl". Work that ends within :data:`FIRST` seconds stays silent.
    """
    begun = time.monotonic()
    due, before, spoken = begun + FIRST, -1, False

    def report(done: int, total: int) -> None:
        nonlocal due, before, spoken
        before = done - 1 if before < 0 else before  # an interrupted search goes on in the middle
        now, ended = time.monotonic(), done >= total
        if not (spoken if ended else now >= due):
            return
        left = f", {(now - begun) / (done - before) * (total - done) / 60:.1f} min left" if spoken else ""
        words = "done" if ended else f"{done:,} of {total:,} pictures{left}"
        print(f"{what}: {words}", file=sys.stderr, flush=True)
        due, spoken = now + EVERY, not ended

    return report
