"""Is the restored part as crisp as the truth, or a grey smear?

A network trained on L1 alone answers with the mean of all plausible faces: high PSNR, no detail. The ratio of
gradients shows it. Noise would satisfy the ratio too, so it counts only together with a lower Fréchet distance
than an L1-only model's: see :func:`acceptable`.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from facelab.images import to_channels, to_unit

MARGIN = 2
"""Pixels taken off the hole's border, so that the seam itself is not measured."""
GOOD = (0.7, 1.3)
"""Sharpness of a convincing restoration lies between these."""


def sharpness(output: Tensor, truth: Tensor, hole: Tensor) -> Tensor:
    """RMS luminance gradient of the output over the truth's, deep inside the hole.

    Deep inside means: hole > 0.5, eroded by 2 pixels (5 × 5 square); the picture's own edge does not erode.
    Gradients are differences of neighbouring pixels, which see a checkerboard where central differences are blind.

    Args:
        output: (N, C, H, W) in [-1, 1].
        truth: same shape.
        hole: (N, 1, H, W) in [0, 1], 1 = hidden.

    Returns:
        (N,) ≥ 0, 1 for the truth itself; NaN where the eroded hole is empty or both parts are flat.

    Raises:
        ValueError: the shapes do not fit.

    Taught in: 10
    """
    if output.shape != truth.shape or tuple(hole.shape) != (len(output), 1, *output.shape[-2:]):
        shapes = [tuple(t.shape) for t in (output, truth, hole)]
        raise ValueError(f"output, truth and hole do not fit each other: {shapes}")
    inside = eroded(hole)
    ratio = _gradient_energy(output, inside) / _gradient_energy(truth, inside)
    return torch.where(inside.flatten(1).any(1), ratio.sqrt(), torch.nan).float()


def eroded(hole: Tensor, pixels: int = MARGIN) -> Tensor:
    """Pixels whose whole neighbourhood is hidden.

    Args:
        hole: (N, 1, H, W) in [0, 1], 1 = hidden.
        pixels: reach of the neighbourhood in each direction.

    Returns:
        bool (N, 1, H, W).
    """
    visible = (hole <= 0.5).float()
    return F.max_pool2d(visible, 2 * pixels + 1, stride=1, padding=pixels) == 0


def _gradient_energy(image: Tensor, inside: Tensor) -> Tensor:
    """Sum of squared luminance differences over the pixels inside, (N,). The pixel count cancels in the ratio."""
    grey = to_channels(to_unit(image.double()), 1)
    right = F.pad(grey.diff(dim=-1), (0, 1)).square()
    down = F.pad(grey.diff(dim=-2), (0, 0, 0, 1)).square()
    return ((right + down) * inside).sum((1, 2, 3))


def acceptable(sharpness: float, frechet: float, frechet_l1_only: float) -> bool:
    """The rule by which a restoration is neither smeared nor merely noisy.

    Args:
        sharpness: mean over the test pictures.
        frechet: Fréchet distance between restored and true pictures.
        frechet_l1_only: the same for a model trained with L1 alone, on the same pictures and feature net.

    Returns:
        True where sharpness is within 0.7–1.3 *and* the Fréchet distance is the lower one. NaN is never acceptable.
    """
    return GOOD[0] <= sharpness <= GOOD[1] and frechet < frechet_l1_only
