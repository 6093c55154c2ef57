"""Do the judges agree? Variants of the recorded sweeps, ranked by one metric and by another.

Taught in: lesson 10.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

from scipy.stats import kendalltau

from facelab import files
from facelab.studies.ablation import table
from facelab.studies.judging import SIDES

JUDGES = ("psnr_hole", "ssim", "sharpness", "identity", "rank1", "frechet", "frechet_second")
"""Whose orders are compared; a gain orders as what it is a gain of."""
FEWEST = 5
"""Variants that an agreement is worked out for, at least."""


def records() -> dict[str, dict[str, Any]]:
    """The sweeps that ship, by the name of their file: ``notebooks/figures/05_orl.jsonl`` is ``"05_orl"``."""
    found = sorted((files.project_root() / "notebooks" / "figures").glob("0[5-9]_*.jsonl"))
    read = {path.stem: table.read(path) for path in found if not path.stem.endswith("_course")}
    return {name: content for name, content in read.items() if any("variant" in row for row in content["rows"])}


def variants_judged(record: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """What the judges said of each variant.

    Args:
        record: of :func:`facelab.studies.ablation.table.read`.

    Returns:
        Variant → metric → mean over its seeds, on the first trial; variants of which a run broke down are left out.
    """
    runs: dict[str, list[Mapping[str, Any]]] = {}
    for row in record["rows"]:
        runs.setdefault(row["variant"], []).append(row)
    whole = {name: rows for name, rows in runs.items() if all(row["ended"] == "done" for row in rows)}
    return {name: _means([row["means"] for row in rows]) for name, rows in whole.items()}


def _means(rows: Sequence[Mapping[str, float | None]]) -> dict[str, float]:
    shared = [metric for metric in rows[0] if all(row.get(metric) is not None for row in rows)]
    return {metric: statistics.fmean(row[metric] for row in rows) for metric in shared}


def worth(metric: str, value: float) -> float:
    """A metric turned so that more is better.

    Args:
        metric: of :data:`facelab.studies.judging.SIDES`. value: sharpness counts by how far its ratio is from 1.
    """
    side = SIDES[metric.partition(", ")[0]]
    if side:
        return side * value
    return -abs(math.log(value)) if value > 0 else -math.inf


def rank_agreement(scores: Mapping[str, Mapping[str, float]], a: str, b: str) -> float:
    """Kendall's tau-b of two metrics over the variants that have both.

    Args:
        scores: variant → metric → value. a, b: metrics.

    Returns:
        1 where both put all variants into one order, better first; -1 where one reverses the other's; NaN where there
        are fewer than two variants, or one metric tells none apart.

    Source: Kendall 1945, "The treatment of ties in ranking problems".
    Taught in: lesson 10.
    """
    both = [(worth(a, row[a]), worth(b, row[b])) for row in scores.values() if a in row and b in row]
    if len(both) < 2:
        return math.nan
    return float(kendalltau(*zip(*both, strict=True), variant="b").statistic)


def agreement(
    records: Mapping[str, Mapping[str, Any]], judges: Sequence[str] = JUDGES
) -> dict[str, dict[str, dict[str, Any]]]:
    """Every pair of judges on every record.

    Args:
        records: name → record, see :func:`records`. judges: metrics.

    Returns:
        Record → ``"a | b"`` → ``tau``, and behind it the number of ``variants`` and of ``seeds``, the fewest and the
        most of a variant; pairs with fewer than :data:`FEWEST` variants are left out, and so are records without any.

    Taught in: lesson 10.
    """
    out: dict[str, dict[str, dict[str, Any]]] = {}
    for name, record in records.items():
        scores = variants_judged(record)
        for a, b in combinations(judges, 2):
            both = [variant for variant, row in scores.items() if a in row and b in row]
            tau = rank_agreement(scores, a, b) if len(both) >= FEWEST else math.nan
            if not math.isnan(tau):
                seeds = [sum(row["variant"] == variant for row in record["rows"]) for variant in both]
                cell = {"tau": round(tau, 4), "variants": len(both), "seeds": [min(seeds), max(seeds)]}
                out.setdefault(name, {})[f"{a} | {b}"] = cell
    return out
