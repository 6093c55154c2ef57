"""Losses against a known truth, and on the hole itself.

Taught in: lesson 04.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def masked_l1(pred: Tensor, truth: Tensor, where: Tensor) -> Tensor:
    """Mean absolute error weighted by ``where``, over *all* pixels (not divided by the weight), as OA-GAN has it.

    Args:
        pred, truth: (N, C, H, W).
        where: (N, 1, H, W) in [0, 1]: the hole, or one minus it.
    """
    return (where * (pred - truth).abs()).mean()


def hole_bce(logits: Tensor, hole: Tensor) -> Tensor:
    """Cross-entropy between hole logits and the true (soft) hole."""
    return F.binary_cross_entropy_with_logits(logits.float(), hole)


def hole_dice(probability: Tensor, hole: Tensor, smooth: float = 1.0) -> Tensor:
    """1 − Dice overlap, mean over the batch: small holes count as much as large ones. Source: Milletari et al. 2016."""
    p, t = probability.float().flatten(1), hole.flatten(1)
    return (1 - (2 * (p * t).sum(1) + smooth) / (p.square().sum(1) + t.square().sum(1) + smooth)).mean()


def total_variation(x: Tensor) -> Tensor:
    """Sum of absolute differences of neighbours, divided by the batch size. Source: OA-GAN, equation 12 (a sum)."""
    across = (x[..., :, 1:] - x[..., :, :-1]).abs().sum()
    down = (x[..., 1:, :] - x[..., :-1, :]).abs().sum()
    return (across + down) / len(x)


def symmetry(x: Tensor) -> Tensor:
    """Mean absolute difference between pictures (N, C, H, W) and their mirror images: 0 for a face of two like halves.

    Real faces, and light from one side, are not symmetric: it takes a small weight. Source: Huang et al. 2017, TP-GAN,
    equation 6, which counts one half alone. Taught in: lesson 07.
    """
    return (x - x.flip(-1)).abs().mean()


def kl_standard_normal(mu: Tensor, logvar: Tensor) -> Tensor:
    """How far N(μ, σ²) is from N(0, 1): ½ Σ (σ² + μ² − 1 − log σ²) over a code's numbers, mean over the batch; in nats.

    Args:
        mu, logvar: (N, D), mean and log σ².

    Source: Kingma and Welling 2014, appendix B. Taught in: lesson 07.
    """
    return 0.5 * (logvar.exp() + mu.square() - 1 - logvar).sum(1).mean()
