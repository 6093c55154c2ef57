"""How alike two pictures are, pixel by pixel and window by window. One number a picture, never one a batch."""

from __future__ import annotations

import torch
from torch import Tensor

from facelab.images import to_unit

WINDOW = 11
"""Side of the SSIM window, pixels."""
SIGMA = 1.5
"""Standard deviation of the SSIM window's Gaussian, pixels."""
_CHUNK = 2  # images per SSIM pass: keeps the working set inside the processor's cache


def _check_pair(pred: Tensor, truth: Tensor) -> None:
    if pred.dim() != 4 or pred.shape != truth.shape:
        shapes = f"{tuple(pred.shape)} and {tuple(truth.shape)}"
        raise ValueError(f"two batches (N, C, H, W) of one shape are needed, not {shapes}")


def _check_hole(pred: Tensor, hole: Tensor) -> None:
    expected = (pred.shape[0], 1, *pred.shape[-2:])
    if tuple(hole.shape) != expected:
        raise ValueError(f"hole is {tuple(hole.shape)}; these images need {expected}")


def _decibel(mse: Tensor) -> Tensor:
    return -10 * torch.log10(mse)


def psnr(pred: Tensor, truth: Tensor) -> Tensor:
    """Peak signal-to-noise ratio of each picture, measured in [0, 1] with peak 1.

    Average the returned values over pictures; the PSNR of a tiled grid, or of a batch's mean squared error, is
    another (and larger or smaller) number.

    Args:
        pred: (N, C, H, W) in [-1, 1].
        truth: same shape.

    Returns:
        (N,) decibels; ``inf`` where the pictures are equal.

    Raises:
        ValueError: the shapes differ.

    Taught in: 01
    """
    _check_pair(pred, truth)
    return _decibel((to_unit(pred.double()) - to_unit(truth.double())).square().mean((1, 2, 3))).float()


def psnr_inside(pred: Tensor, truth: Tensor, hole: Tensor) -> Tensor:
    """PSNR over the hidden pixels only; each pixel counts as much as it is hidden.

    Args:
        pred: (N, C, H, W) in [-1, 1].
        truth: same shape.
        hole: (N, 1, H, W) in [0, 1], 1 = hidden.

    Returns:
        (N,) decibels; NaN where nothing is hidden, ``inf`` where the hidden part is exact.

    Raises:
        ValueError: the shapes do not fit.

    Taught in: 01
    """
    _check_pair(pred, truth)
    squared = (to_unit(pred.double()) - to_unit(truth.double())).square()
    return _decibel(_mean_inside(squared, hole)).float()


def l1_inside(pred: Tensor, truth: Tensor, hole: Tensor) -> Tensor:
    """Mean absolute difference over the hidden pixels, measured in [0, 1].

    Args:
        pred: (N, C, H, W) in [-1, 1].
        truth: same shape.
        hole: (N, 1, H, W) in [0, 1], 1 = hidden.

    Returns:
        (N,) in [0, 1]; NaN where nothing is hidden.

    Raises:
        ValueError: the shapes do not fit.
    """
    _check_pair(pred, truth)
    return _mean_inside((to_unit(pred.double()) - to_unit(truth.double())).abs(), hole).float()


def _mean_inside(values: Tensor, hole: Tensor) -> Tensor:
    """Mean of (N, C, H, W) weighted by the hole; 0 / 0 = NaN where the hole is empty."""
    _check_hole(values, hole)
    weight = hole.double()
    return (values * weight).sum((1, 2, 3)) / (weight.sum((1, 2, 3)) * values.shape[1])


def ssim(pred: Tensor, truth: Tensor) -> Tensor:
    """Structural similarity of each picture, measured in [0, 1] with data range 1.

    Convention: Gaussian window 11 × 11 with σ = 1.5, population variances, averaged over the pixels whose window
    lies inside the picture (*valid region*), then over channels. That is scikit-image's
    ``structural_similarity(gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=1)``.
    Libraries that also average the reflected border give values about 0.01 lower.

    Args:
        pred: (N, C, H, W) in [-1, 1], at least 11 × 11 pixels.
        truth: same shape.

    Returns:
        (N,) in [-1, 1]; 1 where the pictures are equal.

    Raises:
        ValueError: the shapes differ, or the pictures are smaller than the window.

    Source: Wang et al. 2004, *Image quality assessment: from error visibility to structural similarity*, eq. 13.
    Taught in: 01
    """
    _check_pair(pred, truth)
    if min(pred.shape[-2:]) < WINDOW:
        raise ValueError(f"SSIM needs pictures of at least {WINDOW}×{WINDOW} pixels, not {tuple(pred.shape[-2:])}")
    parts = zip(pred.split(_CHUNK), truth.split(_CHUNK), strict=True)
    return torch.cat([_ssim_map(a, b).mean((1, 2, 3)).float() for a, b in parts])


def _ssim_map(pred: Tensor, truth: Tensor) -> Tensor:
    """SSIM at every pixel of the valid region, (N, C, H-10, W-10). Float64: the variances are small differences."""
    c1, c2 = 0.01**2, 0.03**2
    x, y = to_unit(pred.double()), to_unit(truth.double())
    mean_x, mean_y, xx, yy, xy = _blur(torch.stack([x, y, x * x, y * y, x * y])).unbind(0)
    var_x, var_y, cov = xx - mean_x.square(), yy - mean_y.square(), xy - mean_x * mean_y
    luminance = (2 * mean_x * mean_y + c1) / (mean_x.square() + mean_y.square() + c1)
    return luminance * (2 * cov + c2) / (var_x + var_y + c2)


def _blur(images: Tensor) -> Tensor:
    """Gaussian window over the valid region of (..., H, W).

    One axis after the other, as 11 weighted sums of shifted views: 22 products a pixel instead of 121, and on CPUs
    several times faster than a convolution with one channel.
    """
    offset = torch.arange(WINDOW, dtype=torch.float64) - WINDOW // 2
    window = torch.exp(-offset.square() / (2 * SIGMA**2))
    window = (window / window.sum()).tolist()
    for axis in (-2, -1):
        length = images.shape[axis] - WINDOW + 1
        total = images.narrow(axis, 0, length) * window[0]
        for shift in range(1, WINDOW):
            total.add_(images.narrow(axis, shift, length), alpha=window[shift])
        images = total
    return images
