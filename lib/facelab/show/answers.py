"""What the shipped weights answer on the faces of the reference figures: asked once, drawn in several ways."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

from torch import Tensor

from facelab.studies.evaluation import run_restore
from facelab.studies.tasks import task
from facelab.studies.training import system
from facelab.studies.trials import Trial
from facelab.train.weights import read_card

COUNT, SEED = 64, 1


def restorer(name: str, weights: str | Path | None = None) -> tuple[Callable, Any]:
    """``restore`` of a system's shipped weights, or of a weight file, and their configuration."""
    model, cfg = system(name).load(weights or name)
    return partial(system(name).restore, model), cfg


@cache
def trials_of(name: str, weights: str | Path | None = None) -> dict[str, Trial]:
    """The trials of a system that figures show: :data:`COUNT` faces each."""
    (_, cfg), card = restorer(name, weights), read_card(weights or name)
    return task(name).trials(card["data"] if task(name).whole else "lfw", cfg, COUNT, SEED, card.get("kinds"))


@cache
def answers_of(name: str) -> tuple[dict[str, Trial], dict[str, tuple[Tensor, Tensor, Tensor]]]:
    """Those trials, and what the shipped weights answer on each: image, hole, raw."""
    restore, _ = restorer(name)
    return trials_of(name), {label: run_restore(restore, *test.shown) for label, test in trials_of(name).items()}


def caption(weights: str | Path) -> str:
    """Data, steps, device and seed of weights, from their card."""
    card = read_card(weights)
    before = card.get("continued_from") or card.get("start")
    steps = f"{card['steps']:,} steps" + (" after earlier runs" if before else "")
    data = card["data"] if task(card["system"]).whole else "lfw"
    return f"{data}, people never seen; {steps}, {card['device'].split(' ')[0]}, seed {card['seed']}"


def strips(test: Trial, answer: tuple[Tensor, ...], places: list[int]) -> dict[str, Tensor]:
    """Input, predicted hole (where none was told), output and truth of some faces."""
    image, hole, _ = answer
    parts = {"input": test.occluded} | ({} if test.given or hole is None else {"predicted hole": hole})
    parts |= {"output": image, "truth": test.truth}
    return {name: part[places].clamp(-1, 1) for name, part in parts.items()}
