"""Local binary patterns: whose face it is, as it was told before networks learned it.

Each pixel asks its neighbours on a circle whether they are at least as bright; the answers are one of 59 patterns,
and a face is how often each comes up in each cell of a grid. Light that changes slowly over the face changes no answer.

Source: Ahonen, Hadid and Pietikäinen 2006, "Face Description with Local Binary Patterns"; their uniform patterns with
8 neighbours at radius 2, and chi-square. Ours: square pictures, all cells count alike.
Taught in: lesson 08.
"""

from __future__ import annotations

import numpy as np
import torch
from skimage.feature import local_binary_pattern
from torch import Tensor

from facelab.images import to_channels, to_uint8

PATTERNS = 59  # 58 with at most two changes around the circle, and all others together
_HELD = 2_000_000  # numbers held at once while distances are summed; many more are slower, too


def patterns(images: Tensor, radius: float = 2.0) -> Tensor:
    """The pattern of every pixel.

    Args:
        images: (N, C, H, W) in [-1, 1]; colour counts as luminance.
        radius: of the circle, pixels.

    Returns:
        (N, H, W) int64, 0 to 58; 58 is "no uniform pattern". Beyond the picture everything is black.

    Taught in: lesson 08.
    """
    grey = to_uint8(to_channels(images, 1))[:, 0].cpu().numpy()
    found = [local_binary_pattern(one, 8, radius, "nri_uniform") for one in grey]
    return torch.from_numpy(np.stack(found)).long() if found else torch.zeros(grey.shape, dtype=torch.long)


def lbp(images: Tensor, cells: int = 8, radius: float = 2.0) -> Tensor:
    """Histograms of the patterns, a cell at a time.

    Args:
        images: (N, C, H, W) in [-1, 1]. cells: along each side. radius: of the circle, pixels.

    Returns:
        (N, cells · cells · 59) float32 ≥ 0; those of each cell sum to 1.

    Raises:
        ValueError: more cells than pixels.

    Taught in: lesson 08.
    """
    height, width = images.shape[-2:]
    if not 1 <= cells <= min(height, width):
        raise ValueError(f"cells = {cells} is not possible; give 1 to {min(height, width)}")
    row, column = torch.arange(height) * cells // height, torch.arange(width) * cells // width
    place = (row[:, None] * cells + column) * PATTERNS
    codes = (patterns(images, radius) + place).flatten(1)
    counts = torch.zeros(len(images), cells * cells * PATTERNS).scatter_add_(1, codes, torch.ones(codes.shape))
    size = torch.bincount(place.flatten() // PATTERNS, minlength=cells * cells).repeat_interleave(PATTERNS)
    return counts / size


def chi_square(a: Tensor, b: Tensor) -> Tensor:
    """Chi-square distances between histograms: the sum of (a − b)² / (a + b), empty places left out.

    Args:
        a: (N, D) ≥ 0. b: (M, D) ≥ 0.

    Returns:
        (N, M) ≥ 0: 0 for equal histograms, 2 a cell for those that have nothing in common.

    Taught in: lesson 08.
    """
    rows, at_once = [], max(1, _HELD // max(1, b.numel()))
    for some in a.split(at_once):
        apart, both = some[:, None] - b, some[:, None] + b
        rows.append((apart.square() / both.clamp_min(1e-12)).sum(2))
    return torch.cat(rows) if rows else a.new_zeros(0, len(b))
