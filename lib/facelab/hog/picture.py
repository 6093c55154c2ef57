"""HOG as a picture: in every cell a star of lines, each along an edge, as bright as its bin is full.

Taught in: lesson 09.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor


def strokes(orientations: int, cell: int) -> Tensor:
    """One antialiased line through the middle of a cell for each bin, (orientations, cell, cell) in [0, 1].

    A bin holds directions in which the picture rises; the edge runs across them.
    """
    place = torch.arange(cell) - (cell - 1) / 2
    down, across = torch.meshgrid(place, place, indexing="ij")
    rises = (torch.arange(orientations) + 0.5) * (math.pi / orientations)
    away = (across * rises.cos().view(-1, 1, 1) + down * rises.sin().view(-1, 1, 1)).abs()
    inside = (across.square() + down.square()).sqrt() <= cell / 2
    return (1 - away).clamp(0, 1) * inside


def hog_picture(guide: Tensor, cell: int = 8, gain: float | None = None) -> Tensor:
    """Draw cell histograms.

    Args:
        guide: (N, K, h, w), not negative: cell histograms, or :func:`facelab.hog.guide_of`.
        cell: side of the drawn cells, pixels.
        gain: brightness of a full bin; None: the brightest line of each picture is white.

    Returns:
        (N, 1, h · cell, w · cell) in [-1, 1], black where nothing rises.
    """
    drawn = torch.einsum("nkhw,kab->nhawb", guide, strokes(guide.shape[1], cell).to(guide))
    picture = drawn.flatten(3).flatten(1, 2)[:, None]
    scale = picture.flatten(1).amax(1).clamp(min=1e-8).view(-1, 1, 1, 1) if gain is None else 1 / gain
    return (picture / scale).clamp(0, 1) * 2 - 1
