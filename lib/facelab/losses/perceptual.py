"""Perceptual and style losses over a feature net's maps.

Taught in: lesson 04.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def perceptual(maps: list[Tensor], target: list[Tensor]) -> Tensor:
    """Mean absolute difference of feature maps, summed over stages. Source: Johnson et al. 2016; OA-GAN equation 8."""
    return sum((a.float() - b.float()).abs().mean() for a, b in zip(maps, target, strict=True))


def perceptual_square(maps: list[Tensor], target: list[Tensor]) -> Tensor:
    """Mean squared difference of feature maps, summed over stages. Source: Din et al. 2020, on maps of VGG19."""
    return sum((a.float() - b.float()).square().mean() for a, b in zip(maps, target, strict=True))


def perceptual_relative(maps: list[Tensor], target: list[Tensor]) -> Tensor:
    """The same, each stage over the mean square of its target: a weight then means as much on any feature net.

    A stage whose maps are unlike the target's counts about 1, whatever the scale of the net.
    """
    pairs = [(a.float(), b.float()) for a, b in zip(maps, target, strict=True)]
    return sum((a - b).square().mean() / b.square().mean().clamp(min=1e-8) for a, b in pairs)


def gram(features: Tensor) -> Tensor:
    """Correlations of channels, (N, C, H, W) to (N, C, C), divided by C·H·W. Source: Gatys et al. 2016."""
    n, c, h, w = features.shape
    flat = features.float().reshape(n, c, h * w)
    return flat @ flat.transpose(1, 2) / (c * h * w)


def style(maps: list[Tensor], target: list[Tensor]) -> Tensor:
    """Mean absolute difference of Gram matrices, summed over stages: texture without place."""
    return sum((gram(a) - gram(b)).abs().mean() for a, b in zip(maps, target, strict=True))


def identity_preserving(vectors: Tensor, target: Tensor) -> Tensor:
    """1 − cosine of what a network says of two faces, mean over the batch: 0 alike, 1 unrelated, at most 2.

    Not CycleGAN's identity *mapping* loss, which wants a picture that needs no change to come back as it is.

    Args:
        vectors: (N, D), of the generator's pictures. target: the same, of the true ones.

    Source: Huang et al. 2017, TP-GAN, equation 9, there squared distances on a face network.
    Taught in: lesson 07.
    """
    return 1 - F.cosine_similarity(vectors.float(), target.float(), dim=1, eps=1e-6).mean()
