"""What each lesson's ``metrics.json`` must satisfy after a smoke run, each with numbers that would break it.

A relation without a counterexample could be true of anything, so it cannot be written down here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

# Every record says what was run on what.
KEYS = ("lesson", "profile", "data", "seed", "device", "seconds")


@dataclass(frozen=True)
class Relation:
    """A sentence, its test on the record, and a (partial) record for which it is false."""

    sentence: str
    holds: Callable[[dict], bool]
    counterexample: dict


RELATIONS: dict[str, list[Relation]] = {
    "00_start_here": [
        Relation(
            "a picture survives the way to 8 bits and back within half a grey level",
            lambda m: 0 < m["round_trip_error"] <= 1 / 255 + 1e-6,
            {"round_trip_error": 2 / 255},
        ),
    ],
}
