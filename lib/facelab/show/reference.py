"""Figures of the shipped weights on real colour photographs: ``python -m facelab.show.reference [FOLDER]``.

They need ``lfw`` and ``realmasks`` under ``FACELAB_DATA``. The faces are people never seen in training, at places fixed
in advance (every n-th of the test part), never chosen by their result.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from matplotlib.figure import Figure
from torch import Tensor

from facelab.files import project_root
from facelab.metrics.image import psnr
from facelab.show.canvas import save
from facelab.show.figures import best_and_worst, rows
from facelab.studies.evaluation import run_restore, standard_trials
from facelab.studies.natural import masked_study
from facelab.studies.trials import Trial
from facelab.systems import oagan
from facelab.train.weights import read_card

COUNT, SEED = 64, 1


def _answers() -> tuple[dict[str, Trial], dict[str, tuple[Tensor, ...]]]:
    model, cfg = oagan.load("oagan")
    trials = standard_trials("lfw", cfg.size, cfg.channels, COUNT, SEED)
    return trials, {name: run_restore(partial(oagan.restore, model), test.occluded) for name, test in trials.items()}


def caption() -> str:
    """Data, steps, device and seed of the shipped weights, from their card."""
    card = read_card("oagan")
    return f"lfw, people never seen; {card['steps']:,} steps, {card['device'].split(' ')[0]}, seed {card['seed']}"


def strips(test: Trial, answer: tuple[Tensor, ...], places: list[int]) -> dict[str, Tensor]:
    """Input, predicted hole, output and truth of some faces."""
    image, hole, _ = answer
    parts = {"input": test.occluded, "predicted hole": hole, "output": image, "truth": test.truth}
    return {name: part[places].clamp(-1, 1) for name, part in parts.items()}


def hero() -> Figure:
    """Eight faces, every eighth of each trial: four behind kinds trained on, four behind kinds never trained on."""
    trials, answers = _answers()
    places = [8 * k + 1 for k in range(4)]
    parts = [strips(trials[name], answers[name], places) for name in trials]
    joined = {name: torch.cat([part[name] for part in parts]) for name in parts[0]}
    titles = [trials[name].kinds[place].replace("_", " ") for name in trials for place in places]
    titles[4:] = [f"{title} *" for title in titles[4:]]
    return rows(joined, titles, title=f"{caption()};  * kind never trained on")


def lfw_04(trial: str = "unseen kinds") -> Figure:
    """The four best and the four worst of a trial by PSNR gain."""
    trials, answers = _answers()
    test, answer = trials[trial], answers[trial]
    gain = psnr(answer[0], test.truth) - psnr(test.occluded, test.truth)
    title = f"{len(test)} faces by PSNR gain, {trial}; {caption()}"
    return best_and_worst(strips(test, answer, list(range(len(test)))), gain, "PSNR gain", "dB", title=title)


def realmasks_04() -> Figure:
    """Ten real masked faces at fixed places: no truth exists."""
    model, cfg = oagan.load("oagan")
    record, (photographs, image, hole, good) = masked_study(partial(oagan.restore, model), cfg.size)
    places = [int(k * len(photographs) / 10) for k in range(10)]
    parts = {"photograph": photographs, "predicted hole": hole, "output": image}
    notes = ["covered" if good[place] else "not covered" for place in places]
    share = f"the hole covers {record['share']:.0%} of {record['count']}"
    title = f"real facemasks, photographs never trained on, no truth exists: {share}"
    return rows({name: part[places] for name, part in parts.items()}, None, notes, title=title)


FIGURES: dict[str, Callable[[], Figure]] = {
    "hero": hero,
    "04_trained": partial(lfw_04, "trained kinds"),
    "04_unseen": partial(lfw_04, "unseen kinds"),
    "04_realmasks": realmasks_04,
}


def main(folder: str | Path | None = None) -> int:
    """Draw them into ``notebooks/figures``, or into a folder given."""
    target = Path(folder) if folder else project_root() / "notebooks" / "figures"
    for name, draw in FIGURES.items():
        print(save(draw(), target / f"{name}.png"))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
