"""Where things go on a face: landmarks, and a canonical face where there are none."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def _canonical() -> Tensor:
    """68 points of a frontal face in unit coordinates of its crop, written from simple curves."""
    jaw = [(0.5 - 0.37 * math.cos(math.pi * i / 16), 0.40 + 0.53 * math.sin(math.pi * i / 16)) for i in range(17)]
    brow = [(0.22 + 0.055 * i, 0.285 - 0.03 * math.sin(math.pi * i / 4)) for i in range(5)]
    brows = brow + [(1 - x, y) for x, y in reversed(brow)]
    nose = [(0.5, 0.37 + 0.06 * i) for i in range(4)] + [(0.43 + 0.035 * i, 0.60) for i in range(5)]
    turns = (math.pi, 4 * math.pi / 3, 5 * math.pi / 3, 0, math.pi / 3, 2 * math.pi / 3)
    eye = [(0.335 + 0.055 * math.cos(t), 0.365 + 0.022 * math.sin(t)) for t in turns]
    eyes = eye + [(x + 0.33, y) for x, y in eye]
    outer = [(0.5 - 0.14 * math.cos(math.pi * i / 6), 0.725 - 0.05 * math.sin(math.pi * i / 6)) for i in range(7)]
    outer += [(0.5 + 0.14 * math.cos(math.pi * i / 6), 0.725 + 0.055 * math.sin(math.pi * i / 6)) for i in range(1, 6)]
    inner = [(0.5 - 0.1 * math.cos(math.pi * i / 4), 0.725 - 0.012 * math.sin(math.pi * i / 4)) for i in range(5)]
    inner += [(0.5 + 0.1 * math.cos(math.pi * i / 4), 0.725 + 0.012 * math.sin(math.pi * i / 4)) for i in range(1, 4)]
    return torch.tensor(jaw + brows + nose + eyes + outer + inner, dtype=torch.float32)


CANONICAL = _canonical()


def sides(size: int | tuple[int, int]) -> tuple[int, int]:
    """A side or (height, width) to (height, width)."""
    return (size, size) if isinstance(size, int) else (int(size[0]), int(size[1]))


def fill(landmarks: Tensor | None, count: int, size: int | tuple[int, int]) -> Tensor:
    """Landmarks (N, 68, 2) in pixels without gaps: rows that are None or hold a NaN become the canonical face."""
    height, width = sides(size)
    standard = (CANONICAL * torch.tensor([width, height], dtype=torch.float32)).expand(count, 68, 2)
    if landmarks is None:
        return standard.clone()
    if tuple(landmarks.shape) != (count, 68, 2):
        raise ValueError(f"landmarks are {tuple(landmarks.shape)}, expected {(count, 68, 2)}")
    bad = ~torch.isfinite(landmarks).flatten(1).all(1)
    return torch.where(bad[:, None, None], standard, landmarks.to(torch.float32))


def measures(points: Tensor) -> dict[str, Tensor]:
    """The lengths and places the kinds ask for, from landmarks (N, 68, 2).

    Returns:
        ``eyes`` (N, 2) midpoint, ``span`` (N,) between the eye centres, ``roll`` (N,) degrees, ``brow`` ``nose``
        ``mouth`` ``chin`` (N, 2), ``width`` (N,) of the jaw; pixels.
    """
    left, right = points[:, 36:42].mean(1), points[:, 42:48].mean(1)
    across = right - left
    return {
        "eyes": (left + right) / 2,
        "span": across.norm(dim=1).clamp(min=2.0),
        "roll": torch.rad2deg(torch.atan2(across[:, 1], across[:, 0])),
        "brow": points[:, 17:27].mean(1),
        "nose": points[:, 30],
        "mouth": points[:, 48:60].mean(1),
        "chin": points[:, 8],
        "width": (points[:, 15] - points[:, 1]).norm(dim=1).clamp(min=4.0),
    }
