"""Bring every face to the same place, and put it back.

Positions: pixel centres are at whole numbers, so a picture W pixels wide reaches from -0.5 to W - 0.5.
In *unit coordinates* of a crop, u = (x + 0.5) / size runs from 0 (left edge) to 1 (right edge).
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from facelab.images import resize, to_channels

EYE_DISTANCE = 0.28
"""Distance between the eye centres in an aligned crop, in crop sides: the whole face fits, as in LFW crops."""
EYE_HEIGHT = 0.42
"""Height of the eyes in an aligned crop, in crop sides from the top."""
FEATHER = 0.08
"""Width of the soft border with which a face is pasted back, in crop sides."""


def eye_centres(landmarks: Tensor) -> Tensor:
    """Centres of both eyes: the means of points 36–41 and 42–47.

    Args:
        landmarks: (..., 68, 2) pixels.

    Returns:
        (..., 2, 2) pixels: the eye at the picture's left, then the one at its right, each (x, y).
    """
    return torch.stack([landmarks[..., 36:42, :].mean(-2), landmarks[..., 42:48, :].mean(-2)], -2)


def eye_matrix(landmarks: Tensor, size: int) -> Tensor:
    """Similarity transform (rotation, one scale, shift) that brings the eyes to their canonical places.

    Args:
        landmarks: (68, 2) pixels of the photo.
        size: side of the crop, pixels.

    Returns:
        (2, 3): photo pixel (x, y, 1) to crop pixel (x, y).

    Raises:
        ValueError: the eyes coincide or are not finite.
    """
    left, right = eye_centres(landmarks.double())
    dx, dy = (right - left).tolist()
    square = dx * dx + dy * dy
    if not 0 < square < float("inf"):
        raise ValueError(f"no face can be aligned by eyes at {left.tolist()} and {right.tolist()}")
    a, b = EYE_DISTANCE * size * dx / square, EYE_DISTANCE * size * dy / square
    linear = torch.tensor([[a, b], [-b, a]], dtype=torch.float64)
    target = torch.tensor([0.5, EYE_HEIGHT], dtype=torch.float64) * size - 0.5
    shift = target - linear @ ((left + right) / 2)
    return torch.cat([linear, shift[:, None]], 1).float()


def align(image: Tensor, landmarks: Tensor, size: int = 128) -> tuple[Tensor, Tensor]:
    """Cut out a face as a square: eyes level, centred, and at their canonical distance.

    Args:
        image: (C, H, W) in [-1, 1].
        landmarks: (68, 2) pixels.
        size: side of the crop, pixels.

    Returns:
        The face (C, size, size), the photo's edge repeated where the crop reaches over it, and the matrix (2, 3)
        that maps photo pixels to crop pixels; :func:`paste_back` takes it, :func:`transform` applies it to points.

    Raises:
        ValueError: the eyes coincide or are not finite.

    Taught in: 01
    """
    matrix = eye_matrix(landmarks, size)
    return warp(image, matrix, (size, size)), matrix


def box_square(left: float, top: float, right: float, bottom: float) -> tuple[float, float, float]:
    """The square cut out around a face's box: same centre, its side √2 times the box's longer side.

    Args:
        left: of the box, pixels; so are ``top``, ``right``, ``bottom``.

    Returns:
        (left, top, side), pixels, not rounded; it may reach over the picture's edge.

    Raises:
        ValueError: the box has no size, or is not finite.

    Source: the cropping of the published K-FACE frontalization project (a circle round the box, a square round that).
    Taught in: 07
    """
    longer = max(right - left, bottom - top)
    if not (right >= left and bottom >= top and 0 < longer < float("inf")):
        raise ValueError(f"no square can be laid round the box {(left, top, right, bottom)}")
    side = math.sqrt(2) * longer
    return (left + right - side) / 2, (top + bottom - side) / 2, side


def landmark_square(landmarks: Tensor) -> tuple[float, float, float]:
    """The square cut out around 68 landmarks (or any points of a face): :func:`box_square` of the box that holds them.

    Args:
        landmarks: (68, 2) pixel (x, y).

    Returns:
        (left, top, side), pixels, in the landmarks' own coordinates: the square's upper left corner, and its side.

    Raises:
        ValueError: the points coincide, or are not finite.

    Taught in: 07
    """
    points = landmarks.detach().double()
    return box_square(*points.amin(0).tolist(), *points.amax(0).tolist())


def invert(matrix: Tensor) -> Tensor:
    """The transform (2, 3) that undoes ``matrix`` (2, 3)."""
    linear = torch.linalg.inv(matrix[:, :2].double())
    return torch.cat([linear, -linear @ matrix[:, 2:].double()], 1).to(matrix.dtype)


def transform(points: Tensor, matrix: Tensor) -> Tensor:
    """Apply a transform (2, 3) to points (..., 2), pixels."""
    return points @ matrix[:, :2].T.to(points) + matrix[:, 2].to(points)


def warp(image: Tensor, matrix: Tensor, size: tuple[int, int]) -> Tensor:
    """Resample a picture through a transform; a shrinking one averages first, so nothing aliases.

    Args:
        image: (C, H, W).
        matrix: (2, 3) similarity, pixels of ``image`` to pixels of the result.
        size: (height, width) of the result.

    Returns:
        (C, height, width); beyond the picture, its edge is repeated.
    """
    inverse = invert(matrix.double())
    scale = float(torch.linalg.det(matrix[:, :2].double()).abs().sqrt())
    if scale < 1:
        image, inverse = _shrink(image, inverse, scale)
    y, x = torch.meshgrid(*(torch.arange(n, dtype=torch.float64) for n in size), indexing="ij")
    points = transform(torch.stack([x, y], -1), inverse)
    extent = points.new_tensor([image.shape[-1], image.shape[-2]])
    grid = ((2 * points + 1) / extent - 1).to(image)
    return F.grid_sample(image[None], grid[None], mode="bilinear", padding_mode="border", align_corners=False)[0]


def _shrink(image: Tensor, inverse: Tensor, scale: float) -> tuple[Tensor, Tensor]:
    """Resize by ``scale`` < 1 and correct the transform from the result to the picture for it."""
    height, width = (max(1, round(n * scale)) for n in image.shape[-2:])
    ratio = inverse.new_tensor([width / image.shape[-1], height / image.shape[-2]])
    smaller = torch.cat([inverse[:, :2] * ratio[:, None], ((inverse[:, 2] + 0.5) * ratio - 0.5)[:, None]], 1)
    return resize(image, (height, width)), smaller


def paste_back(photo: Tensor, face: Tensor, matrix: Tensor, hole: Tensor | None = None) -> Tensor:
    """Put an aligned face back where it was cut out, with a soft border.

    Args:
        photo: (C, H, W) in [-1, 1], the whole photograph.
        face: (C, S, S) in [-1, 1], e.g. restored; grey is repeated, colour reduced, to the photo's channels.
        matrix: (2, 3) from :func:`align`.
        hole: (1, S, S) in [0, 1], 1 = hidden: paste only there. None: the whole crop.

    Returns:
        (C, H, W). Pixels outside the crop, and those a hole leaves visible, equal the photo's bit for bit.
    """
    size = face.shape[-1]
    left, top, right, bottom = _footprint(matrix, size, photo.shape[-2:])
    if left >= right or top >= bottom:
        return photo.clone()
    offset = torch.eye(2, 3, dtype=torch.float64)
    offset[:, 2] = torch.tensor([-left, -top])
    to_window = _compose(offset, invert(matrix.double()))
    window = (bottom - top, right - left)
    weight = _border(matrix, size, (left, top), window)
    if hole is not None:
        weight = weight * warp(hole.cpu(), to_window, window)
    out, weight = photo.clone(), weight.to(photo)
    here = out[:, top:bottom, left:right]
    there = warp(to_channels(face, photo.shape[0]), to_window, window).to(photo)
    out[:, top:bottom, left:right] = torch.where(weight > 0, here * (1 - weight) + there * weight, here)
    return out


def _compose(outer: Tensor, inner: Tensor) -> Tensor:
    """The transform that applies ``inner``, then ``outer``."""
    return torch.cat([outer[:, :2] @ inner[:, :2], outer[:, :2] @ inner[:, 2:] + outer[:, 2:]], 1)


def _footprint(matrix: Tensor, size: int, shape: torch.Size) -> tuple[int, int, int, int]:
    """Smallest window of the photo (left, top, right, bottom; the last two excluded) that holds the crop."""
    edge = size - 0.5
    corners = torch.tensor([[-0.5, -0.5], [edge, -0.5], [-0.5, edge], [edge, edge]], dtype=torch.float64)
    points = transform(corners, invert(matrix.double()))
    low, high = points.amin(0).floor().int().tolist(), points.amax(0).ceil().int().tolist()
    return max(0, low[0]), max(0, low[1]), min(shape[1], high[0] + 1), min(shape[0], high[1] + 1)


def _border(matrix: Tensor, size: int, corner: tuple[int, int], window: tuple[int, int]) -> Tensor:
    """Weight (1, h, w) of the crop in a window of the photo: 0 from its edge outwards, 1 a feather's width inside."""
    y, x = torch.meshgrid(*(torch.arange(n, dtype=torch.float64) for n in window), indexing="ij")
    points = transform(torch.stack([x + corner[0], y + corner[1]], -1), matrix.double())
    unit = (points + 0.5) / size
    depth = torch.minimum(unit, 1 - unit).amin(-1)
    return (depth / FEATHER).clamp(0, 1)[None].float()
