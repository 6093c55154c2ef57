"""Distance between two sets of pictures, seen through a feature net.

Not called FID: that name belongs to Inception features of thousands of pictures. Compare values only when feature
net, number of pictures and their size are the same.
"""

from __future__ import annotations

import torch
from torch import Tensor


def frechet(features_a: Tensor, features_b: Tensor) -> float:
    """Fréchet (2-Wasserstein) distance, squared, between Gaussians fitted to two sets of features.

    ``|μa - μb|² + tr(Σa + Σb - 2 (Σa Σb)^½)`` in float64. The last trace is the sum of the singular values of
    ``Ra Rbᵀ``, where ``Σ = RᵀR`` comes from the centred features by QR: no matrix square root, no covariance is
    inverted or regularised, and fewer pictures than features are no numerical difficulty.

    They are a statistical one: with few pictures the estimate is biased upwards, the more so the more features
    there are. Use several times as many pictures as features where absolute values matter; for comparisons keep
    the number of pictures equal.

    Args:
        features_a: (N, D), one row a picture.
        features_b: (M, D).

    Returns:
        float ≥ 0, in squared feature units; 0 for identical sets.

    Raises:
        ValueError: fewer than 2 pictures, different D, or a value that is not finite.

    Source: Heusel et al. 2017, *GANs trained by a two time-scale update rule*, eq. 6 (there on Inception features).
    Taught in: 10
    """
    a, b = _checked(features_a, "features_a"), _checked(features_b, "features_b")
    if a.shape[1] != b.shape[1]:
        dims = f"{a.shape[1]} and {b.shape[1]}"
        raise ValueError(f"the sets have {dims} features a picture; one feature net must make both")
    (mean_a, root_a), (mean_b, root_b) = _moments(a), _moments(b)
    traces = root_a.square().sum() + root_b.square().sum()
    distance = (mean_a - mean_b).square().sum() + traces - 2 * torch.linalg.svdvals(root_a @ root_b.T).sum()
    # Rounding leaves about 1e-16 of the traces, of either sign; below that the sets are the same.
    return float(distance) if distance > 1e-12 * traces else 0.0


def _checked(features: Tensor, name: str) -> Tensor:
    if features.dim() != 2 or len(features) < 2:
        raise ValueError(f"{name} is {tuple(features.shape)}; (N, D) with N ≥ 2 pictures is needed")
    if not torch.isfinite(features).all():
        raise ValueError(f"{name} holds values that are not finite; leave such pictures out and say how many")
    return features.detach().cpu().double()


def _moments(features: Tensor) -> tuple[Tensor, Tensor]:
    """Mean (D,) and a root R with RᵀR = covariance (unbiased)."""
    mean = features.mean(0)
    centred = (features - mean) / (len(features) - 1) ** 0.5
    return mean, torch.linalg.qr(centred, mode="r").R if centred.shape[0] > centred.shape[1] else centred
