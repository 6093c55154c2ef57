"""Where systems fail worst, and that each judge points at another face.

Taught in: lesson 10.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from facelab.faces.descriptor import descriptors
from facelab.images import to_channels
from facelab.show.canvas import COLOURS, GREY, needed, put, put_title, sheet, styled, write
from facelab.show.verdicts import badness, named, number
from facelab.studies.evaluation import measure
from facelab.studies.trials import Trial

GAP, APART = 0.05, 0.22  # inches between the pictures of a face, between judges
PARTS = ("input", "answer", "truth")
Answer = tuple[Tensor, Tensor | None, Tensor]


def worst(metric: str, values: Tensor) -> int:
    """Place of the face that a judge likes least; faces that it cannot judge are passed over.

    Args:
        metric: its name. values: (N,).

    Raises:
        ValueError: it can judge none.

    Taught in: lesson 10.
    """
    bad = badness(metric, np.asarray(values, dtype=float))
    if not np.isfinite(bad).any():
        raise ValueError(f"{metric} has no finite value among {len(bad)} faces")
    return int(np.nanargmax(np.where(np.isfinite(bad), bad, np.nan)))


def each_judged(trials: Mapping[str, Trial], answers: Mapping[str, Answer], metrics: Sequence[str]) -> dict[str, dict]:
    """Label → metric → (N,) of what was answered; faces are described only where a judge asks for it."""
    out = {}
    for label, test in trials.items():
        known = descriptors(test.truth, test.points) if "identity" in metrics else None
        out[label] = measure(answers[label][0], test, known=known)
    return out


@styled
def failure_gallery(
    trials: Mapping[str, Trial],
    answers: Mapping[str, Answer],
    metric: str | Sequence[str] = ("psnr_hole", "identity", "sharpness"),
    *,
    values: Mapping[str, Mapping[str, Any]] | None = None,
    title: str = "",
    side: float = 0.98,
) -> Figure:
    """The worst face of each system by each judge: what was seen, what was answered, and the truth.

    All faces of a trial are asked; none is left out for looking bad.

    Args:
        trials: system → its trial.
        answers: system → image, hole and raw, see :func:`facelab.studies.evaluation.run_restore`.
        metric: one judge or several.
        values: system → metric → (N,); measured here where None, which is slow for identity.
        title: one line above all.
        side: of a picture, inches.

    Raises:
        ValueError: nothing to show.

    Taught in: lesson 10.
    """
    metrics = [metric] if isinstance(metric, str) else list(metric)
    if not trials or not metrics:
        raise ValueError("at least one system and one judge are needed")
    values = each_judged(trials, answers, metrics) if values is None else values
    left, wide = needed(list(trials)) + 0.15, 3 * (side + GAP) - GAP
    top = 0.3 * bool(title) + 0.5
    total = left + len(metrics) * (wide + APART) - APART + 0.03
    figure, axes = sheet(total, top + len(trials) * (side + 0.27) + 0.02)
    put_title(figure, title)
    for k, name in enumerate(metrics):
        _heads(axes, left + k * (wide + APART), top, named(name), side, wide)
    for row, (label, test) in enumerate(trials.items()):
        y = top + row * (side + 0.27)
        write(axes, left - 0.1, y + side / 2, label, 9.5, "right")
        for k, name in enumerate(metrics):
            _worst_face(axes, left + k * (wide + APART), y, side, test, answers[label], name, values[label].get(name))
    return figure


def _heads(axes: Axes, x: float, top: float, words: str, side: float, wide: float) -> None:
    write(axes, x + wide / 2, top - 0.36, f"worst by {words}", 9.5, weight="bold")
    axes.plot([x, x + wide], [top - 0.24, top - 0.24], color=GREY, lw=0.6)
    for place, part in enumerate(PARTS):
        write(axes, x + place * (side + GAP) + side / 2, top - 0.12, part, 8.5)


def _worst_face(axes: Axes, x: float, y: float, side: float, test: Trial, answer: Answer, name: str, values) -> None:
    """One face in three pictures, and the number that makes it the worst."""
    if values is None:  # such as pixel by pixel where the truth is another picture
        write(axes, x + 1.5 * side, y + side / 2, "not measured", 9, color=GREY)
        return
    face = worst(name, values)
    for place, picture in enumerate((test.occluded, answer[0], test.truth)):
        put(axes, to_channels(picture[face], 3).clamp(-1, 1), x + place * (side + GAP), y, side)
    of = f"face {face} of {len(test)}"
    text = f"{number(name, float(values[face]), unit=True)} · {of}"
    write(axes, x + 1.5 * side + GAP, y + side + 0.11, text, 8.5, color=COLOURS[5])
