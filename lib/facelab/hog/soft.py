"""HOG through which gradients flow.

Taught in: lesson 09.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from facelab.hog.exact import gradients, normalise_blocks, normalise_light, refuse_small, unfold_blocks
from facelab.images import to_channels

FLAT = 1e-8  # added to squared slopes: where nothing rises, a direction has no derivative


def soft_histograms(
    across: Tensor, down: Tensor, orientations: int = 9, cell: int = 8, sharpness: float = 16.0
) -> Tensor:
    """Cell histograms in which every pixel votes for all bins, most for that of its direction.

    The vote is a softmax of cos 2(θ − θ_k), θ_k the middle of bin k; the double angle makes 0° and 180° one. It is
    worked out from slopes, without any angle: an angle has no derivative where nothing rises.

    Args:
        across, down: (N, H, W), see :func:`facelab.hog.gradients`.
        orientations: number of bins.
        cell: side of a cell, pixels.
        sharpness: the larger, the closer to the exact votes, and the steeper.

    Returns:
        (N, orientations, H // cell, W // cell).
    """
    square = across.square() + down.square() + FLAT
    middles = (torch.arange(orientations, dtype=across.dtype, device=across.device) + 0.5) * (
        2 * math.pi / orientations
    )
    double = torch.stack([across.square() - down.square(), 2 * across * down], 1) / square[:, None]
    agreement = torch.einsum("nchw,ck->nkhw", double, torch.stack([middles.cos(), middles.sin()]))
    votes = torch.softmax(sharpness * agreement, 1) * (square.sqrt() - math.sqrt(FLAT)).clamp(min=0)[:, None]
    return F.avg_pool2d(votes, cell)


def soft_hog(
    images: Tensor, orientations: int = 9, pixels_per_cell: int = 8, cells_per_block: int = 2,
    block_norm: str = "L2-Hys", sharpness: float = 16.0,
) -> Tensor:  # fmt: skip
    """As :func:`facelab.hog.hog`, differentiable: finite gradients everywhere, flat pictures included.

    Args:
        images: (N, C, H, W) in [-1, 1]; colour is reduced to luminance.
        orientations, pixels_per_cell, cells_per_block, block_norm: see :func:`facelab.hog.hog`.
        sharpness: see :func:`soft_histograms`.

    Returns:
        (N, D), in the same order.

    Raises:
        BadConfig: a picture smaller than one block.

    Source: after the differentiable HOG of Chiu & Fritz 2015, "See the Difference"; soft votes instead of pooled ones.
    """
    refuse_small(images, pixels_per_cell * cells_per_block)
    slopes = gradients(normalise_light(to_channels(images, 1)))
    histograms = soft_histograms(*slopes, orientations, pixels_per_cell, sharpness)
    return normalise_blocks(unfold_blocks(histograms, cells_per_block), block_norm, soft=True).flatten(1)
