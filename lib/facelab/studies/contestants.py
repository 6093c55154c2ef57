"""Systems with their shipped weights, asked alike: pictures of any size and channels in, a restoration of them out.

Taught in: lesson 10.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from facelab.faces.align import eye_matrix, transform, warp
from facelab.faces.portrait import portrait_matrix
from facelab.images import composite, is_grey, resize, to_channels
from facelab.restoration import Restoration
from facelab.studies.evaluation import run_restore
from facelab.studies.tasks import TASKS, task
from facelab.studies.training import system
from facelab.studies.trials import Trial
from facelab.train.weights import weights_path

IN_ANOTHER_LIGHT = ("vis2nir",)
"""Their answers have one channel, and are not meant to look like the picture pixel by pixel."""


@dataclass(frozen=True)
class Contestant:
    """A system with its shipped weights, for pictures of any size and channels.

    Args:
        name: of the system.
        restore: pictures (N, C, H, W) in [-1, 1] and their hole (N, 1, H, W) or None → restoration of the same size
            and channels; a near-infrared answer has one channel. Who finds the hole itself does not look at it.
        given: it is told the hole. whole: it makes the whole picture anew.
        pixelwise: its answer is meant to look like the picture, pixel by pixel: not so in another light.
        cut: how it wants a face cut out, one of :data:`facelab.studies.one_picture.CUTS`; "": as it comes.
    """

    name: str
    restore: Callable[[Tensor, Tensor | None], Restoration]
    given: bool = False
    whole: bool = False
    pixelwise: bool = True
    cut: str = ""


def contestants(names: Sequence[str] | None = None) -> dict[str, Contestant]:
    """Systems whose shipped weights are here, in the order of their tasks.

    Args:
        names: of systems; None = all.

    Raises:
        BadConfig: no such system. BadWeights: a weight file is damaged.

    Taught in: lesson 10.
    """
    wanted = [task(name) and name for name in names or TASKS]
    return {name: _contestant(name) for name in TASKS if name in wanted and weights_path(name).is_file()}


def _contestant(name: str) -> Contestant:
    model, cfg = system(name).load(name)
    ask = partial(system(name).restore, model)
    restore = partial(_at_any_size, ask, cfg.size, cfg.channels, task(name).given)
    about = task(name)
    return Contestant(name, restore, about.given, about.whole, name not in IN_ANOTHER_LIGHT, about.cut)


def cut_for(contestant: Contestant, test: Trial) -> Trial:
    """The same faces cut out as a system has learned faces to be: who makes whole pictures anew knows no others.

    Args:
        contestant: whose ``cut`` is asked for. test: of any faces; those without landmarks stay as they are.

    Returns:
        A trial of the same size, its landmarks moved with the pictures; ``test`` itself where nothing is to be cut.

    Taught in: lesson 10.
    """
    if not contestant.cut:
        return test
    size = test.truth.shape[-1]
    places = eye_matrix if contestant.cut == "eyes" else portrait_matrix
    matrices = [places(marks, size) if marks.isfinite().all() else torch.eye(3)[:2] for marks in test.points]
    cut = lambda pictures: torch.stack([warp(p, m, (size, size)) for p, m in zip(pictures, matrices, strict=True)])  # noqa: E731
    points = torch.stack([transform(marks, m) for marks, m in zip(test.points, matrices, strict=True)])
    parts = {name: cut(getattr(test, name)) for name in ("occluded", "truth", "hole")}
    return dataclasses.replace(test, points=points, **parts)


@torch.no_grad()
def _at_any_size(
    ask: Callable, size: int, channels: int, given: bool, pictures: Tensor, hole: Tensor | None = None
) -> Restoration:
    """What a network says of pictures of its own size or of another: only what is hidden is taken from it.

    Pictures of its own size reach it as they are, and so does a hole that it is told. Others are resized, and so are
    its answers; a pixel of the network's size that is then partly hidden is hidden for it.
    """
    small, told = resize(to_channels(pictures, channels), size), ()
    if given and hole is not None:
        told = (hole if hole.shape[-1] == size else (resize(hole, size) > 1e-3).float(),)
    _, found, raw = run_restore(ask, small, *told)
    own, count = tuple(pictures.shape[-2:]), pictures.shape[1]
    raw = resize(raw, own).clamp(-1, 1)
    raw = raw if raw.shape[1] != channels else _in_colours_of(pictures, to_channels(raw, count))
    where = hole if told else None if found is None else resize(found, own).clamp(0, 1)
    return Restoration(raw if where is None else composite(pictures, raw, where), where, raw)


def _in_colours_of(pictures: Tensor, raw: Tensor) -> Tensor:
    """Most black and white photographs are stored in colour, and none has a red mouth."""
    without = [to_channels(to_channels(out, 1), len(out)) for out in raw]
    grey = [is_grey(picture) for picture in pictures]
    return torch.stack([plain if no else out for plain, out, no in zip(without, raw, grey, strict=True)])
