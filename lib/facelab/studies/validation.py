"""What is looked at while a system trains: numbers and pictures of a fixed held-out trial."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from facelab import images
from facelab.metrics.holes import iou
from facelab.metrics.image import psnr
from facelab.studies.trials import Trial
from facelab.train.engine import Engine


def validator(restore: Callable, test: Trial, engine: Engine, chunk: int = 16) -> Callable[[int], dict[str, float]]:
    """A function of the step number that measures restoration on a fixed trial.

    Args:
        restore: images (N, C, S, S) to a restoration.
        test: held-out faces.

    Returns:
        step → ``gain`` (dB PSNR over the input), ``psnr``, ``iou``, means over the trial.
    """
    before = psnr(test.occluded, test.truth)

    @torch.no_grad()
    def measure(step: int) -> dict[str, float]:
        images_out, holes = [], []
        for start in range(0, len(test), chunk):
            with engine.autocast():
                out = restore(engine.to_device(test.occluded[start : start + chunk]))
            images_out.append(out.image.float().cpu())
            holes.append(out.hole.float().cpu())
        after = psnr(torch.cat(images_out), test.truth)
        overlap = iou(torch.cat(holes), test.hole)
        return {"psnr": after.mean().item(), "gain": (after - before).mean().item(), "iou": overlap.mean().item()}

    return measure


def picture_grid(restore: Callable, test: Trial, path: Callable[[int], Path], engine: Engine) -> Callable[[int], None]:
    """A function of the step number that writes input / hole / output / truth of the first eight faces."""

    @torch.no_grad()
    def draw(step: int) -> None:
        with engine.autocast():
            out = restore(engine.to_device(test.occluded[:8]))
        hole = images.to_channels(out.hole.float().cpu() * 2 - 1, test.truth.shape[1])
        rows = torch.cat([test.occluded[:8], hole, out.raw.float().cpu(), out.image.float().cpu(), test.truth[:8]])
        images.save_image(images.grid(rows.clamp(-1, 1), min(8, len(test))), path(step))

    return draw


def as_judged(model: torch.nn.Module, look: Callable[[int], Any]) -> Callable[[int], Any]:
    """``look``, with every part of the model in evaluation mode meanwhile and as it was afterwards.

    Dropout would blur the judgement, and a batch norm would learn from held-out faces.
    """

    def judged(step: int) -> Any:
        modes = [(part, part.training) for part in model.modules()]
        model.eval()
        try:
            return look(step)
        finally:
            for part, mode in modes:
                part.training = mode

    return judged
