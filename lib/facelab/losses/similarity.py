"""Structural similarity as a loss: the same number as the metric, made to be differentiated many times.

Taught in: lesson 06.
"""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

from facelab.images import to_unit

WINDOW, SIGMA = 11, 1.5  # pixels; those of the metric


@lru_cache(maxsize=8)
def _window_sums(side: int) -> Tensor:
    """(side - 10, side): row k holds the Gaussian window over places k … k + 10. A blur is a product with it."""
    offset = torch.arange(WINDOW, dtype=torch.float64) - WINDOW // 2
    window = torch.exp(-offset.square() / (2 * SIGMA**2))
    rows = torch.zeros(side - WINDOW + 1, side, dtype=torch.float64)
    for place in range(len(rows)):
        rows[place, place : place + WINDOW] = window / window.sum()
    return rows.float()


def ssim_loss(pred: Tensor, truth: Tensor) -> Tensor:
    """1 − SSIM, mean over the batch; measured in [0, 1], Gaussian windows of 11 px, whole windows only.

    Each blur is two matrix products, down and across: on a CPU several times faster than a convolution.

    Args:
        pred: (N, C, H, W) in [-1, 1], H and W at least 11; fp32.
        truth: same shape.

    Returns:
        scalar, 0 for equal pictures, at most 2.

    Source: Wang et al. 2004; as in :func:`facelab.metrics.image.ssim`.
    """
    x, y = to_unit(pred).flatten(0, 1), to_unit(truth).flatten(0, 1)
    down, across = (_window_sums(side).to(x) for side in x.shape[-2:])
    stack = down @ torch.stack([x, y, x * x, y * y, x * y]) @ across.T
    mean_x, mean_y, xx, yy, xy = stack.unbind(0)
    covariance, spread = xy - mean_x * mean_y, xx - mean_x.square() + yy - mean_y.square()
    same_light = (2 * mean_x * mean_y + 0.01**2) / (mean_x.square() + mean_y.square() + 0.01**2)
    return 1 - (same_light * (2 * covariance + 0.03**2) / (spread + 0.03**2)).mean()
