"""Random changes of viewpoint and light for training, the same for a picture and its landmarks."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from facelab.faces.landmarks import MIRROR


def uniform(generator: torch.Generator, count: int, low: float, high: float) -> Tensor:
    """(count,) numbers in [low, high)."""
    return torch.rand(count, generator=generator) * (high - low) + low


def random_view(
    images: Tensor,
    landmarks: Tensor | None,
    generator: torch.Generator,
    shift: float = 0.05,
    scale: float = 0.1,
    degrees: float = 8.0,
    flip: float = 0.5,
) -> tuple[Tensor, Tensor | None]:
    """Shift, scale, rotate and mirror each picture by its own random amounts.

    Pixels between pixels are read bicubically: bilinear ones are softer, and a network that learns from soft truths
    paints soft faces. Some softness remains; without shift, scale and rotation there is none.

    Args:
        images: (N, C, H, W) in [-1, 1], square.
        landmarks: (N, 68, 2) in pixels (x, y), NaN where unknown, or None. In a mirrored
            face left and right points are exchanged: 36–41 is always the eye at the picture's left.
        generator: source of all draws.
        shift: largest shift, share of the side.
        scale: largest relative change of size.
        degrees: largest rotation.
        flip: probability of mirroring.

    Returns:
        Images and landmarks of the same shapes; uncovered borders are mirrored in.
    """
    height, width = images.shape[-2:]
    theta, sign = random_placement(len(images), generator, shift, scale, degrees, flip)
    out = placed(images, theta)
    if landmarks is None:
        return out, None
    after = _move_landmarks(landmarks, theta, width, height)
    return out, torch.where((sign < 0).view(-1, 1, 1), after[:, MIRROR], after)


def random_placement(
    n: int, generator: torch.Generator, shift: float = 0.05, scale: float = 0.1, degrees: float = 8.0, flip: float = 0.5
) -> tuple[Tensor, Tensor]:
    """Where to put ``n`` pictures; arguments as of :func:`random_view`.

    Returns:
        (n, 2, 3), from a place of the new picture to a place of the old one, both in grid_sample's coordinates
        (-1 … 1); and (n,), -1 for mirrored ones, else 1.
    """
    angle = uniform(generator, n, -degrees, degrees) * math.pi / 180
    zoom = 1 + uniform(generator, n, -scale, scale)
    dx, dy = uniform(generator, n, -2 * shift, 2 * shift), uniform(generator, n, -2 * shift, 2 * shift)
    sign = torch.where(torch.rand(n, generator=generator) < flip, -1.0, 1.0)
    cos, sin = torch.cos(angle) / zoom, torch.sin(angle) / zoom
    # Mirror after rotation and zoom.
    return torch.stack([sign * cos, -sign * sin, dx, sin, cos, dy], 1).view(n, 2, 3), sign


def placed(images: Tensor, theta: Tensor) -> Tensor:
    """Pictures (N, C, H, W) put where :func:`random_placement` says; uncovered borders are mirrored in."""
    grid = F.affine_grid(theta, list(images.shape), align_corners=False)
    out = F.grid_sample(images, grid, mode="bicubic", padding_mode="reflection", align_corners=False)
    return out.clamp(-1, 1)  # bicubic weights overshoot at edges


def moved(places: Tensor, theta: Tensor) -> Tensor:
    """Where places (N, K, 2) of the old pictures, -1 … 1, lie in those of :func:`placed`."""
    inverse = torch.linalg.inv(theta[:, :, :2])
    return (places - theta[:, :, 2].unsqueeze(1)) @ inverse.transpose(1, 2)


def _move_landmarks(landmarks: Tensor, theta: Tensor, width: int, height: int) -> Tensor:
    size = landmarks.new_tensor([width, height])
    return (moved((landmarks + 0.5) / size * 2 - 1, theta) + 1) / 2 * size - 0.5


def random_light(images: Tensor, generator: torch.Generator, strength: float = 0.15) -> Tensor:
    """Change brightness, contrast and (in colour) the white point of each picture; the result stays in [-1, 1].

    Args:
        images: (N, C, H, W) in [-1, 1].
        generator: source of all draws.
        strength: largest relative change.
    """
    n, channels = images.shape[:2]
    gain = 1 + uniform(generator, n, -strength, strength).view(n, 1, 1, 1)
    lift = uniform(generator, n, -strength, strength).view(n, 1, 1, 1)
    tint = 1 + (torch.rand(n, channels, 1, 1, generator=generator) - 0.5) * strength * (channels > 1)
    return (((images + 1) * gain * tint - 1) + lift).clamp(-1, 1)


def coarser(images: Tensor, factor: float) -> Tensor:
    """Pictures as if they had been enlarged from fewer pixels.

    Args:
        images: (N, C, H, W).
        factor: of the side, more than 0; 1 or more leaves them as they are.

    Returns:
        (N, C, H, W), within the range of the images.
    """
    if factor >= 1:
        return images
    few = [max(4, round(side * factor)) for side in images.shape[-2:]]
    small = F.interpolate(images, few, mode="bilinear", antialias=True, align_corners=False)
    return F.interpolate(small, images.shape[-2:], mode="bilinear", align_corners=False)


def random_frames(count: int, size: tuple[int, int], generator: torch.Generator, share: float) -> Tensor:
    """Where photographs end inside their pictures: a crop that reached beyond the photograph's edge.

    Args:
        count: pictures.
        size: (height, width), pixels.
        generator: source of all draws.
        share: of the pictures; the others end where the picture ends. Up to 35 % is missing at each side of an axis.

    Returns:
        (count, 4) int: first row, last row, first column, last column that belong to the photograph.
    """
    cut = torch.rand(count, 4, generator=generator) * 0.35
    axis = torch.rand(count, 2, generator=generator) < 0.6  # rows, columns
    some = (torch.rand(count, 1, generator=generator) < share) & axis
    cut = cut * some.repeat_interleave(2, 1)
    high, wide = size
    ends = torch.tensor([0, high - 1, 0, wide - 1]) + torch.tensor([high, -high, wide, -wide]) * cut
    return ends.round().long()


def repeat_edges(images: Tensor, frames: Tensor) -> Tensor:
    """Pictures whose pixels outside a frame repeat the nearest one inside.

    Args:
        images: (N, C, H, W).
        frames: (N, 4) of :func:`random_frames`.
    """
    n, channels, height, width = images.shape
    top, bottom, left, right = frames.view(n, 4, 1).unbind(1)
    row = torch.arange(height).clamp(top, bottom).view(n, 1, height, 1)
    column = torch.arange(width).clamp(left, right).view(n, 1, 1, width)
    return images[torch.arange(n).view(n, 1, 1, 1), torch.arange(channels).view(1, -1, 1, 1), row, column]
