"""Perceptual and style losses over a feature net's maps.

Taught in: lesson 04.
"""

from __future__ import annotations

from torch import Tensor


def perceptual(maps: list[Tensor], target: list[Tensor]) -> Tensor:
    """Mean absolute difference of feature maps, summed over stages. Source: Johnson et al. 2016; OA-GAN equation 8."""
    return sum((a.float() - b.float()).abs().mean() for a, b in zip(maps, target, strict=True))


def gram(features: Tensor) -> Tensor:
    """Correlations of channels, (N, C, H, W) to (N, C, C), divided by C·H·W. Source: Gatys et al. 2016."""
    n, c, h, w = features.shape
    flat = features.float().reshape(n, c, h * w)
    return flat @ flat.transpose(1, 2) / (c * h * w)


def style(maps: list[Tensor], target: list[Tensor]) -> Tensor:
    """Mean absolute difference of Gram matrices, summed over stages: texture without place."""
    return sum((gram(a) - gram(b)).abs().mean() for a, b in zip(maps, target, strict=True))
