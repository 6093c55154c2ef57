"""Upright portraits: the frame in which frontalization is shown faces.

Taught in: 07
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from facelab.faces.align import landmark_square, warp

MARGIN, RAISED = 1.56, 0.085
"""Portraits are so many times as wide as the landmarks' box, and that share of their side higher."""


def _portrait_square(landmarks: Tensor) -> tuple[float, float, float]:
    """(left, top, side) of a portrait, pixels."""
    left, top, square = landmark_square(landmarks)
    side = square * MARGIN / math.sqrt(2)
    return left + (square - side) / 2, top + (square - side) / 2 - RAISED * side, side


def portrait_matrix(landmarks: Tensor, size: int) -> Tensor:
    """The transform (2, 3) from pixels of a picture to those of a portrait, see :func:`portrait`.

    Args:
        landmarks: (68, 2) pixels. size: side of the portrait, pixels.

    Raises:
        ValueError: the points coincide, or are not finite.

    Taught in: 10
    """
    left, top, side = _portrait_square(landmarks)
    scale = size / side
    right, down = (-0.5 - scale * at for at in (left, top))  # pixel centres lie at whole numbers
    return torch.tensor([[scale, 0.0, right], [0.0, scale, down]])


def portrait(image: Tensor, landmarks: Tensor, most: int = 512) -> Tensor:
    """Cut out a face about as frontalization is shown faces: upright as it is, forehead and chin in the picture.

    It is the frame of rendered heads; photographs of ``lfw`` have their faces some 5 % of the side lower in theirs.

    Args:
        image: (C, H, W) in [-1, 1].
        landmarks: (68, 2) pixels.
        most: largest side of the crop, pixels; larger ones are shrunk.

    Returns:
        (C, S, S), the photo's edge repeated where the crop reaches over it.

    Raises:
        ValueError: the points coincide, or are not finite.

    Taught in: 07
    """
    size = max(1, min(round(_portrait_square(landmarks)[2]), most))
    return warp(image, portrait_matrix(landmarks, size), (size, size))
