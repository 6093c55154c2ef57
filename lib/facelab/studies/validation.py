"""What is looked at while a system trains: numbers and pictures of a fixed held-out trial."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from facelab import images
from facelab.metrics.holes import iou
from facelab.metrics.image import psnr
from facelab.metrics.sharpness import sharpness
from facelab.studies.evaluation import run_restore
from facelab.studies.trials import Trial
from facelab.train.engine import Engine


def validator(restore: Callable, test: Trial, engine: Engine, chunk: int = 16) -> Callable[[int], dict[str, float]]:
    """A function of the step number that measures restoration on a fixed trial.

    Args:
        restore: images (N, C, S, S), and their holes where the trial gives them, to a restoration.
        test: held-out faces.

    Returns:
        step → ``gain`` (dB PSNR over the input), ``psnr`` and, where the hole is not given, ``iou``: means. Where the
        truth is another picture, ``sharpness`` alone.
    """
    before = psnr(test.untouched, test.truth)

    @torch.no_grad()
    def measure(step: int) -> dict[str, float]:
        def one(*shown: Tensor):
            with engine.autocast():
                return restore(*(engine.to_device(given) for given in shown))

        image, hole, _ = run_restore(one, *test.shown, chunk=chunk)
        if not test.pixelwise:
            return {"sharpness": sharpness(image, test.truth, test.hole).nanmean().item()}
        after = psnr(image, test.truth)
        found = {"psnr": after.mean().item(), "gain": (after - before).mean().item()}
        return found if test.given or hole is None else found | {"iou": iou(hole, test.hole).mean().item()}

    return measure


def picture_grid(restore: Callable, test: Trial, path: Callable[[int], Path], engine: Engine) -> Callable[[int], None]:
    """A function of the step number that writes input / hole / output / truth of the first eight faces."""

    @torch.no_grad()
    def draw(step: int) -> None:
        with engine.autocast():
            out = restore(*(engine.to_device(given[:8]) for given in test.shown))
        holes = () if out.hole is None else (images.to_channels(out.hole.float().cpu() * 2 - 1, test.truth.shape[1]),)
        made = [test.occluded[:8], *holes, out.raw.float().cpu(), out.image.float().cpu(), test.truth[:8]]
        channels = max(part.shape[1] for part in made)
        rows = torch.cat([images.to_channels(part, channels) for part in made])
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
