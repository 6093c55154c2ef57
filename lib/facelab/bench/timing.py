"""Two sides in turn, the minimum of each."""

from __future__ import annotations

import time
from collections.abc import Callable


def interleaved(sides: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Minimum seconds of each side over ``rounds`` rounds in turn, after one unmeasured round."""
    best = dict.fromkeys(sides, float("inf"))
    for number in range(rounds + 1):
        for name, run in sides.items():
            started = time.perf_counter()
            run()
            if number:
                best[name] = min(best[name], time.perf_counter() - started)
    return best


def speeds(best: dict[str, float], count: int, against: str | None = None) -> dict:
    """Pictures a second of each side, and how many times faster than ``against`` the others are."""
    out = {"pictures per second": {name: round(count / value) for name, value in best.items()}}
    if against:
        out["ratio"] = {name: round(best[against] / value, 2) for name, value in best.items() if name != against}
    return out
