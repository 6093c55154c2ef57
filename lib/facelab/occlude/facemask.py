"""Facemasks worn on faces: fitted to landmarks by a homography, drawn from parameters, with the hole they make.

Types and cuts: ``facemask_kinds``; outline and relief: ``facemask_shape``; the light: ``facelight``.
Taught in: lesson 06.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from facelab.errors import BadConfig
from facelab.occlude import fitting
from facelab.occlude.chance import Params, Window, take
from facelab.occlude.face import fill
from facelab.occlude.facelight import in_light_of
from facelab.occlude.facemask_kinds import CHANCE, FITS, PRINTS, TYPES, Look, sample
from facelab.occlude.facemask_shape import reach, shape
from facelab.occlude.surface import render

__all__ = ["CHANCE", "FITS", "PRINTS", "TYPES", "Look", "Worn", "doubts", "wear"]

PROFILE = 40.0  # degrees: beyond it six points of a flat mask cannot be trusted
MARGIN = 8  # pixels left free around a facemask for its shadow, at least


@dataclass(frozen=True)
class Worn:
    """Faces wearing facemasks.

    Args:
        image: (N, C, H, W) in [-1, 1].
        hole: (N, 1, H, W) in [0, 1], 1 = hidden.
        kinds: type of each facemask.
        doubts: why a fit is not to be trusted, ``""`` where it is: see :func:`doubts`.
    """

    image: Tensor
    hole: Tensor
    kinds: tuple[str, ...]
    doubts: tuple[str, ...]


def wear(
    images: Tensor,
    landmarks: Tensor | None,
    generator: torch.Generator,
    types: Sequence[str] = TYPES,
    look: Look = CHANCE,
) -> Worn:
    """Put a facemask on each face.

    Args:
        images: (N, C, H, W) in [-1, 1], C 1 or 3, on the CPU; not changed.
        landmarks: (N, 68, 2) pixels (x, y); None, or rows with a NaN, stand for a canonical frontal face.
        generator: the only source of randomness; the same state gives the same bits.
        types: names from :data:`TYPES` to choose from.
        look: what is decided and not drawn: colour, print, how it is worn.

    Raises:
        BadConfig: an unknown type.

    Source: MaskTheFace (Anwar & Raychowdhury 2020) for the six points and three pose ranges; masks are drawn here.
    Taught in: lesson 06.
    """
    types = (types,) if isinstance(types, str) else tuple(types)
    if unknown := [name for name in types if name not in TYPES] or ([] if types else ["nothing"]):
        raise BadConfig("types", ", ".join(unknown), "names from " + ", ".join(TYPES))
    points = fill(landmarks, len(images), tuple(images.shape[-2:]))
    chosen = [types[k] for k in torch.randint(len(types), (len(images),), generator=generator).tolist()]
    params = in_light_of(images, points, sample(points, generator, chosen, look))
    image, hole = images.clone(), images.new_zeros(len(images), 1, *images.shape[-2:])
    corners, size = _windows(params, tuple(images.shape[-2:]))
    chunks = torch.arange(len(images)).split(max(4, 2**20 // (size[0] * size[1])))
    for rows in chunks:
        _draw(image, hole, rows, corners[rows], size, params if len(chunks) == 1 else take(params, rows))
    return Worn(image, hole, tuple(chosen), tuple(doubts(landmarks, points)))


def _windows(params: Params, size: tuple[int, int]) -> tuple[Tensor, tuple[int, int]]:
    """One window a face, all of one size, that holds its facemask and the shadow: most of a picture is untouched.

    Returns:
        (N, 2) top and left of each window, and (height, width); multiples of 8 where the picture's sides are, so that
        blocks of compression lie as they would in the whole picture.
    """
    low, high = reach(params)
    margin = max(MARGIN, min(size) // 12)
    full = torch.tensor([size[1], size[0]])
    first = ((low - margin).floor().long().clamp(min=0) // 8 * 8).minimum(full - 8).clamp(min=0)
    last = (high + margin).ceil().long().minimum(full)
    side = ((last - first).amax(0).clamp(min=16) + 7) // 8 * 8
    side = side.minimum(full)
    first = first.minimum(full - side)
    return first.flip(1), (int(side[1]), int(side[0]))


def _draw(image: Tensor, hole: Tensor, rows: Tensor, corners: Tensor, size: tuple[int, int], params: Params) -> None:
    """Draw facemasks into some rows of ``image`` and ``hole``, each in its window."""
    spots = [(row, *corner) for row, corner in zip(rows.tolist(), corners.tolist(), strict=True)]
    height, width = size
    windows = torch.stack([image[row, :, top : top + height, left : left + width] for row, top, left in spots])
    shift = corners.flip(1).float()
    moved = params | {"matrix": fitting.shifted(params["matrix"], -shift), "ears": params["ears"] - shift[:, None]}
    window = Window(tuple(image.shape[-2:]), corners, params["around"])
    drawn, hidden = render(windows, shape(moved, size), moved, window=window)
    for place, (row, top, left) in enumerate(spots):
        image[row, :, top : top + height, left : left + width] = drawn[place]
        hole[row, :, top : top + height, left : left + width] = hidden[place]


def doubts(landmarks: Tensor | None, points: Tensor) -> list[str]:
    """Why a flat mask may not sit right on each face: ``""``, ``"no landmarks"`` or ``"profile"``.

    Args:
        landmarks: (N, 68, 2), None or rows with a NaN where they are not known.
        points: the same without gaps.
    """
    known = torch.zeros(len(points), dtype=torch.bool) if landmarks is None else landmarks.isfinite().flatten(1).all(1)
    aside = fitting.yaw(points).abs() > PROFILE
    return ["no landmarks" if not here else "profile" if far else "" for here, far in zip(known, aside, strict=True)]
