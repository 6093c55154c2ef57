"""Spread the brightness of a face over the whole range, and leave its colours alone.

Photographs differ in light, near-infrared ones hardly do. Equalised brightness takes most of that difference away.
Taught in: lesson 08.
"""

from __future__ import annotations

import torch
from torch import Tensor

from facelab.images import to_channels

LEVELS = 256
"""Bins of the histogram, one for each brightness of an 8-bit picture."""


def equalised(images: Tensor) -> Tensor:
    """Pictures whose luminance has a flat histogram; each picture by itself.

    Every channel of a pixel gets the change of its luminance Y, so R - Y and B - Y stay, save where a channel would
    leave the range. A picture of one single brightness stays as it is. No gradient passes.

    Args:
        images: (N, 3, H, W) or (N, 1, H, W) in [-1, 1].

    Returns:
        The same shape, in [-1, 1].

    Source: histogram equalisation, Gonzalez and Woods, "Digital Image Processing", 3.3.1. Unlike
    ``skimage.exposure.equalize_hist`` the bins do not depend on the picture, and brightness rises inside them, too, so
    that a picture whose histogram is flat stays to within half a bin.
    Taught in: lesson 08.
    """
    images = images.detach()
    luminance = to_channels(images, 1)
    change = _levelled(luminance) - luminance
    flat = luminance.amax((1, 2, 3), keepdim=True) - luminance.amin((1, 2, 3), keepdim=True) < 1 / LEVELS
    return (images + torch.where(flat, torch.zeros_like(change), change)).clamp(-1, 1)


def _levelled(luminance: Tensor) -> Tensor:
    """The share of darker pixels at every pixel (N, 1, H, W), stretched to [-1, 1]."""
    place = ((luminance.flatten(1) + 1) / 2 * (LEVELS - 1) + 0.5).clamp(0, LEVELS - 1e-3)
    level = place.long()
    held = torch.zeros(len(place), LEVELS, dtype=torch.float64, device=place.device)
    held.scatter_add_(1, level, torch.ones_like(place, dtype=torch.float64))
    held /= place.shape[1]
    below = held.cumsum(1) - held
    share = below.gather(1, level) + held.gather(1, level) * (place - level)
    return (share * 2 - 1).to(luminance.dtype).view_as(luminance)
