"""A word to whoever waits: the first use of a large dataset takes minutes."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

Progress = Callable[[int, int], None]
FIRST, EVERY = 4.0, 10.0  # seconds before the first line, and between two


def said_in_lines(what: str) -> Progress:
    """Make a function to call with (done, all) after each picture; it prints a line on stderr now and then.

    Args:
        what: begins each line, such as "decoding orl". Work that ends within :data:`FIRST` seconds stays silent.
    """
    begun = time.monotonic()
    due, before = begun + FIRST, -1

    def report(done: int, total: int) -> None:
        nonlocal due, before
        before = done - 1 if before < 0 else before  # an interrupted search goes on in the middle
        if (now := time.monotonic()) < due:
            return
        due = now + EVERY
        left = (now - begun) / (done - before) * (total - done) / 60
        print(f"{what}: {done:,} of {total:,} pictures, {left:.1f} min left", file=sys.stderr, flush=True)

    return report
