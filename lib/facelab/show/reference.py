"""Figures of the shipped weights on real colour photographs: ``python -m facelab.show.reference [FOLDER]``.

They need ``lfw`` and ``realmasks`` under ``FACELAB_DATA``. The faces are people never seen in training, at places fixed
in advance (every n-th of the test part), never chosen by their result. One figure compares two weight files that do not
ship, of runs that differ in their loss terms only: ``--critic WITHOUT WITH``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

import torch
from matplotlib.figure import Figure
from torch import Tensor

from facelab.errors import BadConfig
from facelab.files import project_root
from facelab.metrics.image import psnr
from facelab.metrics.sharpness import sharpness
from facelab.show.canvas import save
from facelab.show.figures import best_and_worst, rows
from facelab.studies.evaluation import run_restore
from facelab.studies.natural import EYES_MOST, MOUTH_LEAST, masked_study
from facelab.studies.trials import Trial, standard_trials
from facelab.systems import oagan
from facelab.train.weights import read_card

COUNT, SEED = 64, 1


@cache
def _answers(weights: str | Path = "oagan") -> tuple[dict[str, Trial], dict[str, tuple[Tensor, ...]]]:
    model, cfg = oagan.load(weights)
    trials = standard_trials("lfw", cfg.size, cfg.channels, COUNT, SEED)
    return trials, {name: run_restore(partial(oagan.restore, model), test.occluded) for name, test in trials.items()}


def caption(weights: str | Path = "oagan") -> str:
    """Data, steps, device and seed of weights, from their card."""
    card = read_card(weights)
    steps = f"{card['steps']:,} steps" + (" after earlier runs" if card.get("continued_from") else "")
    return f"lfw, people never seen; {steps}, {card['device'].split(' ')[0]}, seed {card['seed']}"


def strips(test: Trial, answer: tuple[Tensor, ...], places: list[int]) -> dict[str, Tensor]:
    """Input, predicted hole, output and truth of some faces."""
    image, hole, _ = answer
    parts = {"input": test.occluded, "predicted hole": hole, "output": image, "truth": test.truth}
    return {name: part[places].clamp(-1, 1) for name, part in parts.items()}


def hero() -> Figure:
    """Eight faces, every eighth of each trial: four behind kinds trained on, four behind kinds never trained on."""
    trials, answers = _answers()
    places = {name: [8 * k + shift for k in range(4)] for name, shift in zip(trials, (1, 5), strict=True)}
    parts = [strips(trials[name], answers[name], places[name]) for name in trials]
    joined = {name: torch.cat([part[name] for part in parts]) for name in parts[0]}
    titles = [trials[name].kinds[place].replace("_", " ") for name in trials for place in places[name]]
    titles[4:] = [f"{title} *" for title in titles[4:]]
    return rows(joined, titles, title=f"{caption()};  * kind never trained on")


def lfw_04(trial: str = "unseen kinds") -> Figure:
    """The four best and the four worst of a trial by PSNR gain."""
    trials, answers = _answers()
    test, answer = trials[trial], answers[trial]
    gain = psnr(answer[0], test.truth) - psnr(test.occluded, test.truth)
    title = f"{len(test)} faces by PSNR gain, {trial}; {caption()}"
    return best_and_worst(
        strips(test, answer, list(range(len(test)))), gain, "PSNR gain", "dB", form="+.1f", title=title
    )


def realmasks_04() -> Figure:
    """Ten real masked faces at fixed places: no truth exists."""
    model, cfg = oagan.load("oagan")
    record, (photographs, image, hole, good) = masked_study(partial(oagan.restore, model), cfg.size)
    places = [int(k * len(photographs) / 10) for k in range(10)]
    parts = {"photograph": photographs, "predicted hole": hole, "output": image}
    notes = ["passes" if good[place] else "fails" for place in places]
    share = f"{record['share']:.0%} [{record['low']:.0%}, {record['high']:.0%}]"
    bar = f"mouth hidden ≥ {MOUTH_LEAST:.0%}, eyes < {EYES_MOST:.0%}"
    title = f"real facemasks, never trained on: {int(good.sum())} of {record['count']} holes pass, {share} ({bar})"
    return rows({name: part[places] for name, part in parts.items()}, None, notes, title=title)


def _refuse_strangers(*weights: str | Path) -> None:
    """Raise ``BadConfig`` where two runs differ in more than when their terms join."""
    cards = [read_card(path) for path in weights]
    found = [{**card["config"], **{key: card[key] for key in ("data", "seed", "steps")}} for card in cards]
    for key in found[0].keys() | found[1].keys():
        if key not in ("perceptual_from", "adversarial_from") and found[0].get(key) != found[1].get(key):
            raise BadConfig(key, found[1].get(key), f"{found[0].get(key)}, as in {weights[0]}: twins are compared")


def critic_04(without: str | Path, with_all: str | Path) -> Figure:
    """Six faces at fixed places: one run finished with L1 only, its twin with perceptual, style and critic terms."""
    _refuse_strangers(without, with_all)
    name, places = "trained kinds", [10 * k + 1 for k in range(6)]
    test = _answers(without)[0][name]
    outputs = {"L1 only": _answers(without)[1][name][0], "all terms": _answers(with_all)[1][name][0]}
    crisp = [sharpness(out, test.truth, test.hole) for out in outputs.values()]
    means = " → ".join(f"{value.nanmean():.2f}" for value in crisp)
    level = " → ".join(f"{psnr(out, test.truth).mean():.1f}" for out in outputs.values())
    notes = [f"sharpness {crisp[0][place]:.2f} → {crisp[1][place]:.2f}" for place in places]
    title = f"L1 only → all terms, mean of {len(test)}: {level} dB, sharpness {means}; {caption(with_all)}"
    parts = {"input": test.occluded, **outputs, "truth": test.truth}
    return rows({name: part[places].clamp(-1, 1) for name, part in parts.items()}, None, notes, title=title, side=1.5)


FIGURES: dict[str, Callable[[], Figure]] = {
    "hero": hero,
    "04_trained": partial(lfw_04, "trained kinds"),
    "04_unseen": partial(lfw_04, "unseen kinds"),
    "04_realmasks": realmasks_04,
}


def main(argv: list[str] | None = None) -> int:
    """Draw them into ``notebooks/figures``, or into a folder given."""
    parser = argparse.ArgumentParser(prog="python -m facelab.show.reference", description="Draw the reference figures.")
    parser.add_argument("folder", nargs="?", type=Path, default=project_root() / "notebooks" / "figures")
    parser.add_argument("--critic", nargs=2, metavar=("WITHOUT", "WITH"), help="weight files: draws 04_critic, too")
    args = parser.parse_args(argv)
    for name, draw in (FIGURES | ({"04_critic": partial(critic_04, *args.critic)} if args.critic else {})).items():
        print(save(draw(), args.folder / f"{name}.jpg"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
