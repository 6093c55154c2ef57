"""The smoothest way on from what is visible, in batches: where a painter may begin.

Taught in: lesson 09.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

SWEEPS = 12  # of relaxation at each size
EPS = 1e-6


def smooth_fill(images: Tensor, hole: Tensor, sweeps: int = SWEEPS) -> Tensor:
    """Fill holes with a nearly harmonic surface: each hidden pixel comes to be the mean of its four neighbours.

    Coarse to fine: at each size the answer of half the size is the first guess, and some sweeps of relaxation mend it.

    Args:
        images: (N, C, H, W); what they hold in the hole is not looked at.
        hole: (N, 1, H, W), hidden where > 0.
        sweeps: of relaxation at each size.

    Returns:
        (N, C, H, W), the pictures' own pixels where nothing is hidden; 0 where everything is.

    Source: successive over-relaxation inside a multigrid, Briggs et al. 2000, A Multigrid Tutorial, chapters 2 and 3.
    """
    seen = (hole <= 0).to(images)
    return _fill(images * seen, seen, sweeps)


def _fill(known: Tensor, seen: Tensor, sweeps: int) -> Tensor:
    """``known`` (N, C, H, W), 0 where it is not ``seen`` (N, 1, H, W)."""
    if min(known.shape[-2:]) <= 1:
        return known
    size = known.shape[-2:]
    weight = F.avg_pool2d(seen, 2, ceil_mode=True)
    half = F.avg_pool2d(known, 2, ceil_mode=True) / weight.clamp(min=EPS)
    coarse = _fill(half, (weight > 0).to(seen), sweeps)
    guess = F.interpolate(coarse, size=size, mode="bilinear", align_corners=False)
    filled = torch.where(seen > 0, known, guess)
    return _relax(filled, seen, sweeps)


def _relax(x: Tensor, seen: Tensor, sweeps: int) -> Tensor:
    for _ in range(sweeps):
        wide = F.pad(x, (1, 1, 1, 1), mode="replicate")
        mean = (wide[..., 1:-1, 2:] + wide[..., 1:-1, :-2] + wide[..., 2:, 1:-1] + wide[..., :-2, 1:-1]) / 4
        x = torch.where(seen > 0, x, mean)
    return x
