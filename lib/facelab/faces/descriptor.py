"""A face as 128 numbers: close for two pictures of one person, far for two people."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from facelab.faces import models
from facelab.faces.align import eye_centres
from facelab.faces.landmarks import canonical_landmarks, find_landmarks
from facelab.images import resize

_EYES = 72.0  # pixels between the eyes in the network's own 150 px chip; smaller faces are enlarged to that


def descriptors(images: Tensor, landmarks: Tensor | None = None) -> Tensor:
    """Describe one face a picture.

    Always defined, so that a metric over a test set never silently drops its hardest pictures. The face is cut
    out by, in this order: the landmarks given; landmarks found in the picture; the mean face's landmarks, which
    fit a picture that is roughly an aligned crop (what a heavily occluded one usually is here).

    Args:
        images: (N, C, H, W) in [-1, 1], C 1 or 3; grey is repeated. Faces smaller than the network's chip of
            150 pixels are enlarged.
        landmarks: (N, 68, 2) pixels; rows holding NaN count as not given.

    Returns:
        (N, 128) float32, of norm about 1.4.

    Raises:
        MissingPart: dlib or its model files are not installed.
        ValueError: landmarks of another shape.

    Source: He et al. 2016, *Deep residual learning* (dlib's 29-layer variant, metric loss).
    Taught in: 04
    """
    if landmarks is not None and tuple(landmarks.shape) != (len(images), 68, 2):
        raise ValueError(f"landmarks are {tuple(landmarks.shape)}; {len(images)} images need {(len(images), 68, 2)}")
    rows = [_describe(image, None if landmarks is None else landmarks[i]) for i, image in enumerate(images)]
    return torch.stack(rows) if rows else torch.zeros(0, 128)


def _describe(image: Tensor, points: Tensor | None) -> Tensor:
    if points is None or not torch.isfinite(points).all():
        points = find_landmarks(image)
    if points is None:
        points = canonical_landmarks(*image.shape[-2:])
    image, points = _enlarged(image, points.float().cpu())
    with models.LOCK:
        vector = models.encoder().compute_face_descriptor(models.to_array(image), _as_dlib(points))
    return torch.tensor(list(vector), dtype=torch.float32)


def _enlarged(image: Tensor, points: Tensor) -> tuple[Tensor, Tensor]:
    """Enlarge small faces: dlib's points are whole pixels, too coarse for a face 30 pixels wide."""
    left, right = eye_centres(points)
    scale = _EYES / max(float((right - left).norm()), 1.0)
    if scale <= 1:
        return image, points
    size = tuple(round(n * scale) for n in image.shape[-2:])
    ratio = torch.tensor([size[1] / image.shape[-1], size[0] / image.shape[-2]])
    return resize(image, size), (points + 0.5) * ratio - 0.5


def _as_dlib(points: Tensor) -> Any:
    dlib = models.dlib_module()
    whole = [dlib.point(x, y) for x, y in points.round().int().tolist()]
    (left, top), (right, bottom) = points.amin(0).int().tolist(), points.amax(0).int().tolist()
    return dlib.full_object_detection(dlib.rectangle(left, top, right, bottom), whole)
