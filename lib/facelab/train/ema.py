"""Exponential moving average of a network's weights: a steadier copy that is better to look at."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator

import torch
from torch import nn


def copy_of(model: nn.Module) -> nn.Module:
    """A copy that is never trained: same weights, evaluation mode, no gradients."""
    return copy.deepcopy(model).eval().requires_grad_(False)


def warm_decay(decay: float, step: int) -> float:
    """The decay after ``step`` completed steps: small at first, so that the average forgets the untrained weights.

    Args:
        decay: the final decay, in [0, 1).
        step: completed steps.

    Returns:
        min(decay, (1 + step) / (10 + step)).
    """
    return min(decay, (1 + step) / (10 + step))


@torch.no_grad()
def update(average: nn.Module, model: nn.Module, decay: float = 0.999, step: int | None = None) -> None:
    """Move ``average`` towards ``model``: average = decay * average + (1 - decay) * model.

    Buffers are copied: running statistics are averages already, and a spectral-norm vector must keep length one.

    Args:
        average: from :func:`copy_of`; in a checkpoint when it is part of the model.
        model: the network being trained.
        decay: in [0, 1).
        step: completed steps, for :func:`warm_decay`; None uses ``decay`` as it is.
    """
    decay = decay if step is None else warm_decay(decay, step)
    torch._foreach_lerp_(list(average.parameters()), list(model.parameters()), 1 - decay)
    for kept, current in zip(average.buffers(), model.buffers(), strict=True):
        kept.copy_(current)


@contextlib.contextmanager
def at_rest(model: nn.Module) -> Iterator[nn.Module]:
    """The best generator in evaluation mode: what it answers must not depend on who else is in the batch.

    Args:
        model: with ``best_generator()``, which is put back into the mode it was in afterwards.
    """
    G = model.best_generator()
    before = G.training
    try:
        with torch.no_grad():
            yield G.eval()
    finally:
        G.train(before)
