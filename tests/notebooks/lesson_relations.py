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
        Relation(
            "the shipped weights gain on their input, and a network that was never trained does not",
            lambda m: m["psnr_restored"] > m["psnr_input"] + 1 > m["psnr_untrained"] + 1,
            {"psnr_restored": 20.0, "psnr_input": 19.5, "psnr_untrained": 18.0},
        ),
    ],
    "02_occlusions": [
        Relation(
            "only black squares are found by the rule that black is hidden",
            lambda m: m["rule_iou"]["squares"] > 0.9 > 0.5 > max(v for k, v in m["rule_iou"].items() if k != "squares"),
            {"rule_iou": {"squares": 1.0, "hand": 0.6}},
        ),
        Relation(
            "a perfect guess brings back squares exactly and nothing else",
            lambda m: [k for k, v in m["ceiling_db"].items() if v >= 60] == ["squares"],
            {"ceiling_db": {"squares": 60, "hand": 60, "cap": 30}},
        ),
        Relation(
            "each band of areas costs more PSNR than the one before, about as much as its area says",
            lambda m: m["input_psnr"] == sorted(m["input_psnr"], reverse=True)
            and max(abs(a - b) for a, b in zip(m["input_psnr"], m["law_psnr"], strict=True)) < 3,
            {"input_psnr": [22.0, 23.0], "law_psnr": [22.0, 21.0]},
        ),
        Relation(
            "a flipped hole never lowers PSNR, and leaves the inside of the hole as it was",
            lambda m: min(m["flip_gain_db"]) >= 0 and m["change_inside"]["right"] > 10 * m["change_inside"]["flipped"],
            {"flip_gain_db": [0.1], "change_inside": {"right": 0.1, "flipped": 0.1}},
        ),
    ],
}
