"""How often a net that needs a hole is told the true one."""

from __future__ import annotations

import torch
from torch import Tensor


def gate(found: Tensor, truth: Tensor | None, teacher: float) -> Tensor:
    """The hole that is used: true in a ``teacher`` share of the rows, rounded down, found in the rest.

    The told rows are spread evenly, at one half every other row. Where the share is whole in every process's rows,
    several processes tell the same ones as one.

    Args:
        found: (N, 1, H, W), predicted.
        truth: same shape; None where nobody knows it.
        teacher: 0 (never) to 1 (always).
    """
    if truth is None or teacher == 0:
        return found
    told = [int((row + 1) * teacher) > int(row * teacher) for row in range(len(truth))]
    return torch.where(torch.tensor(told, device=truth.device).view(-1, 1, 1, 1), truth, found)
