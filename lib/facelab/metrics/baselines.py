"""What a method without learning, or without looking, achieves. A result is only worth what it has over these."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from facelab.images import composite, to_unit

_BATCH = 256
_ANY = 0.01  # a pixel hidden by more than this is contaminated, and not evidence for the fill


def mean_face(cached: Any, rows: Sequence[int]) -> Tensor:
    """Average picture over some rows of a cache (take the training rows).

    Args:
        cached: a picture cache, with ``batch(rows) -> (N, C, H, W)`` in [-1, 1] (:mod:`facelab.data.cache`).
        rows: row numbers.

    Returns:
        (C, H, W) in [-1, 1].

    Raises:
        ValueError: no rows.

    Taught in: 01
    """
    if not len(rows):
        raise ValueError("rows is empty; the mean face needs at least one picture")
    total = 0.0
    for start in range(0, len(rows), _BATCH):
        total = total + cached.batch(rows[start : start + _BATCH]).double().sum(0)
    return (total / len(rows)).float()


def fill_mean(images: Tensor, hole: Tensor, mean: Tensor) -> Tensor:
    """Put the mean face into the hole.

    Args:
        images: (N, C, H, W) in [-1, 1], occluded.
        hole: (N, 1, H, W) in [0, 1], 1 = hidden.
        mean: (C, H, W), see :func:`mean_face`.

    Returns:
        (N, C, H, W); visible pixels unchanged.

    Taught in: 01
    """
    return composite(images, mean.to(images).expand_as(images), hole)


def fill_biharmonic(images: Tensor, hole: Tensor, split_into_regions: bool = True) -> Tensor:
    """Classical inpainting: the smoothest surface that continues the visible pixels (Δ²u = 0 inside the hole).

    Every pixel hidden by more than 1 % is filled from those that are not. Runs on the CPU, picture by picture, at
    the size given; the cost grows with the number of hidden pixels.

    Args:
        images: (N, C, H, W) in [-1, 1], occluded.
        hole: (N, 1, H, W) in [0, 1], 1 = hidden.
        split_into_regions: solve for each connected part of a hole by itself; same picture, faster where a hole has
            several parts.

    Returns:
        (N, C, H, W) in [-1, 1]; visible pixels unchanged, bit for bit. A wholly hidden picture comes back as it is.

    Source: Damelin & Hoang 2018, *On surface completion and image inpainting by biharmonic functions*
        (scikit-image's implementation).
    Taught in: 01
    """
    from skimage.restoration import inpaint_biharmonic

    out = images.clone()
    for index, hidden in enumerate((hole[:, 0] > _ANY).cpu()):
        if not hidden.any() or hidden.all():
            continue
        picture = to_unit(images[index].double()).cpu().permute(1, 2, 0).numpy()
        mask = hidden.numpy()
        filled = inpaint_biharmonic(picture, mask, split_into_regions=split_into_regions, channel_axis=-1)
        filled = torch.from_numpy(np.ascontiguousarray(filled)).permute(2, 0, 1).mul(2).sub(1)
        out[index] = torch.where(hidden.to(out.device), filled.to(out), out[index])
    return out
