"""The rows that learn nothing, measured on a sweep's trials: what every variant has to beat.

Taught in: lesson 07.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from facelab.studies.ablation import stock
from facelab.studies.ablation.cell import kept, short_mean
from facelab.studies.ablation.subjects import subject
from facelab.studies.evaluation import fills, measure
from facelab.studies.tasks import task


def baselines(trials: Path, system: str, data: str, cfg: Any) -> dict[str, dict[str, Any]]:
    """The input as it is, and the training people's mean picture.

    Args:
        trials: the file of :func:`facelab.studies.ablation.stock.fill_trials`.
        system: whose trials. data: a dataset of the catalogue. cfg: a configuration, with ``size channels``.

    Returns:
        Row → ``trials`` and ``pictures``, as in the rows of variants; without Fréchet distances.
    """
    wanted, out = subject(system).each_trial, {}
    mean = task(system).mean(data, cfg.size, cfg.channels)
    for label, (test, known) in stock.trials(trials).items():
        for name, pictures in fills(test, mean, biharmonic=False).items():
            points = test.shown_points if name == "input" else None
            values = measure(pictures, test, known=known, points=points)
            row = out.setdefault(name, {"trials": {}, "pictures": {}})
            row["trials"][label] = {metric: short_mean(values[metric]) for metric in wanted if metric in values}
            row["pictures"] |= kept(values, wanted, label)
    return out
