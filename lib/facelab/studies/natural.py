"""Real occluders have no truth: all one can ask is whether the predicted hole covers what is worn.

Taught in: lesson 04.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from facelab.faces.detect import detect
from facelab.metrics.intervals import bootstrap
from facelab.seeding import generator
from facelab.studies.evaluation import run_restore
from facelab.studies.parts import natural_photographs

MOUTH_BOX = (0.27, 0.73, 0.55, 0.90)  # left, right, top, bottom, shares of the crop
EYE_BAND = (0.0, 1.0, 0.27, 0.43)
MOUTH_LEAST, EYES_MOST = 0.45, 0.25


def hidden_share(hole: Tensor, box: tuple[float, float, float, float]) -> Tensor:
    """Share of a box that is hidden.

    Args:
        hole: (N, 1, H, W), hidden where > 0.5.
        box: left, right, top, bottom as shares of the picture.

    Returns:
        (N,) in [0, 1].
    """
    height, width = hole.shape[-2:]
    left, right, top, bottom = box
    part = hole[..., round(top * height) : round(bottom * height), round(left * width) : round(right * width)]
    return (part > 0.5).float().mean((1, 2, 3))


def margin(hole: Tensor) -> Tensor:
    """How far a hole is from failing :func:`covers_facemask`.

    Args:
        hole: (N, 1, H, W), hidden where > 0.5, on a head crop.

    Returns:
        (N,): the smaller of what the mouth's box has too much of and what the eyes' band has left; below 0 it fails.
    """
    return torch.minimum(hidden_share(hole, MOUTH_BOX) - MOUTH_LEAST, EYES_MOST - hidden_share(hole, EYE_BAND))


def covers_facemask(hole: Tensor) -> Tensor:
    """Whether a hole covers a worn facemask: most of the mouth and nose, and not the eyes.

    Args:
        hole: (N, 1, H, W), hidden where > 0.5, on a head crop.

    Returns:
        bool (N,): at least 45 % of the box x 27–73 %, y 55–90 %, and less than 25 % of the band y 27–43 %.
    """
    return (hidden_share(hole, MOUTH_BOX) >= MOUTH_LEAST) & (hidden_share(hole, EYE_BAND) < EYES_MOST)


def faces_found(pictures: Tensor) -> Tensor:
    """Whether dlib's detector finds a face that it does not doubt, bool (N,), in pictures (N, C, H, W)."""
    return torch.tensor([bool(detect(picture, doubtful=False)) for picture in pictures])


def _share(good: Tensor) -> dict[str, float]:
    low, high = bootstrap(good.float(), generator(1, "masked"))
    return {"share": round(good.float().mean().item(), 4), "low": round(low, 4), "high": round(high, 4)}


def masked_study(
    restore: Callable, size: int, look_for_faces: bool = False
) -> tuple[dict[str, Any], tuple[Tensor, Tensor, Tensor, Tensor]]:
    """Restore the real masked faces never trained on (validation and test part of ``realmasks/with_mask``).

    Args:
        restore: images to a restoration.
        size: the network's, pixels.
        look_for_faces: also ask dlib in how many photographs it finds a face, before and after.

    Returns:
        ``count``, ``share`` whose hole covers the facemask with its 95 % interval, ``parts`` (count and how many pass,
        of each part), ``failed`` (file names), on request ``face_before`` and ``face_after`` with their intervals; and
        the photographs, restored pictures, holes and judgements, (N, …) each.

    Raises:
        MissingPart: faces are to be looked for, and dlib is not here.
    """
    splits = ("val", "test")
    part = natural_photographs(splits, size)
    photographs, _ = part.take(range(len(part)))
    image, hole, _ = run_restore(restore, photographs)
    good = covers_facemask(hole)
    pieces = good.split([len(natural_photographs(split, size)) for split in splits])
    record: dict[str, Any] = {"count": len(part), **_share(good)}
    record["parts"] = {
        split: {"count": len(piece), "pass": int(piece.sum())} for split, piece in zip(splits, pieces, strict=True)
    }
    record["failed"] = [part.name(place) for place in (~good).nonzero()[:, 0].tolist()]
    if look_for_faces:
        record |= {"face_before": _share(faces_found(photographs)), "face_after": _share(faces_found(image))}
    return record, (photographs, image, hole, good)
