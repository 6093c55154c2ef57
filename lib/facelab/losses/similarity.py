"""Structural similarity as a loss, the same number as the metric, and its third factor, structure, as a picture.

Taught in: lessons 06 and 08.
"""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

from facelab.errors import BadConfig
from facelab.images import to_channels, to_unit

WINDOW, SIGMA = 11, 1.5  # pixels; those of the metric
ASPECTS = ("pixels", "luminance", "structure")
"""What pictures can be compared by, see :func:`aspect`."""


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


@lru_cache(maxsize=8)
def _blur_across(side: int, sigma: float) -> Tensor:
    """(side, side): a Gaussian blur of one line as a product; windows that reach beyond the edge are cut off there."""
    place = torch.arange(side, dtype=torch.float64)
    rows = torch.exp(-(place[:, None] - place).square() / (2 * sigma**2))
    return (rows / rows.sum(1, keepdim=True)).float()


def structure(images: Tensor, share: float = 1 / 16, floor: float = 0.1) -> Tensor:
    """What is left of pictures without colour, brightness and smooth light, and with little of contrast: lines, edges.

    The luminance, less its local mean, over its local spread.

    Args:
        images: (N, C, H, W) in [-1, 1], fp32.
        share: standard deviation of the Gaussian window, share of the picture's height.
        floor: added in quadrature to the spread, so that a plain surface is not blown up to noise.

    Returns:
        (N, 1, H, W), mostly within ±3.

    Source: after the third factor of structural similarity, Wang et al. 2004, equation 10; there a correlation in
    windows of 1.5 px, here a picture, in wider windows and with a floor. Taught in: lesson 08.
    """
    light = to_channels(images, 1)
    down, across = (_blur_across(side, share * light.shape[-2]).to(light) for side in light.shape[-2:])
    mean, square = (down @ torch.stack([light, light.square()]) @ across.T).unbind(0)
    return (light - mean) / (square - mean.square() + floor**2).clamp_min(floor**2).sqrt()


def aspect(images: Tensor, name: str) -> Tensor:
    """What of pictures is compared.

    Args:
        images: (N, C, H, W) in [-1, 1], fp32.
        name: ``"pixels"``, all; ``"luminance"``, all but colour; ``"structure"``, see :func:`structure`.

    Returns:
        (N, C, H, W) of pixels, (N, 1, H, W) of the other two.

    Raises:
        BadConfig: another name.

    Taught in: lesson 08.
    """
    if name not in ASPECTS:
        raise BadConfig("aspect", name, "one of " + ", ".join(ASPECTS))
    if name == "pixels":
        return images
    return structure(images) if name == "structure" else to_channels(images, 1)
