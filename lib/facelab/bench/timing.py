"""Two sides in turn, the minimum of each."""

from __future__ import annotations

import time
from collections.abc import Callable

from facelab.machine import cpu_has_bf16


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


def framed(outer: Callable[[], object], inner: Callable[[], object], rounds: int) -> tuple[float, float]:
    """Seconds of two sides, the second so slow that it is run as seldom as can be: between two runs of the first.

    A machine that becomes slower on the way slows the mean of the outer runs and the inner one alike. One more outer
    run comes first and is not measured; the inner side must be one that a run before does not help.

    Returns:
        Mean seconds of the two outer runs, and seconds of the inner one, of the fastest of ``rounds`` rounds.
    """
    outer()
    found = []
    for _ in range(rounds):
        times = [time.perf_counter()]
        for run in (outer, inner, outer):
            run()
            times.append(time.perf_counter())
        found.append(((times[1] - times[0] + times[3] - times[2]) / 2, times[2] - times[1]))
    return min(found, key=sum)


def against_plain(what: str, setting: str, sides: dict[str, Callable[[], object]], rounds: int) -> dict:
    """A training step, ours in both precisions against ``"plain fp32"``: seconds, and how many times faster."""
    best = interleaved(sides, rounds)
    return {
        "what": what, "setting": setting,
        "seconds": {name: round(value, 4) for name, value in best.items()},
        "ratio": {name: round(best["plain fp32"] / best[name], 2) for name in ("ours fp32", "ours bf16")},
        "bf16 in hardware": cpu_has_bf16(),
    }  # fmt: skip


def speeds(best: dict[str, float], count: int, against: str | None = None) -> dict:
    """Pictures a second of each side, and how many times faster than ``against`` the others are."""
    out = {"pictures per second": {name: round(count / value) for name, value in best.items()}}
    if against:
        out["ratio"] = {name: round(best[against] / value, 2) for name, value in best.items() if name != against}
    return out
