"""Learning rate as a pure function of the run's progress, so that a resumed run cannot get it wrong."""

from __future__ import annotations

import math


def cosine_decay(progress: float, start: float) -> float:
    """Factor on the learning rate.

    Args:
        progress: share of the run that is done, 0 to 1.
        start: share of the run at full rate.

    Returns:
        1 until ``start``, then down a half cosine to 0 at the end of the run.
    """
    if progress <= start or start >= 1:
        return 1.0
    return 0.5 * (1 + math.cos(math.pi * min(1.0, (progress - start) / (1 - start))))


def linear_decay(progress: float, start: float) -> float:
    """Factor on the learning rate: 1 until ``start``, then down a straight line to 0, as CycleGAN has it.

    Args:
        progress: share of the run that is done, 0 to 1. start: share of the run at full rate.
    """
    return 1.0 if start >= 1 else min(1.0, max(0.0, (1 - progress) / (1 - start)))
