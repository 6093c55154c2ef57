"""The smoothest way on from what is visible, in batches: where a painter may begin.

Taught in: lesson 09.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

STEPS = 16  # of conjugate gradients at each size
EPS = 1e-12


@torch.no_grad()
def smooth_fill(images: Tensor, hole: Tensor, steps: int = STEPS) -> Tensor:
    """Fill holes with a nearly biharmonic surface, ΔΔu = 0: it goes on smoothly, slopes included.

    Coarse to fine: at each size the answer of half the size is the first guess, and some steps of conjugate gradients
    bring it nearer to the surface. The more steps, the nearer to
    :func:`facelab.metrics.baselines.fill_biharmonic`, which solves for it picture by picture.

    Args:
        images: (N, C, H, W) in [-1, 1]; what they hold in the hole is not looked at.
        hole: (N, 1, H, W), hidden where > 0.
        steps: of conjugate gradients at each size.

    Returns:
        (N, C, H, W) in [-1, 1], the pictures' own pixels where nothing is hidden; 0 where everything is.

    Source: Hestenes & Stiefel 1952 for conjugate gradients; coarse to fine as in Briggs et al. 2000, *A Multigrid
    Tutorial*, chapter 3 (nested iteration).
    """
    seen = (hole <= 0).to(images)
    return _fill(images * seen, seen, steps).clamp(-1, 1)


def _fill(known: Tensor, seen: Tensor, steps: int) -> Tensor:
    """``known`` (N, C, H, W), 0 where it is not ``seen`` (N, 1, H, W)."""
    if max(known.shape[-2:]) <= 1:
        return known
    weight = F.avg_pool2d(seen, 2, ceil_mode=True)
    half = F.avg_pool2d(known, 2, ceil_mode=True) / weight.clamp(min=1e-6)
    coarse = _fill(half, (weight > 0).to(seen), steps)
    guess = F.interpolate(coarse, size=known.shape[-2:], mode="bilinear", align_corners=False)
    return _solve(torch.where(seen > 0, known, guess), 1 - seen, steps)


def _solve(x: Tensor, hidden: Tensor, steps: int) -> Tensor:
    """Conjugate gradients on ΔΔx = 0 at the hidden pixels, from ``x``; the others stay."""
    residual = -laplacian(laplacian(x)) * hidden
    direction, size = residual, _dot(residual, residual)
    for _ in range(steps):
        image = laplacian(laplacian(direction)) * hidden
        far = size / (_dot(direction, image) + EPS)
        x, residual = x + far * direction, residual - far * image
        size, before = _dot(residual, residual), size
        direction = residual + size / (before + EPS) * direction
    return x


def laplacian(x: Tensor) -> Tensor:
    """Sum of the four neighbours less four times the pixel, (N, C, H, W); the picture goes on beyond its edge."""
    wide = F.pad(x, (1, 1, 1, 1), mode="replicate")
    return wide[..., 1:-1, 2:] + wide[..., 1:-1, :-2] + wide[..., 2:, 1:-1] + wide[..., :-2, 1:-1] - 4 * x


def _dot(a: Tensor, b: Tensor) -> Tensor:
    return (a * b).sum((2, 3), keepdim=True)
