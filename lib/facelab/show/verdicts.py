"""How judges of pictures are called, how their numbers are written, and when each of them is content.

Taught in: lesson 10.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.colors import to_rgb
from scipy.stats import rankdata

from facelab.metrics.identity import SAME_PERSON
from facelab.metrics.sharpness import GOOD
from facelab.show.canvas import COLOURS
from facelab.studies.agreement import worth

Table = Mapping[str, Mapping[str, Any]]
"""Row → metric → a number, ``{"mean", "low", "high"}``, or (N,) values."""
NAMES = {
    "psnr": "PSNR", "psnr_gain": "PSNR gain", "psnr_hole": "PSNR in the hole", "l1_hole": "L1 in the hole",
    "ssim": "SSIM", "ssim_gain": "SSIM gain", "identity": "identity distance", "identity_gain": "identity gain",
    "sharpness": "sharpness", "frechet": "Fréchet distance", "frechet_few": "Fréchet distance",
    "frechet_second": "Fréchet, other net", "frechet_few_second": "Fréchet, other net",
    "psnr_told": "PSNR, hole given", "real": "photographs well covered",
    "iou": "IoU of the hole", "rank1": "rank-1", "recognised": "recognised", "to_donor": "distance to the other person",
    "fid": "FID", "same": "share taken for the same person",
}  # fmt: skip
"""Metric → its words."""
DIGITS = {"psnr": 1, "psnr_gain": 1, "psnr_hole": 1, "frechet": 1, "frechet_few": 1, "frechet_second": 1, "fid": 1}
UNITS = {"psnr": "dB", "psnr_gain": "dB", "psnr_hole": "dB"}
PSNR_LEAST, SSIM_LEAST = 25.0, 0.85
"""From where on a picture counts as close to its truth here; other fields draw the line elsewhere."""
BOUNDS: dict[str, tuple[float, float]] = {
    "psnr": (PSNR_LEAST, math.inf), "ssim": (SSIM_LEAST, math.inf), "identity": (0.0, SAME_PERSON), "sharpness": GOOD,
}  # fmt: skip
"""Metric → between which values it is content with one picture, of those that judge a picture by itself."""
STRENGTH = 0.62  # of the colour of the best and of the worst


def named(metric: str, unit: bool = False) -> str:
    """The words for a metric, with its unit where wanted; one without words keeps its name."""
    words = NAMES.get(metric, metric.replace("_", " "))
    return f"{words} ({UNITS[metric]})" if unit and metric in UNITS else words


def number(metric: str, value: float, unit: bool = False) -> str:
    """A value as it is written; ``"∞"`` for the PSNR of equal pictures, ``"–"`` where there is none."""
    if math.isnan(value):
        return "–"
    text = "∞" if math.isinf(value) else f"{value:.{DIGITS.get(metric, 2)}f}"
    return f"{text} {UNITS[metric]}" if unit and metric in UNITS else text


def mean_of(cell: Any) -> float:
    """The mean in a cell of a table: a number, ``{"mean": …}``, or (N,) values; NaN where there is none.

    Of (N,) values what is not finite is left out, as everywhere in the protocol; where nothing else is there (every
    picture equal to its truth) the mean is infinite.
    """
    if cell is None:
        return math.nan
    if isinstance(cell, Mapping):
        equal = cell.get("mean") is None and cell.get("left_out", 0) > 0  # PSNR, and no picture differs
        return math.inf if equal else mean_of(cell.get("mean"))
    values = np.atleast_1d(np.asarray(cell, dtype=float))
    values = values[~np.isnan(values)]
    finite = values[np.isfinite(values)]
    if len(finite):
        return float(finite.mean())
    return math.inf if len(values) else math.nan


def content(metric: str, value: float) -> bool | None:
    """Whether a judge lets a picture pass, see :data:`BOUNDS`, by its number as it is written; None: it says nothing.

    Taught in: lesson 10.
    """
    if metric not in BOUNDS or math.isnan(value):
        return None
    low, high = BOUNDS[metric]
    return low <= (value if math.isinf(value) else round(value, DIGITS.get(metric, 2))) <= high


def bound(metric: str) -> str:
    """What a judge asks for, in words, such as ``"25 dB or more"``."""
    low, high = BOUNDS[metric]
    unit = f" {UNITS[metric]}" if metric in UNITS else ""
    if math.isinf(high):
        return f"{low:g}{unit} or more"
    return f"{low:g} to {high:g}{unit}" if low > 0 else f"{high:g}{unit} or less"


def badness(metric: str, values: Sequence[float]) -> np.ndarray:
    """How little a judge likes each value: the more, the worse. NaN stays NaN.

    Args:
        metric: its name; see :func:`facelab.studies.agreement.worth` for what is better.
        values: (N,).
    """
    return np.array([-worth(metric, float(value)) if not math.isnan(value) else math.nan for value in values])


def places(metric: str, values: Sequence[float]) -> np.ndarray:
    """Where a judge puts each of some rows: 0 for the best, 1 for the worst, equal rows at their middle.

    Rows that are written alike are equal. NaN where there is no value, and everywhere where there is but one.

    Args:
        metric: its name. values: one a row.

    Taught in: lesson 10.
    """
    bad = badness(metric, [v if math.isnan(v) else round(v, DIGITS.get(metric, 2)) for v in values])
    out, known = np.full(len(bad), np.nan), ~np.isnan(bad)
    if known.sum() > 1:
        out[known] = (rankdata(bad[known]) - 1) / (known.sum() - 1)
    return out


def shade(place: float) -> tuple[float, float, float]:
    """Blue for the best, red for the worst, white between them and where there is no place."""
    if math.isnan(place):
        return (1.0, 1.0, 1.0)
    colour = np.array(to_rgb(COLOURS[0] if place < 0.5 else COLOURS[5]))
    return tuple(1 - STRENGTH * abs(1 - 2 * place) * (1 - colour))


def there(metrics: Sequence[str], values: Table) -> list[str]:
    """The judges that were asked; small sets have a Fréchet distance of another name."""
    asked = {metric for row in values.values() for metric in row}
    few = {"frechet": "frechet_few", "frechet_second": "frechet_few_second"}
    wanted = [few[metric] if metric in few and metric not in asked else metric for metric in metrics]
    return [metric for metric in wanted if metric in asked]
