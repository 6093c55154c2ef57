"""The lab of the plane: choose a game, have it played, and watch the critic's landscape move.

Taught in: lesson 03.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from functools import lru_cache

import matplotlib
import numpy as np
import torch
from torch import Tensor

from facelab.losses.adversarial import PAIRS
from facelab.metrics.critic import slopes
from facelab.show.lab import Drawn, Lab, chooser, slider
from facelab.show.plane import REACH, places, score_map, shade_of, slope_map, steepness_of
from facelab.studies.toy import DISTRIBUTIONS, LEASHES, Distribution, Snapshot, Toy, coverage, play

FINE, DOT = 480, 3  # pixels of a panel's side, of a point's radius
REAL, FAKE = (0.08, 0.1, 0.14), (0.91, 0.35, 0.05)  # colours of points
LOOKS, LAB_STEPS = 40, 400
WEIGHTLESS = ("none", "spectral", "instance")  # leashes without a weight


def _canvas(shade: np.ndarray, clouds: Sequence[tuple[Tensor, tuple[float, float, float]]]) -> Tensor:
    """A map of 0..1 with coloured points on it, as an image (3, FINE, FINE) in [-1, 1]."""
    rgb = matplotlib.colormaps["RdBu_r"]((shade + 0.15) / 1.3)[..., :3]
    image = torch.from_numpy(rgb).permute(2, 0, 1).float()
    image = torch.nn.functional.interpolate(image[None], (FINE, FINE), mode="bilinear")[0]
    for points, colour in clouds:
        place = ((points * torch.tensor([1.0, -1.0]) / REACH + 1) / 2 * (FINE - 1)).round().long()
        for dx, dy in (
            (x, y) for x in range(-DOT, DOT + 1) for y in range(-DOT, DOT + 1) if x * x + y * y <= DOT * DOT
        ):
            where = place + torch.tensor([dx, dy])
            where = where[((where >= 0) & (where < FINE)).all(1)]
            image[:, where[:, 1], where[:, 0]] = torch.tensor(colour).view(3, 1)
    return image * 2 - 1


@lru_cache(maxsize=32)
def _played(cfg: Toy) -> list[Snapshot]:
    return play(cfg, LOOKS, 256)


def landscape_lab(steps: int = LAB_STEPS, **start: object) -> Lab:
    """Choose a game, have it played, and scrub through it: the critic's score, its slope, and the points.

    Args:
        steps: of every game; a few seconds each, once.
        **start: settings of :class:`facelab.studies.toy.Toy` to begin with.

    Returns:
        A lab; its controls are ``data loss leash weight critic_learning_rate n_critic moment``.
    """
    first = Toy(**{"loss": "wgan", "leash": "gp", "n_critic": 3, "steps": steps, **start})
    controls = {
        "data": chooser("data", list(DISTRIBUTIONS), first.data),
        "loss": chooser("loss", list(PAIRS), first.loss),
        "leash": chooser("leash", list(LEASHES), first.leash),
        "weight": chooser("weight", [0.01, 0.1, 1.0, 10.0, 100.0], first.weight),
        "critic_learning_rate": chooser("critic's rate", [1e-4, 1e-3, 2e-3, 4e-3, 1e-2], first.critic_learning_rate),
        "n_critic": chooser("critic steps", [1, 3, 5], first.n_critic),
        "moment": slider("moment", LOOKS, 0, LOOKS, 1),
    }

    def draw(moment: float, **chosen) -> Drawn:
        idle = chosen["leash"] in WEIGHTLESS
        controls["weight"].disabled = idle
        if idle:
            chosen["weight"] = 1.0  # the same game, not played twice
        game = _played(dataclasses.replace(first, **chosen))
        return _panels(game[int(moment) * (len(game) - 1) // LOOKS], DISTRIBUTIONS[chosen["data"]])

    return Lab(draw, controls)


def _panels(now: Snapshot, target: Distribution) -> Drawn:
    where = places(now, target)
    steep = {name: slopes(now.critic, points, 1024).median().item() for name, points in where.items()}
    found = coverage(now.fake, target)
    clouds = [(where["real"][:128], REAL), (now.fake, FAKE)]
    panels = {
        "score (red = called real)": _canvas(shade_of(score_map(now.critic, 80)), clouds),
        "slope (white = 1, red = steeper)": _canvas(steepness_of(slope_map(now.critic, 80)), clouds),
    }
    words = (
        f"step {now.step}: <b>{found.modes}</b> of {len(target.centres)} heaps found, {found.quality:.0%} of the fakes "
    )
    words += "lie in one · median slope " + ", ".join(f"{name} <b>{value:.2g}</b>" for name, value in steep.items())
    return panels, words
