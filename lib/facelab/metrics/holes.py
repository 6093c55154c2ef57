"""How well a predicted hole covers the true one."""

from __future__ import annotations

import torch
from torch import Tensor


def iou(pred_hole: Tensor, hole: Tensor, threshold: float = 0.5) -> Tensor:
    """Intersection over union of two holes, per picture.

    Args:
        pred_hole: (N, 1, H, W) in [0, 1], 1 = hidden.
        hole: same shape, the true one.
        threshold: a pixel counts as hidden above this value, in both.

    Returns:
        (N,) in [0, 1]; 1 where both are empty.

    Raises:
        ValueError: the shapes differ.

    Taught in: 04
    """
    if pred_hole.shape != hole.shape:
        raise ValueError(f"holes of one shape are needed, not {tuple(pred_hole.shape)} and {tuple(hole.shape)}")
    a, b = pred_hole.flatten(1) > threshold, hole.flatten(1) > threshold
    union = (a | b).sum(1).float()
    return torch.where(union > 0, (a & b).sum(1) / union.clamp(min=1), torch.ones_like(union))
